"""`shardgate split`: cut one application's database into N, by tenant. Start reading at `run.py`."""
