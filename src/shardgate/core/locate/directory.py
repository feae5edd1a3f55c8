"""The directory knows who owns a tenant: an exact table, written by `shardgate split` and kept in the store."""

from shardgate.core.contracts import UNKNOWN, Known, Strategy, Unknown
from shardgate.core.topology import ShardId


class Directory(Strategy, frozen=True, tag="directory"):
    """Look the key up in the directory."""

    space: str | None = None
    """The directory's space. Default: the name of the locator chain."""

    def locate(self, space: str, key: str, known: Known) -> ShardId | Unknown:
        """The shard that the directory names."""
        return known.topology.directory.get(self.space or space, {}).get(key, UNKNOWN)
