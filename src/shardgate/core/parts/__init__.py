"""Entities in parts: one entity of which several shards have a part each."""
