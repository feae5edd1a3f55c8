"""What it costs: CPU time of one gateway process, from the operating system, over shards that cost next to nothing."""
