"""The law, proven: a real monolith and a real gateway over real shards, with the same data, asked the same."""
