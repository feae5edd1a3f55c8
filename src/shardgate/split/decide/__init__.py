"""Decides which tables are divided, which tenant owns a row, which shard gets a tenant, and how a run begins."""
