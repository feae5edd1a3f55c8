"""The roof: one command a file, no logic."""
