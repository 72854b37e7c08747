"""Benchmarks: Gambeson, its peers and bare model passes, in one run on one machine."""
