"""The directory knows who owns a tenant: an exact table, written by `shardgate split` and kept in the store."""

from collections.abc import Mapping
from typing import cast

from shardgate.core.contracts import UNKNOWN, Known, Strategy, Unknown
from shardgate.core.locate.compare import Compare, ComparedShards, ComparingTable
from shardgate.core.topology import ShardId


class Directory(Strategy, frozen=True, tag="directory"):
    """Look the key up in the directory."""

    space: str | None = None
    """The directory's space. Default: the name of the locator chain."""
    compare: Compare = "text"
    """How the application compares keys: `text`, `case_insensitive`, `uuid`, `integer` or `link`."""

    def locate(self, space: str, key: str, known: Known) -> ShardId | Unknown:
        """The shard that the directory names."""
        shards = known.topology.directory.get(self.space or space, {})
        if self.compare == "text":
            return shards.get(key, UNKNOWN)
        return _EQUAL.find(cast("Mapping[str, ShardId] | ComparingTable", shards), key, self.compare)


_EQUAL = ComparedShards()
