"""SQLite as a source and as a target, and the schema from one SQLite file to another."""
