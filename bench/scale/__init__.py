"""`make scale`: what a request costs by the number of shards, tenants and gateways; the curves of `docs/scale.md`."""
