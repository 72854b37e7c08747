"""Training that builds a defense in."""
