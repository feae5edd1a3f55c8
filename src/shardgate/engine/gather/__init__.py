"""Asks several shards and merges their replies, or passes the merged rows on while they arrive."""
