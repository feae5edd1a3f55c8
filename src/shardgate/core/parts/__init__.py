"""One entity that is kept in parts on several shards."""
