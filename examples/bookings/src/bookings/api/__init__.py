"""The HTTP side: one router a resource, and what they share."""
