"""Poisoning: changes of training data that a model then learns."""
