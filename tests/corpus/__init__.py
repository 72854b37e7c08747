"""Files for the scanner: hostile ones that are never loaded, and harmless ones as frameworks write them."""
