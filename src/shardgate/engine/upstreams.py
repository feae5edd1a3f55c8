"""Builds what a worker sends its calls to: a pool for each shard, or a pool for each of its replicas.

Holds: what becomes of a replica is one line in the log when it changes, and a count for each event.
"""

import logging
from collections.abc import Collection
from typing import Protocol

from shardgate.core.limits import Limits, Timeouts
from shardgate.core.replicas.group import Group
from shardgate.core.topology import Instance, Shard
from shardgate.core.wire.addresses import ShardAddresses
from shardgate.core.wire.base_path import BasePath
from shardgate.net.tls import Tls, for_shards
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.dialler import Dialler
from shardgate.net.upstream.health_checks import HealthChecks
from shardgate.net.upstream.own_changes import OwnChanges
from shardgate.net.upstream.pool import Pool, PoolSettings
from shardgate.net.upstream.replicas import Replicas
from shardgate.net.watch import Watch
from shardgate.observe.meter import Meter

_log = logging.getLogger("shardgate")


class Upstream(Protocol):
    """Where the calls of one shard go."""

    @property
    def is_silent(self) -> bool:
        """Whether it takes calls and answers none."""

    def start(self, call: Call) -> None:
        """Send the call as soon as a connection is free. Its sink is told of a failure, too."""

    def figures(self) -> tuple[int, int, int, int]:
        """Open connections, idle ones, calls that wait, and how many calls have ever waited."""

    def close(self) -> None:
        """Close idle connections; the others are closed when their calls end."""


class ReplicaLog:
    """Tells operators what becomes of one shard's replicas."""

    __slots__ = ("_meter", "_shard")

    def __init__(self, shard: Shard, meter: Meter) -> None:
        self._shard = shard
        self._meter = meter

    def left_out(self, name: str, for_s: float, why: str) -> None:
        """A replica gets no calls for so many seconds."""
        self._meter.left_out(self._shard.id)
        _log.warning("%s is left out for %g s: %s", self._named(name), for_s, why)

    def came_back(self, name: str) -> None:
        """It gets calls again."""
        _log.warning("%s is back", self._named(name))

    def checked(self, name: str, *, is_well: bool, why: str) -> None:
        """Its health check has changed."""
        if not is_well:
            self._meter.left_out(self._shard.id)
        _log.warning("%s is %s: %s", self._named(name), "well" if is_well else "unwell, and gets no calls", why)

    def retried(self) -> None:
        """A call is sent to another replica, since the first one failed."""
        self._meter.retried(self._shard.id)

    def hedged(self) -> None:
        """A read is sent to a second replica, since the first one is late."""
        self._meter.hedged(self._shard.id)

    def _named(self, name: str) -> str:
        return f"replica {name} of shard {self._shard.id}"


class Upstreams:
    """The upstream of each shard of one worker."""

    __slots__ = (
        "_addresses",
        "_checks",
        "_known",
        "_limits",
        "_meter",
        "_own_changes",
        "_timeouts",
        "bases",
        "by_shard",
        "tls",
        "watch",
    )

    def __init__(
        self,
        shards: Collection[Shard],
        limits: Limits,
        timeouts: Timeouts,
        watch: Watch,
        meter: Meter,
        own_changes: OwnChanges,
    ) -> None:
        self._known = [(one.host, one.port) for shard in shards for one in shard.instances]
        self._addresses = ShardAddresses(self._known)
        self.bases = {shard.id: BasePath(shard.base.encode()) for shard in shards if shard.base}
        """The base path of each shard that has one."""
        self._limits = limits
        self._timeouts = timeouts
        self._meter = meter
        self._own_changes = own_changes
        self._checks: list[HealthChecks] = []
        self.watch = watch
        """What keeps the deadlines of all calls."""
        self.tls: list[Tls] = []
        """The TLS contexts of connections to shards, to be refreshed."""
        self.by_shard = {shard.id: self._made(shard) for shard in shards}

    def close(self) -> None:
        """Close idle connections, and check no more."""
        for checks in self._checks:
            checks.close()
        for upstream in self.by_shard.values():
            upstream.close()

    def _made(self, shard: Shard) -> Upstream:
        tls = Tls(shard.tls, for_shards) if shard.tls is not None else None
        if tls is not None:
            self.tls.append(tls)
        if not shard.replicas:
            return self._pool(shard, shard.instances[0], tls)
        members = tuple(instance.member for instance in shard.replicas)
        group = Group(members, shard.guards, shard.health, shard.zone, self.watch.now())
        pools = [self._pool(shard, instance, tls) for instance in shard.replicas]
        for replica, instance in zip(group.replicas, shard.replicas, strict=True):
            replica.name = f"{instance.host}:{instance.port}"
        replicas = Replicas(group, pools, self.watch, ReplicaLog(shard, self._meter), self._own_changes)
        if shard.health is not None:
            for instance, replica in zip(shard.replicas, group.replicas, strict=True):
                target = f"{shard.base}{shard.health.path}".encode()
                host = f"{instance.host}:{instance.port}".encode()
                pool = self._pool(shard, instance, tls, connections_max=1)
                self._checks.append(HealthChecks(shard.health, target, host, pool, replicas, replica, self.watch))
        return replicas

    def _pool(self, shard: Shard, instance: Instance, tls: Tls | None, connections_max: int | None = None) -> Pool:
        limits, timeouts = self._limits, self._timeouts
        settings = PoolSettings(
            connections_max or limits.connections_per_shard_max,
            limits.waiting_per_shard_max,
            timeouts.shard_idle_timeout_s,
            ShardAddresses(self._known, base) if (base := self.bases.get(shard.id)) is not None else self._addresses,
        )
        return Pool(Dialler(instance.host, instance.port, tls, timeouts.connect_timeout_s), self.watch, settings)
