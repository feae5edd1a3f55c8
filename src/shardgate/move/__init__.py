"""`shardgate move`: moves tenants from one shard to another while the gateway serves them."""
