"""Scanners, one file for each format; each registers itself."""
