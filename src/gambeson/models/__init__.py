"""The model seam and its implementations: one file per framework."""
