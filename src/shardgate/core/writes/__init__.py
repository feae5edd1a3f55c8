"""What becomes of a change that concerns more than one shard, or must not happen twice. Decisions only, no IO."""
