"""The reference data: the same rows from the same seed, at any scale."""
