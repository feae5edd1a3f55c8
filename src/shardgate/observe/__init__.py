"""Tells operators what happens: metrics counted across workers, an access log, an admin listener."""
