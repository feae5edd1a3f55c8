"""Plug-ins of shardgate for the shop: a merge, a locator and a dialect."""
