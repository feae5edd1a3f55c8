"""What is true now: one snapshot of topology and routes, swapped whole, and the connections to each shard.

Holds: a request looks at one snapshot from its first step to its last.
"""

import msgspec

from shardgate.core.contracts import Known
from shardgate.core.limits import Limits, Timeouts
from shardgate.core.locate.learned import LearnedKeys
from shardgate.core.routes.route import Routes
from shardgate.core.routes.table import RouteTable
from shardgate.core.topology import ShardId, Topology
from shardgate.net.clock import now
from shardgate.net.pool import Pool
from shardgate.net.upstream import Call, ReplySink
from shardgate.net.watch import Watch


class Snapshot(msgspec.Struct, frozen=True):
    """Everything that a decision looks at."""

    routes: RouteTable
    known: Known
    method_override: str | None
    method_override_header: bytes | None


class Cluster:
    """The shards of one worker."""

    __slots__ = ("_limits", "_pools", "_timeouts", "_watch", "snapshot")

    def __init__(self, routes: Routes, topology: Topology, limits: Limits, timeouts: Timeouts, watch: Watch) -> None:
        self._limits = limits
        self._timeouts = timeouts
        self._watch = watch
        self._pools = {shard.id: self._pool(shard.host, shard.port) for shard in topology.shards.values()}
        known = Known(topology, LearnedKeys(limits.learned_keys_max))
        header = routes.method_override_header
        self.snapshot = Snapshot(
            RouteTable(routes), known, routes.method_override, header.lower().encode() if header else None
        )

    def replace_directory(self, topology: Topology) -> None:
        """Swap in a topology of the same shards: who owns what has changed."""
        known = Known(topology, self.snapshot.known.memory)
        self.snapshot = msgspec.structs.replace(self.snapshot, known=known)

    def call(self, shard: ShardId, head: bytes, body: bytes, sink: ReplySink, method: bytes) -> Call:
        """Send one request to one shard; the sink receives the reply, or why there is none."""
        deadline_at = now() + self._timeouts.request_timeout_s
        call = Call(head, body, sink, method=method, deadline_at=deadline_at)
        self._pools[shard].start(call)
        return call

    def close(self) -> None:
        """Close what is idle."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, host: str, port: int) -> Pool:
        return Pool(
            host,
            port,
            watch=self._watch,
            connections_max=self._limits.connections_per_shard_max,
            waiting_max=self._limits.waiting_per_shard_max,
            connect_timeout_s=self._timeouts.connect_timeout_s,
            idle_timeout_s=self._timeouts.shard_idle_timeout_s,
        )
