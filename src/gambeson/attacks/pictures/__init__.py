"""Changes of pictures that no norm describes: patches, rotations and translations, corruptions."""
