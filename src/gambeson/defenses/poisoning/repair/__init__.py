"""Repair of backdoored models with a little clean data."""
