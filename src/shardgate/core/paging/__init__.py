"""The page of a list: read from a client's request, written into those to shards, linked to other pages."""
