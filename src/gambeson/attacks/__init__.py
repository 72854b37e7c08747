"""Attacks: one harness per family, one small file per method."""
