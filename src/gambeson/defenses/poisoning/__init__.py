"""Defenses against poisoned data and backdoored models: detection of rows and models, and repair."""
