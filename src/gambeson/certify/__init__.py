"""Certificates: accuracy that no attacker within a radius can take away, proved instead of tried."""
