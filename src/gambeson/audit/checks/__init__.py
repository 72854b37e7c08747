"""Checks; importing a module here registers its checks."""
