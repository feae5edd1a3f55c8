"""Who calls: tokens are verified, and calls counted, before anything is decided."""
