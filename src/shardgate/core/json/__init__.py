"""JSON as bytes: arrays cut into raw items, objects with members replaced, exact numbers. Knows no shard."""
