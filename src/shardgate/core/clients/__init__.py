"""Who calls, and how often it may call: decisions about tokens and quotas."""
