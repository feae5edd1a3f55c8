"""Who calls: clients, their tokens, what they may do and how often."""
