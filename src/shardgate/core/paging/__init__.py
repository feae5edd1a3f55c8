"""A page of a list: read from a client's parameters, written into a shard's, and linked to its neighbours."""
