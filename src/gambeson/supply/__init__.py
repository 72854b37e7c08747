"""Artifacts: what files are, before anything is loaded."""
