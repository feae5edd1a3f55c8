"""Several instances that serve one shard: which of them is asked, who is left out, and what is asked again."""
