"""Answers requests with replies that are kept, and keeps those that may be, as core/replies/cache decides.

Holds: a request is planned, and refused, before anything that is kept is looked at. Each worker keeps for itself, and
forgets what a change that it saw has made old.
Never: asks a shard: whoever answers otherwise does.
"""

from collections.abc import Callable, Collection, Iterable

from shardgate.core.errors import NothingKeptError
from shardgate.core.exchange import Exchange
from shardgate.core.http import NOT_IN_304, Reply, Request
from shardgate.core.limits import WRITE_BUFFER_BYTES_MAX
from shardgate.core.replies.cache import status as cache_status
from shardgate.core.replies.cache.directives import Directives
from shardgate.core.replies.cache.head import StoredHead
from shardgate.core.replies.cache.kept_replies import KeptReplies
from shardgate.core.replies.cache.keys import Key, key_of
from shardgate.core.replies.cache.status import Forwarded
from shardgate.core.replies.cache.stored_reply import StoredReply, stored_reply, validated
from shardgate.core.replies.cache.storing import request_directives, why_bypassed, why_not_kept
from shardgate.core.routes.route import Route
from shardgate.core.wire.conditions import conditional
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.recording import Named, RecordingClient
from shardgate.net import tasks
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now, wall
from shardgate.observe.meter import Meter

CarryOut = Callable[[Request, Client], None]
"""Plans a request, and carries it out for a client."""

Failed = Callable[[Exception], None]
"""Tells the client that its reply cannot be sent."""

# RFC 5861 section 4: what counts as an error.
_ERRORS = frozenset({500, 502, 503, 504})


class Caches:
    """What one worker keeps."""

    __slots__ = ("_conductor", "_meter", "_stores")

    def __init__(self, routes: Iterable[Route], conductor: Conductor, meter: Meter) -> None:
        self._stores = {
            route.name: KeptReplies(route.rule.cached)
            for route in routes
            if route.rule is not None and route.rule.cached is not None
        }
        self._conductor = conductor
        self._meter = meter

    def answer(
        self, request: Request, route: Route, client: Client, exchange: Exchange, ask: CarryOut, fail: Failed
    ) -> None:
        """Answer with what is kept, or ask the shards. Raises NothingKeptError, and what `ask` raises."""
        store = self._stores.get(route.name)
        if store is None or why_bypassed(request) is not None:
            self._meter.cached("bypass")
            ask(request, client)
            return
        lookup = Lookup(store, request, route, exchange, self._meter)
        entry, instant = lookup.entry, now()
        if entry is not None and (fit := entry.fit(lookup.asked, instant)) != "validate":
            self._meter.cached("hit" if fit == "fresh" else "stale")
            left_s = entry.left_s(instant)
            reply = lookup.reply(entry, cache_status.hit(left_s))
            if len(reply.body) <= WRITE_BUFFER_BYTES_MAX:
                client.send(reply)
            else:
                client.adopt(tasks.start(self._send(reply, request, client, fail), "stored reply"))
            return
        if lookup.asked.has(b"only-if-cached"):
            raise NothingKeptError("nothing that is kept answers this request")
        conditions = b"" if entry is None else entry.conditions()
        lookup.is_validating = bool(conditions)
        recording = RecordingClient(client, lookup, lambda: self._conductor.held.open("reply", exchange.peer))
        ask(conditional(request, conditions) if conditions else request, recording)

    def changed(self, request: Request, status: int) -> None:
        """A change is over. Where it was made, what is kept of its path is old."""
        if not 200 <= status < 400:
            return
        for store in self._stores.values():
            store.changed(request.path, now())

    async def _send(self, reply: Reply, request: Request, client: Client, fail: Failed) -> None:
        try:
            await self._conductor.deliver(reply, request, client)
        except Exception as error:
            fail(error)


class Lookup:
    """One request that is looked for among what is kept: the recorder of the reply that comes otherwise."""

    __slots__ = (
        "_asked_at",
        "_exchange",
        "_has_key",
        "_key",
        "_meter",
        "_not_here",
        "_request",
        "_store",
        "_why_not_kept",
        "asked",
        "bytes_max",
        "entry",
        "is_validating",
    )

    def __init__(self, store: KeptReplies, request: Request, route: Route, exchange: Exchange, meter: Meter) -> None:
        self._store = store
        self._request = request
        self._exchange = exchange
        self._meter = meter
        self._not_here = _unkept(route)
        self._key: Key = key_of(request)
        self._asked_at = now()
        self._why_not_kept: str | None = None
        self.asked: Directives = request_directives(request)
        """What the request says."""
        self.entry: StoredReply | None
        """What is kept for such a request; None: nothing."""
        self.entry, self._has_key = store.find(self._key, request)
        self.is_validating = False
        """The shards are asked whether the entry holds."""
        self.bytes_max = store.words.reply_bytes_max

    def instead(self, status: int, fields: Named) -> Reply | None:
        """What is kept, where the shards say that it holds, or say nothing of use."""
        entry, instant = self.entry, now()
        # It may be the reply to an equal request, which was asked for earlier (RFC 9111 section 4.2.3: `request_time`).
        self._asked_at = min(self._asked_at, instant - self._exchange.upstream_s)
        if entry is None:
            return None
        if status == 304 and self.is_validating:
            delay_s = instant - self._asked_at
            entry = validated(entry, self._request, fields, delay_s, instant, wall())
            if self._why_not(entry.reply.status, entry.reply.fields) is None:
                self._store.put(self._key, self._request.path, entry, self._asked_at)
            else:
                self._store.drop(self._key, self.entry or entry)
            self._meter.cached("validated")
            return self.reply(entry, cache_status.answered_by_stored(self._forwarded, status, entry.left_s(instant)))
        if status in _ERRORS and entry.answers_error(self.asked, self._store.words.stale_if_error_s, instant):
            self._meter.cached("stale")
            return self.reply(entry, cache_status.answered_by_stored("stale", status, entry.left_s(instant)))
        return None

    def wants(self, status: int, fields: Named, size: int) -> bool:
        """Whether the reply is to be kept, once it is whole. `size`: of its body, as far as it is known."""
        self._meter.cached("miss")
        self._why_not_kept = self._why_not(status, fields) or ("length" if size > self.bytes_max else None)
        if self._why_not_kept is not None and self.entry is not None and status not in _TELLING_NOTHING:
            self._store.drop(self._key, self.entry)  # the shards say something else now
        return self._why_not_kept is None

    def keep(self, reply: Reply) -> bool:
        """Keep the reply. Whether it is kept."""
        instant = now()
        entry = stored_reply(self._request, reply, instant - self._asked_at, instant, wall())
        return self._store.put(self._key, self._request.path, entry, self._asked_at)

    def status(self, *, stored: bool) -> bytes:
        """What Cache-Status says of the reply that passes."""
        return cache_status.forwarded(self._forwarded, stored=stored, not_kept=self._why_not_kept)

    def reply(self, entry: StoredReply, status: bytes) -> Reply:
        """What the client is sent of an entry: all of it, or that it has it already. `status`: for Cache-Status."""
        kept = entry.reply
        own = [(b"Age", b"%d" % min(entry.current_age_s(now()), _AGE_MAX)), (b"Cache-Status", status)]
        if kept.status == 200 and entry.is_known(self._request):
            return Reply(304, [field for field in kept.fields if field[0].lower() not in NOT_IN_304] + own)
        return Reply(kept.status, [*kept.fields, *own], kept.body, kept.reason)

    @property
    def _forwarded(self) -> Forwarded:
        if self.entry is None:
            return "vary-miss" if self._has_key else "uri-miss"
        return "request" if self.asked.has(b"no-cache", b"max-age", b"min-fresh") else "stale"

    def _why_not(self, status: int, fields: Named) -> str | None:
        return why_not_kept(self._request, StoredHead(status, fields), self._not_here, wall())


def _unkept(route: Route) -> Collection[int]:
    """The statuses whose replies are not kept: by which a shard says that it has not the key; of several shards, all
    refusals: what the others said of caches is not in them."""
    rule = route.rule
    if rule is None or rule.only_reads or rule.parts_space is not None:
        return _REFUSALS
    return rule.not_here if rule.finds_owner else ()


_REFUSALS = range(300, 600)
# A 304 to the client's own condition speaks of what the client has.
_TELLING_NOTHING = _ERRORS | {304}
# RFC 9111 section 1.2.2.
_AGE_MAX = 2**31
