"""Connections that the gateway opens: a pool for each address, one call at a time on each connection."""
