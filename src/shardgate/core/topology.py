"""Who owns what, at one epoch: the shards and the directory. Never changed, only replaced."""

from collections.abc import Collection, Mapping

import msgspec

ShardId = str


class TlsFiles(msgspec.Struct, frozen=True):
    """The names of files in PEM that TLS is made of."""

    certificate: str | None = None
    key: str | None = None
    """None: it stands in the certificate's file."""
    ca: str | None = None
    """Who must have signed the other side's certificate; None: on a listener nobody, towards a shard the system's."""
    server_name: str | None = None
    """The name in a shard's certificate; None: the host of its address."""


class Shard(msgspec.Struct, frozen=True):
    """One slice of the data, and where it is served."""

    id: ShardId
    host: str
    port: int
    alias: str
    """The name that clients may read."""
    tls: TlsFiles | None = None
    """None: it is spoken to in plain HTTP."""

    @property
    def address(self) -> str:
        """`host:port`, as a Host field names it."""
        return f"{self.host}:{self.port}"


class Topology(msgspec.Struct, frozen=True):
    """All shards in the order of the configuration; the directory: space → key → shard; and what is in parts."""

    shards: Mapping[ShardId, Shard]
    directory: Mapping[str, Mapping[str, ShardId]] = msgspec.field(default_factory=dict)
    epoch: int = 0
    parts: Mapping[str, Mapping[str, tuple[ShardId, ...]]] = msgspec.field(default_factory=dict)
    """The entities that are in parts: space → key → the shards that may have one. What others have of that key is
    nobody's: it is left of what was taken back."""

    @property
    def ids(self) -> tuple[ShardId, ...]:
        """The shards' names, in the order of the configuration."""
        return tuple(self.shards)


def aliases(shards: Mapping[ShardId, Shard], of: Collection[ShardId]) -> tuple[str, ...]:
    """The names by which clients may know these shards, in the order of the configuration."""
    return tuple(shard.alias for name, shard in shards.items() if name in of)
