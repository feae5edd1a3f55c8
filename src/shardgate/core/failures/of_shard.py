"""Says which shard's reply is at fault, where what reads a reply does not know whose it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from shardgate.core.errors import UpstreamError
from shardgate.core.topology import ShardId


@contextmanager
def of_shard(shard: ShardId) -> Iterator[None]:
    """What is raised here concerns this shard."""
    try:
        yield
    except UpstreamError as error:
        error.shard = error.shard or shard
        raise
