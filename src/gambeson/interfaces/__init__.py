"""Interfaces: they parse and render, nothing else."""
