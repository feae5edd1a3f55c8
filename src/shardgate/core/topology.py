"""The shards, and which keys each owns, at one epoch. A topology is never changed, only replaced."""

from collections.abc import Collection, Mapping
from typing import Protocol, TypeVar

import msgspec

from shardgate.core.replicas.membership import Discovery
from shardgate.core.replicas.settings import Failover, HealthCheck, Member, ReplicaGuards

ShardId = str
D = TypeVar("D")


class OwnerTable(Protocol):
    """The keys of one space with their shards: a dict, or what is looked up like one."""

    def get(self, key: str, default: D, /) -> ShardId | D:
        """The shard of a key."""


class TlsFiles(msgspec.Struct, frozen=True):
    """The PEM files of one side of a TLS connection."""

    certificate: str | None = None
    key: str | None = None
    """The file with the key; None: the key is in the file of the certificate."""
    ca: str | None = None
    """The file with the authorities that sign the other side's certificate. None: a listener asks clients for no
    certificate; a shard's certificate is checked by the system's authorities."""
    server_name: str | None = None
    """The name that a shard's certificate must have; None: the host of the shard's address."""


class Instance(msgspec.Struct, frozen=True):
    """One instance of the application that serves a slice."""

    host: str
    port: int
    member: Member = Member()


class Shard(msgspec.Struct, frozen=True):
    """One slice of the data, and the address where it is served."""

    id: ShardId
    host: str
    port: int
    alias: str
    """The name that clients may read."""
    tls: TlsFiles | None = None
    """None: the shard is called by plain HTTP."""
    base: str = ""
    """The path below which the shard serves, without a slash at its end: `/app`."""
    replicas: tuple[Instance, ...] = ()
    """The instances that serve it, the first at `host:port`; empty: there is one, and nothing guards its calls."""
    discovery: Discovery | None = None
    """Where its instances are found; None: the configuration names them."""
    health: HealthCheck | None = None
    guards: ReplicaGuards = ReplicaGuards()
    zone: str | None = None
    """The zone that the gateway is in: its own replicas are asked first."""
    failover: Failover | None = None
    """How requests wait while it cannot be reached; None: they do not."""

    @property
    def address(self) -> str:
        """`host:port`, as a Host field names it."""
        return f"{self.host}:{self.port}"

    @property
    def instances(self) -> tuple[Instance, ...]:
        """All instances that serve it, as the configuration says; where they are found, the name stands for them."""
        return self.replicas or (Instance(self.host, self.port),)


class Topology(msgspec.Struct, frozen=True):
    """All shards in the order of the configuration, the directory (space → key → shard), and the entities in parts."""

    shards: Mapping[ShardId, Shard]
    directory: Mapping[str, Mapping[str, ShardId] | OwnerTable] = msgspec.field(default_factory=dict)
    epoch: int = 0
    parts: Mapping[str, Mapping[str, tuple[ShardId, ...]]] = msgspec.field(default_factory=dict)
    """The entities in parts: space → key → the shards that may have a part. Rows of that key on other shards are
    leftovers of an undone change: they are ignored."""

    @property
    def ids(self) -> tuple[ShardId, ...]:
        """The shards' names, in the order of the configuration."""
        return tuple(self.shards)


def aliases(shards: Mapping[ShardId, Shard], of: Collection[ShardId]) -> tuple[str, ...]:
    """The names by which clients may know these shards, in the order of the configuration."""
    return tuple(shard.alias for name, shard in shards.items() if name in of)
