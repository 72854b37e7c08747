"""Privacy attacks: what a model gives away about the records it was trained on."""
