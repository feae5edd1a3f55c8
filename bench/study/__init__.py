"""`make study`: the original study again, on the real platform: what a copy beside it shows late, and what it costs.

The numbers go to `bench/results/study.json`, and with those of the other benches into the tables of `docs/study.md`.
"""
