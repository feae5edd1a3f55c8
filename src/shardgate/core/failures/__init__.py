"""What is written of failures: the log's lines, how many of them, and when a shard went down and came back."""
