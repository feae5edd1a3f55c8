"""Moves bytes and measures time. Knows no shard and no route."""
