"""The shards as one worker sees them: the snapshot of topology and routes, and the connections to each shard.

Holds: a request uses one snapshot from its first step to its last. A new snapshot replaces the old one whole.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from shardgate.core.clients.masking import MASK
from shardgate.core.contracts import Known
from shardgate.core.errors import DeclaredFailureError, ShardDownError, ShardgateError
from shardgate.core.failures.outages import Outages
from shardgate.core.http import Request
from shardgate.core.limits import PAGES_REMEMBERED_MAX, Limits, Timeouts
from shardgate.core.lists.positions import PageTable, alone
from shardgate.core.locate import comparisons
from shardgate.core.locate.compare import ComparedMemory
from shardgate.core.locate.memory import LearnedKeys, OnDispute
from shardgate.core.routes.calls import CallWords
from shardgate.core.routes.route import Routes, chains_of, secret_spaces
from shardgate.core.routes.table import RouteTable
from shardgate.core.topology import ShardId, Topology
from shardgate.core.wire.base_path import BasePath
from shardgate.core.wire.coding import Compress
from shardgate.core.wire.cookie_jar import CookieJar
from shardgate.engine.failover import Awaited, CallsOfShard, FailoverQueue
from shardgate.engine.jar_sink import JarSink
from shardgate.engine.judged_sink import JudgedSink
from shardgate.engine.report import Reporter
from shardgate.engine.unpacking import Unpacker
from shardgate.engine.upstreams import Upstream, Upstreams
from shardgate.net.clock import now
from shardgate.net.upload import Upload
from shardgate.net.upstream.call import Call, Patience, ReplySink
from shardgate.net.watch import Watch
from shardgate.observe.meter import Meter

_log = logging.getLogger("shardgate")

IGNORED: Final = "ignored"
"""Stands for the name of a header, parameter or member where the application reads no method in any."""


class Snapshot:
    """Everything that a decision depends on. Never changed. A class, no struct: see decision 54."""

    def __init__(
        self,
        routes: RouteTable,
        known: Known,
        method_override: str | None,
        method_override_header: bytes | None,
        method_override_member: str | None,
        guards_query: bool,
        guards_body: bool,
    ) -> None:
        self.routes = routes
        self.known = known
        self.method_override = method_override
        self.method_override_header = method_override_header
        self.method_override_member = method_override_member
        self.guards_query = guards_query
        """Nobody has said whether the application reads a method in the query of a POST."""
        self.guards_body = guards_body
        """The same of its body."""

    def knowing(self, known: Known) -> "Snapshot":
        """The same where something else is known."""
        return Snapshot(
            self.routes,
            known,
            self.method_override,
            self.method_override_header,
            self.method_override_member,
            self.guards_query,
            self.guards_body,
        )


def first_snapshot(
    routes: Routes,
    topology: Topology,
    limits: Limits,
    on_dispute: OnDispute | None = None,
    pages: PageTable | None = None,
) -> Snapshot:
    """A snapshot in which nothing was learned yet. `on_dispute`: called where two shards show one key.

    `pages`: where pages ended; None: a table of its own.
    """
    learned, how = LearnedKeys(limits.learned_keys_max, on_dispute), comparisons(chains_of(routes))
    memory = ComparedMemory(learned, how) if how else learned
    table = pages or alone(PAGES_REMEMBERED_MAX)
    known = Known(topology, memory, table.at(topology.epoch, topology.ids))
    query, header, member = routes.method_override, routes.method_override_header, routes.method_override_member
    return Snapshot(
        RouteTable(routes),
        known,
        None if query == IGNORED else query,
        header.lower().encode() if header else None,
        None if member == IGNORED else member,
        guards_query=query is None,
        guards_body=member is None,
    )


class Cluster:
    """The shards of one worker."""

    __slots__ = (
        "_bases",
        "_meter",
        "_outages",
        "_pages",
        "_pools",
        "_relay_patience",
        "_relayed",
        "_rewrites",
        "_secret_spaces",
        "_silent",
        "_upstreams",
        "_watch",
        "_whole_patience",
        "compress",
        "deadline_at",
        "failovers",
        "jar",
        "merge_s",
        "reply_idle_s",
        "reporter",
        "snapshot",
        "stream_idle_s",
        "tls",
        "unpacker",
    )

    def __init__(
        self,
        routes: Routes,
        topology: Topology,
        limits: Limits,
        timeouts: Timeouts,
        upstreams: Upstreams,
        compress: Compress | None,
        meter: Meter,
    ) -> None:
        watch = upstreams.watch
        self._meter = meter
        self._outages = Outages()
        self.reporter = Reporter(meter.refused)
        """Logs what fails."""
        self.unpacker = Unpacker()
        reply_s, first_byte_s = (
            timeouts.request_timeout_s,
            min(timeouts.first_byte_timeout_s, timeouts.request_timeout_s),
        )
        self._whole_patience = Patience(reply_s, first_byte_s=first_byte_s, watch=watch)
        self._relay_patience = Patience(
            reply_s, timeouts.reply_idle_timeout_s, timeouts.request_total_timeout_s, first_byte_s, watch
        )
        self._watch = watch
        self._silent: frozenset[ShardId] = frozenset()
        self.deadline_at = 0.0
        watch.add(self)
        self.compress = compress
        """How replies are compressed for clients; None: they are not."""
        self.jar: CookieJar | None = None
        """The cookies that each shard sets for itself; None: there are none."""
        self.reply_idle_s = timeouts.reply_idle_timeout_s
        self.merge_s = timeouts.merge_timeout_s
        self.stream_idle_s = timeouts.stream_idle_timeout_s
        self._upstreams = upstreams
        self._pools = upstreams.by_shard
        self.failovers = {
            shard.id: FailoverQueue(shard.id, shard.failover, self._pools[shard.id], watch, meter)
            for shard in topology.shards.values()
            if shard.failover is not None
        }
        """Where requests wait for a shard that cannot be reached."""
        # Where no shard has such a queue, relays go where all calls go.
        self._relayed: Mapping[ShardId, CallsOfShard] = (
            {**self._pools, **self.failovers} if self.failovers else self._pools
        )
        self._bases: dict[ShardId, BasePath] = upstreams.bases
        self._rewrites = bool(self._bases)
        self.tls = upstreams.tls
        """The TLS contexts of connections to shards, to be refreshed."""
        self._secret_spaces = secret_spaces(routes)
        self._pages = alone(PAGES_REMEMBERED_MAX)
        self.snapshot = first_snapshot(routes, topology, limits, self._disputed, self._pages)

    def share_pages(self, pages: PageTable) -> None:
        """Remember where pages ended in the memory of all workers."""
        self._pages = pages
        self.replace_directory(self.snapshot.known.topology)

    def replace_directory(self, topology: Topology) -> None:
        """Replace the topology by one of the same shards with another directory."""
        pages = self._pages.at(topology.epoch, topology.ids)
        known = Known(topology, self.snapshot.known.memory, pages)
        self.snapshot = self.snapshot.knowing(known)

    def relay(
        self,
        shard: ShardId,
        head: bytes,
        request: Request,
        sink: ReplySink,
        upload: Upload | None,
        offers: bytes,
        words: CallWords | None = None,
    ) -> Call:
        """Send a client's request to one shard; the sink receives the reply as it comes, or the error.

        `words`: what its rule says of its calls.
        """
        if self._rewrites:
            head, sink = self._rewritten(shard, head, sink)
        method, body, patience = request.sent_method, request.body, self._relay_patience
        call = Call(head, body, sink, patience, method=method, upload=upload, offers=offers)
        if words is not None:
            _apply(words, call)
        self._relayed[shard].start(call)
        return call

    def read(
        self,
        shard: ShardId,
        head: bytes,
        body: bytes,
        sink: ReplySink,
        method: bytes,
        words: CallWords | None = None,
    ) -> Call:
        """Send a request of the gateway's own that only reads; its reply must be whole within the request timeout.

        It may be repeated, even a POST. `words`: what its rule says of its calls.
        """
        if self._rewrites:
            head, sink = self._rewritten(shard, head, sink)
        call = Call(head, body, sink, self._whole_patience, method=method)
        if not call.reads:
            call.reads = call.repeatable = True
        if words is not None:
            if words.failure_is:
                call.sink = judged = JudgedSink(sink, words.failure_is, _nobody_else)
                judged.call = call
            _apply(words, call)
        self._pools[shard].start(call)
        return call

    def declared(self, shard: ShardId, error: ShardgateError) -> None:
        """Count a reply that says in its body that it failed, and that is passed on or retried."""
        error.shard = shard
        self._meter.failed(shard, error)

    def _declared(self, shard: ShardId, why: str) -> bool:
        """A change says in its body that it failed. It is not sent to another shard."""
        self.declared(shard, DeclaredFailureError("the shard says that the request failed", log=why))
        return False

    def alone(self, shard: ShardId) -> Sequence[Upstream]:
        """Each instance of a shard that takes changes, by itself."""
        return self._pools[shard].alone()

    def change(
        self,
        shard: ShardId,
        head: bytes,
        body: bytes,
        sink: ReplySink,
        method: bytes,
        upstream: Upstream | None = None,
        words: CallWords | None = None,
    ) -> Call:
        """Send a request that may change something; its reply must be whole within the request timeout.

        It is repeated only where its method allows it. `upstream`: the one of `alone` that it is for. `words`: what its
        rule says of its calls; what it says of retries is for requests that are relayed.
        """
        if self._rewrites:
            head, sink = self._rewritten(shard, head, sink)
        call = Call(head, body, sink, self._whole_patience, method=method)
        if words is not None:
            if words.failure_is:
                call.sink = judged = JudgedSink(sink, words.failure_is, partial(self._declared, shard))
                judged.call = call
            if words.failures_max is not None:
                call.count_failures(words.failures_max)
        (upstream or self._pools[shard]).start(call)
        return call

    @property
    def watch(self) -> Watch:
        """All that waits in this worker."""
        return self._watch

    def now(self) -> float:
        """The time on the clock of the deadlines."""
        return self._watch.now()

    def came_at(self, call: Call) -> float:
        """When the request of a relay came that was sent by this call, maybe the last of several."""
        return call.begins_by - self._relay_patience.reply_s

    def awaited(self, shard: ShardId, size: int) -> Awaited | None:
        """What waits for a shard that cannot be reached; None: nobody waits for it."""
        queue = self.failovers.get(shard)
        return None if queue is None else Awaited(queue, self._watch.now(), size)

    def silent_last(self, shards: list[ShardId]) -> list[ShardId]:
        """The shards, those last that answer nothing at present."""
        silent = self._silent
        return sorted(shards, key=silent.__contains__) if silent else shards

    def use_jar(self, jar: CookieJar | None) -> None:
        """Keep the cookies that each shard sets for itself in this jar."""
        self.jar = jar
        self._rewrites = jar is not None or bool(self._bases)

    def _rewritten(self, shard: ShardId, head: bytes, sink: ReplySink) -> tuple[bytes, ReplySink]:
        """The head with the shard's own cookies and its base path, and a sink that takes in the cookies it sets."""
        if self.jar is not None:
            head, held = self.jar.unpacked(shard, head)
            sink = JarSink(self.jar, shard, held, sink)
        base = self._bases.get(shard)
        return head if base is None else base.joined(head), sink

    def streams(self, call: Call) -> None:
        """From now on the call's reply is streamed to a client: it may take long, as long as bytes arrive."""
        call.may_stream(self._relay_patience)

    def replied(self, shard: ShardId, call: Call) -> float:
        """Note that the head of a shard's reply has come. Returns how long it took, in seconds."""
        took_s = self._watch.now() - call.started_at
        self._meter.replied(shard, took_s)
        if self._outages.any and (line := self._outages.replied(shard, now())) is not None:
            _log.warning("%s", line)
        return took_s

    def failed(self, shard: ShardId, error: ShardgateError) -> None:
        """Note that a shard gave no whole reply. From here on the error names the shard."""
        error.shard = error.shard or shard
        self._meter.failed(shard, error)
        why, connected = error.log or error.detail, not isinstance(error, ShardDownError)
        if (line := self._outages.failed(shard, why, now(), connected=connected)) is not None:
            _log.warning("%s", line)

    def _disputed(self, space: str, key: str, before: ShardId, shard: ShardId) -> None:
        """Note that a shard showed a key that another had shown: one of them lies, or the key has moved."""
        self._meter.disputed(shard)
        self.reporter.disputed(space, MASK if space in self._secret_spaces else key, before, shard)

    @property
    def is_checked(self) -> bool:
        """Whether something is known of each replica that has a health check."""
        return self._upstreams.are_checked

    def pools(self) -> Iterator[tuple[ShardId, int, int, int, int]]:
        """For each shard: open connections, idle connections, waiting calls, and calls that have ever waited."""
        return iter([(shard, *pool.figures()) for shard, pool in self._pools.items()])

    def expire(self) -> None:
        """Each tick: tell which shards have begun to take requests and answer none."""
        silent = frozenset([shard for shard, pool in self._pools.items() if pool.is_silent])
        for shard in silent - self._silent:
            if (line := self._outages.silent(shard, now())) is not None:
                _log.warning("%s", line)
        self._silent = silent

    def close(self) -> None:
        """Close the idle connections, and check no more replicas."""
        self._watch.discard(self)
        self._upstreams.close()


def _apply(words: CallWords, call: Call) -> None:
    """What the rule says of its calls is said of this one. A body that still arrives can be sent only once."""
    if words.retry == "unsent":
        call.repeatable = False
    elif words.retry == "idempotent":
        call.repeatable = call.upload is None
    if words.hedge_after_s:
        call.hedge_after(words.hedge_after_s)
    if words.failures_max is not None:
        call.count_failures(words.failures_max)


def _nobody_else(why: str) -> bool:
    return False
