"""Implementations of the core's ports on files, databases and clusters."""
