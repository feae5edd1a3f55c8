"""Builds what a worker sends its calls to: a pool for each shard, or a pool for each of its replicas.

Holds: what becomes of a replica is one line in the log when it changes, and a count for each event.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Protocol

from shardgate.core.limits import DISCOVERED_MAX, Limits, Timeouts
from shardgate.core.replicas.group import Group, Replica
from shardgate.core.replicas.membership import Change, Discovery, FoundReplica
from shardgate.core.replicas.settings import Member
from shardgate.core.topology import Instance, Shard
from shardgate.core.wire.addresses import ShardAddresses
from shardgate.core.wire.base_path import BasePath
from shardgate.net.tls import Tls, for_shards
from shardgate.net.upstream.call import Call
from shardgate.net.upstream.dialler import Dialler
from shardgate.net.upstream.discovery import DiscoveredReplicas
from shardgate.net.upstream.dns_client import DnsClient
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

    def alone(self) -> "Sequence[Upstream]":
        """Each instance that takes changes, by itself."""

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

    def left_out(self, name: str, for_s: float, why: str, *, is_asked: bool) -> None:
        """A replica gets no calls for so many seconds. `is_asked`: it does, since too few others can serve."""
        self._meter.left_out(self._shard.id)
        if is_asked:
            _log.warning("%s fails, and is asked all the same, since too few can serve: %s", self._named(name), why)
        else:
            _log.warning("%s is left out for %g s: %s", self._named(name), for_s, why)

    def came_back(self, name: str) -> None:
        """It gets calls again."""
        _log.warning("%s is back", self._named(name))

    def checked(self, name: str, *, is_well: bool, why: str, is_asked: bool) -> None:
        """Its health check has changed. `is_asked`: it gets calls."""
        if is_well:
            _log.warning("%s is well: %s", self._named(name), why)
            return
        self._meter.left_out(self._shard.id)
        if is_asked:
            _log.warning("%s is unwell, and is asked all the same, since too few can serve: %s", self._named(name), why)
        else:
            _log.warning("%s is unwell, and gets no calls: %s", self._named(name), why)

    def retried(self) -> None:
        """A call is sent to another replica, since the first one failed."""
        self._meter.retried(self._shard.id)

    def hedged(self) -> None:
        """A read is sent to a second replica, since the first one is late."""
        self._meter.hedged(self._shard.id)

    def _named(self, name: str) -> str:
        return f"replica {name} of shard {self._shard.id}"


class DiscoveryLog:
    """Tells operators what DNS says of one shard's replicas, and hands it on."""

    __slots__ = ("_meter", "_shard", "_take")

    def __init__(self, shard: Shard, meter: Meter, take: Callable[[Change], None]) -> None:
        self._shard = shard
        self._meter = meter
        self._take = take

    def found(self, change: Change) -> None:
        """DNS names other replicas."""
        self._take(change)
        self._meter.replicas_changed(self._shard.id, len(change.joined) + len(change.left) + len(change.altered))
        if change.altered:
            _log.info("shard %s: DNS says other weights of %d replicas", self._shard.id, len(change.altered))
        if not (change.joined or change.left or change.too_many):
            return
        joined = ", ".join(f"{one.host}:{one.port}" for one in change.joined) or "nobody"
        left = ", ".join(f"{host}:{port}" for host, port in sorted(change.left)) or "nobody"
        _log.warning("shard %s has other replicas: joined %s; left %s", self._shard.id, joined, left)
        if change.too_many:
            _log.warning(
                "shard %s: DNS names more than %d replicas; %d get no calls",
                self._shard.id,
                DISCOVERED_MAX,
                change.too_many,
            )

    def not_found(self, why: str, known: int, *, first: bool) -> None:
        """DNS names nobody. `first`: it did before."""
        self._meter.discovery_failed(self._shard.id)
        if first:
            name = self._shard.discovery.name if self._shard.discovery is not None else self._shard.host
            then = f"the {known} replicas that are known stay" if known else "no replica is known, and calls wait"
            _log.warning("shard %s: DNS does not answer for %s: %s; %s", self._shard.id, name, why, then)

    def found_again(self) -> None:
        """DNS names somebody again."""
        _log.warning("shard %s: DNS answers again", self._shard.id)


class Upstreams:
    """The upstream of each shard of one worker."""

    __slots__ = (
        "_addresses",
        "_checks",
        "_discovered",
        "_dns",
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
        dns: DnsClient,
    ) -> None:
        self._known = [(one.host, one.port) for shard in shards for one in shard.instances]
        self._addresses = [ShardAddresses(self._known)]
        """Of all shards; with each base path once more."""
        self.bases = {shard.id: BasePath(shard.base.encode()) for shard in shards if shard.base}
        """The base path of each shard that has one."""
        self._limits = limits
        self._timeouts = timeouts
        self._meter = meter
        self._own_changes = own_changes
        self._dns = dns
        self._checks: dict[tuple[str, str], HealthChecks] = {}
        self._discovered: dict[str, DiscoveredReplicas] = {}
        self.watch = watch
        """What keeps the deadlines of all calls."""
        self.tls: list[Tls] = []
        """The TLS contexts of connections to shards, to be refreshed."""
        self.by_shard = {shard.id: self._made(shard) for shard in shards}

    def places(self, shard: Shard) -> Sequence[tuple[str, int]]:
        """Host and port of each instance of a shard, as far as they are known."""
        if (discovered := self._discovered.get(shard.id)) is not None:
            return discovered.places
        return [(one.host, one.port) for one in shard.instances]

    @property
    def are_checked(self) -> bool:
        """Whether the first check of each replica is over."""
        return all(checks.is_over for checks in self._checks.values())

    def close(self) -> None:
        """Close idle connections, and check no more."""
        for checks in self._checks.values():
            checks.close()
        for upstream in [*self.by_shard.values(), *self._discovered.values()]:
            upstream.close()

    def _made(self, shard: Shard) -> Upstream:
        tls = Tls(shard.tls, for_shards) if shard.tls is not None else None
        if tls is not None:
            self.tls.append(tls)
        if shard.discovery is not None:
            return self._discovering(shard, shard.discovery, tls)
        if not shard.replicas:
            return self._pool(shard, shard.instances[0], tls)
        members = tuple(instance.member for instance in shard.replicas)
        group = Group(members, shard.guards, shard.health, shard.zone, self.watch.now())
        pools = [self._pool(shard, instance, tls) for instance in shard.replicas]
        for replica, instance in zip(group.replicas, shard.replicas, strict=True):
            replica.name = f"{instance.host}:{instance.port}"
        replicas = Replicas(group, pools, self.watch, ReplicaLog(shard, self._meter), self._own_changes)
        for instance, replica in zip(shard.replicas, group.replicas, strict=True):
            self._check(shard, instance, tls, replicas, replica)
        return replicas

    def _discovering(self, shard: Shard, discovery: Discovery, tls: Tls | None) -> Upstream:
        """Replicas that DNS names, and who follows it."""
        group = Group((), shard.guards, shard.health, shard.zone, self.watch.now())
        replicas = Replicas(group, (), self.watch, ReplicaLog(shard, self._meter), self._own_changes)

        def found(change: Change) -> None:
            self._replace(shard, tls, replicas, change)
            self.by_shard[shard.id] = replicas  # from now on a call costs what it costs with written replicas

        made = DiscoveredReplicas(
            partial(self._dns.ask, discovery),
            replicas,
            DiscoveryLog(shard, self._meter, found),
            self.watch,
            self._limits.waiting_per_shard_max,
        )
        self._discovered[shard.id] = made
        return made

    def _replace(self, shard: Shard, tls: Tls | None, replicas: Replicas, change: Change) -> None:
        """Other replicas serve a shard now, or with other weights."""
        if change.altered:
            replicas.alter({f"{one.host}:{one.port}": _instance_of(one).member for one in change.altered})
        left = {f"{host}:{port}" for host, port in change.left}
        for name in left:
            if (checks := self._checks.pop((shard.id, name), None)) is not None:
                checks.close()
        self._known += [one.place for one in change.joined]
        self._known = [place for place in self._known if place not in change.left]
        for addresses in self._addresses:
            addresses.use(self._known)
        instances = [_instance_of(one) for one in change.joined]
        joined = [(f"{one.host}:{one.port}", one.member, self._pool(shard, one, tls)) for one in instances]
        for instance, replica in zip(instances, replicas.change(joined, left), strict=True):
            self._check(shard, instance, tls, replicas, replica)

    def _check(self, shard: Shard, instance: Instance, tls: Tls | None, replicas: Replicas, replica: Replica) -> None:
        """Ask the replica for its health, where the configuration says so."""
        if shard.health is None:
            return
        target = f"{shard.base}{shard.health.path}".encode()
        host = (shard.address if shard.discovery is not None else f"{instance.host}:{instance.port}").encode()
        pool = self._pool(shard, instance, tls, connections_max=1)
        checks = HealthChecks(shard.health, target, host, pool, replicas, replica, self.watch)
        self._checks[shard.id, replica.name] = checks

    def _pool(self, shard: Shard, instance: Instance, tls: Tls | None, connections_max: int | None = None) -> Pool:
        limits, timeouts = self._limits, self._timeouts
        settings = PoolSettings(
            connections_max or limits.connections_per_shard_max,
            limits.waiting_per_shard_max,
            timeouts.shard_idle_timeout_s,
            self._addresses_of(shard),
        )
        return Pool(Dialler(instance.host, instance.port, tls, timeouts.connect_timeout_s), self.watch, settings)

    def _addresses_of(self, shard: Shard) -> ShardAddresses:
        base = self.bases.get(shard.id)
        for addresses in self._addresses:
            if addresses.base is base:
                return addresses
        self._addresses.append(ShardAddresses(self._known, base))
        return self._addresses[-1]


def _instance_of(found: FoundReplica) -> Instance:
    return Instance(found.host, found.port, Member(found.weight, priority=found.priority))
