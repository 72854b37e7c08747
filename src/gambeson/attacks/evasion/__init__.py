"""Evasion attacks; importing a module here registers its attack."""
