"""What is true now: one snapshot of topology and routes, swapped whole, and the connections to each shard.

Holds: a request looks at one snapshot from its first step to its last.
"""

import logging
from collections.abc import Iterator

import msgspec

from shardgate.core.contracts import Known
from shardgate.core.errors import ShardDownError, ShardgateError
from shardgate.core.failures.outages import Outages
from shardgate.core.http import Request
from shardgate.core.limits import PAGES_REMEMBERED_MAX, Limits, Timeouts
from shardgate.core.lists.positions import PagePositions
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.routes.route import Routes
from shardgate.core.routes.table import RouteTable
from shardgate.core.topology import Shard, ShardId, Topology
from shardgate.core.value import Value
from shardgate.core.wire.coding import Compress
from shardgate.engine.report import Reporter
from shardgate.net.clock import now
from shardgate.net.tls import Tls, for_shards
from shardgate.net.upload import Upload
from shardgate.net.upstream.call import Call, Patience, ReplySink
from shardgate.net.upstream.dialler import Dialler
from shardgate.net.upstream.pool import Pool, PoolSettings
from shardgate.net.watch import Watch
from shardgate.observe.meter import Meter

_log = logging.getLogger("shardgate")


class Snapshot(Value, frozen=True):
    """Everything that a decision looks at."""

    routes: RouteTable
    known: Known
    method_override: str | None
    method_override_header: bytes | None


def first_snapshot(routes: Routes, topology: Topology, limits: Limits) -> Snapshot:
    """A snapshot in which nothing was learned yet."""
    known = Known(topology, LearnedKeys(limits.learned_keys_max), PagePositions(PAGES_REMEMBERED_MAX))
    header = routes.method_override_header
    return Snapshot(RouteTable(routes), known, routes.method_override, header.lower().encode() if header else None)


class Cluster:
    """The shards of one worker."""

    __slots__ = (
        "_limits",
        "_meter",
        "_outages",
        "_pools",
        "_relay_patience",
        "_timeouts",
        "_watch",
        "_whole_patience",
        "compress",
        "reply_idle_s",
        "reporter",
        "snapshot",
        "stream_idle_s",
        "tls",
    )

    def __init__(
        self,
        routes: Routes,
        topology: Topology,
        limits: Limits,
        timeouts: Timeouts,
        watch: Watch,
        compress: Compress | None,
        meter: Meter,
    ) -> None:
        self._meter = meter
        self._outages = Outages()
        self.reporter = Reporter()
        """Logs what fails."""
        self._limits = limits
        self._timeouts = timeouts
        reply_s, first_byte_s = (
            timeouts.request_timeout_s,
            min(timeouts.first_byte_timeout_s, timeouts.request_timeout_s),
        )
        self._whole_patience = Patience(reply_s, first_byte_s=first_byte_s, clock=watch.now)
        self._relay_patience = Patience(
            reply_s, timeouts.reply_idle_timeout_s, timeouts.request_total_timeout_s, first_byte_s, watch.now
        )
        self._watch = watch
        self.compress = compress
        """How replies are packed for clients; None: not at all."""
        self.tls: list[Tls] = []
        """What is spoken to shards in, to be refreshed."""
        self.reply_idle_s = timeouts.reply_idle_timeout_s
        self.stream_idle_s = timeouts.stream_idle_timeout_s
        self._pools = {shard.id: self._pool(shard) for shard in topology.shards.values()}
        self.snapshot = first_snapshot(routes, topology, limits)

    def replace_directory(self, topology: Topology) -> None:
        """Swap in a topology of the same shards: who owns what has changed."""
        known = Known(topology, self.snapshot.known.memory, PagePositions(PAGES_REMEMBERED_MAX))
        self.snapshot = msgspec.structs.replace(self.snapshot, known=known)

    def relay(
        self, shard: ShardId, head: bytes, request: Request, sink: ReplySink, upload: Upload | None, offers: bytes
    ) -> Call:
        """Send a client's request to one shard; the sink receives the reply as it comes, or why there is none."""
        method, body, patience = request.sent_method, request.body, self._relay_patience
        call = Call(head, body, sink, patience, method=method, upload=upload, offers=offers)
        self._pools[shard].start(call)
        return call

    def read(self, shard: ShardId, head: bytes, body: bytes, sink: ReplySink, method: bytes) -> Call:
        """Send a request of the gateway's own to one shard, whose reply must be whole in time.

        It changes nothing, also where it is a POST: so it may be repeated.
        """
        call = Call(head, body, sink, self._whole_patience, method=method)
        call.repeatable = True
        self._pools[shard].start(call)
        return call

    def change(self, shard: ShardId, head: bytes, body: bytes, sink: ReplySink, method: bytes) -> Call:
        """Send a request that may change something; its reply must be whole in time.

        It is not repeated, unless its method says that it may be: whoever sends it decides that.
        """
        call = Call(head, body, sink, self._whole_patience, method=method)
        self._pools[shard].start(call)
        return call

    def streams(self, call: Call) -> None:
        """The reply to a call of the gateway's own passes on while it comes, as long as it moves."""
        call.may_stream(self._relay_patience)

    def replied(self, shard: ShardId, call: Call) -> float:
        """The head of a shard's reply has come; how long it took, in seconds."""
        took_s = self._watch.now() - call.started_at
        self._meter.replied(shard, took_s)
        if self._outages.any and (line := self._outages.replied(shard, now())) is not None:
            _log.warning("%s", line)
        return took_s

    def failed(self, shard: ShardId, error: ShardgateError) -> None:
        """A shard gave no whole reply: from here on the error says which shard."""
        error.shard = error.shard or shard
        self._meter.failed(shard, error)
        why, connected = error.log or error.detail, not isinstance(error, ShardDownError)
        if (line := self._outages.failed(shard, why, now(), connected=connected)) is not None:
            _log.warning("%s", line)

    def pools(self) -> Iterator[tuple[ShardId, int, int, int, int]]:
        """Of each shard: its connections, those that are idle, the calls that wait, and how many have ever waited."""
        return iter([(shard, *pool.figures()) for shard, pool in self._pools.items()])

    def close(self) -> None:
        """Close what is idle."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, shard: Shard) -> Pool:
        tls = Tls(shard.tls, for_shards) if shard.tls is not None else None
        if tls is not None:
            self.tls.append(tls)
        limits, timeouts = self._limits, self._timeouts
        settings = PoolSettings(
            limits.connections_per_shard_max,
            limits.waiting_per_shard_max,
            timeouts.shard_idle_timeout_s,
        )
        return Pool(Dialler(shard.host, shard.port, tls, timeouts.connect_timeout_s), self._watch, settings)
