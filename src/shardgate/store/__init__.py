"""Keeps on disk what the processes of a gateway must remember and agree on: directory, journal, keys, leases, usage."""
