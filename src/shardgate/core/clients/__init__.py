"""Who calls, and how often it may: what is decided of tokens and quotas."""
