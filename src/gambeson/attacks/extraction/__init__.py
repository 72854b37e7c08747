"""Extraction attacks: what it takes to rebuild a model from its answers."""
