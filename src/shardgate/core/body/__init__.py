"""The JSON body of a request: read strictly, divided into the items of each shard, completed with ids."""
