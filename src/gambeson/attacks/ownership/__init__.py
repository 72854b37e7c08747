"""Ownership: was a model derived from another one, or made independently of it?"""
