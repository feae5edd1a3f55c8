"""Reads the shard from the key: the text before the separator stands for a shard."""

from collections.abc import Iterable, Mapping

from shardgate.core.contracts import UNKNOWN, Known, Strategy, Unknown
from shardgate.core.topology import ShardId


class Prefix(Strategy, frozen=True, tag="prefix"):
    """Read the shard off the key: `lis-1234` with `{lis: lisbon}` is on lisbon."""

    shards: Mapping[str, ShardId]
    """Prefix → shard: `{lis: lisbon}`."""
    separator: str = "-"
    """What stands behind the prefix."""

    def pinned(self) -> Iterable[ShardId]:
        """The shards that the configuration names, to be checked."""
        return self.shards.values()

    def locate(self, space: str, key: str, known: Known) -> ShardId | Unknown:
        """The shard of the key's prefix."""
        prefix, found, _ = key.partition(self.separator)
        return self.shards.get(prefix, UNKNOWN) if found else UNKNOWN
