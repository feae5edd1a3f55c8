"""`shardgate split`: cuts the database of one application into several, by tenant. Start reading at `run.py`."""
