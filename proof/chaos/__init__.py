"""`make chaos`: a gateway with its shards under load, one fault after another and in pairs, and what clients saw."""
