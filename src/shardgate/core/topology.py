"""Who owns what, at one epoch: the shards and the directory. Never changed, only replaced."""

from collections.abc import Mapping

import msgspec

ShardId = str


class Shard(msgspec.Struct, frozen=True):
    """One slice of the data, and where it is served."""

    id: ShardId
    host: str
    port: int
    alias: str
    """The name that clients may read."""

    @property
    def address(self) -> str:
        """`host:port`, as a Host field names it."""
        return f"{self.host}:{self.port}"


class Topology(msgspec.Struct, frozen=True):
    """All shards in the order of the configuration, and the directory: space → key → shard."""

    shards: Mapping[ShardId, Shard]
    directory: Mapping[str, Mapping[str, ShardId]] = msgspec.field(default_factory=dict)
    epoch: int = 0

    @property
    def ids(self) -> tuple[ShardId, ...]:
        """The shards' names, in the order of the configuration."""
        return tuple(self.shards)
