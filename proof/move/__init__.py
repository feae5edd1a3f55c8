"""`make move`: tenants move between shards while clients read and change; `make move-crash`: whoever dies meanwhile."""
