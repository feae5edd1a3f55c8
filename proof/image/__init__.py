"""`make image-test`: the image is built, and run in front of real shards as an orchestrator runs it."""
