"""Changes that concern several shards, or that must not happen twice: entries, steps and replies."""
