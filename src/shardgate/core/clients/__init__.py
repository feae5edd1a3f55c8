"""Who calls, how often it may call, and what it may take up: decisions about tokens, quotas and bounds."""
