"""Datasets: schema, sources and splits."""
