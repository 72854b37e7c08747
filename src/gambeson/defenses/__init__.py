"""Defenses: what changes a model, its training or its data so that attacks find less."""
