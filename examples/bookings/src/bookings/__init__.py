"""The reference platform: tours and activities, sold through partners. Knows nothing of shards."""
