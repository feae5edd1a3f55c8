"""Warns of choices in a configuration that are valid and dangerous."""
