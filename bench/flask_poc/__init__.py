"""The two proofs of concept in Flask, from before the gateway: PoC 1 with a copy of all the data, PoC 2 that relays.

They run in an environment of their own, which `bench/peers/flask_poc.py` makes; the project depends on nothing of
theirs.
"""
