"""The page of a list: read from a client's parameters, written into the requests to shards, linked to other pages."""
