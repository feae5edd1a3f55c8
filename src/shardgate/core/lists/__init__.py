"""Lists that an application pages by offset: which rows to read of each shard, and the merged page."""
