"""What is said of a key that two shards claim."""

from shardgate.core.errors import KeyOnTwoShardsError
from shardgate.core.excerpt import excerpt


def disputed(space: str, key: str, *shards: str) -> KeyOnTwoShardsError:
    """The error for a request that concerns the key. `shards`: those that claim it, as far as they are known."""
    shown = excerpt(key)
    error = KeyOnTwoShardsError(
        f"two shards say that they hold the key `{shown}`",
        log=f"the key {shown} of {space} is on {' and '.join(shards) or 'several shards, as their replies showed'}",
        about={"key": shown},
    )
    error.shard = ",".join(shards)
    return error
