"""What single parts of the hot path cost."""
