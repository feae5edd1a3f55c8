"""Lists that an application pages by cursors: read shard by shard, merged by key, signed for clients."""
