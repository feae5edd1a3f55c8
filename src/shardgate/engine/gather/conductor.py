"""Carries out the plans that need more than one shard: it asks several shards at once, and gathers lists.

Holds: a list is never silently incomplete: a missing shard is an error that names it by its alias.
"""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from operator import attrgetter

from shardgate.core.contracts import Ask, Merging, Outcome
from shardgate.core.errors import DeadlineError, ShardgateError, TooComplexError
from shardgate.core.exchange import Exchange
from shardgate.core.failures.missing import replies_of, shards_missing
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.held import HeldBytes, Holding
from shardgate.core.http import Reply, Request
from shardgate.core.limits import (
    ASIDE_BYTES_MIN,
    ASIDE_STEPS_BYTES_MIN,
    FLOW_BYTES_MIN,
    QUICK_BYTES_MAX,
    WHOLE_MERGE_FACTOR,
    WRITE_BUFFER_BYTES_MAX,
    Limits,
)
from shardgate.core.lists.flow import Flow
from shardgate.core.lists.merging import ListMerging
from shardgate.core.paging.bounds import check_values
from shardgate.core.plan.plan import ToGather
from shardgate.core.replies.validators import Validators, has_none
from shardgate.core.routes.route import Plan, Route
from shardgate.core.topology import ShardId
from shardgate.core.wire.coding import packed_fields, takes_gzip
from shardgate.core.wire.forwarding import head_of
from shardgate.core.wire.packed_tags import as_known
from shardgate.engine.cluster import Cluster, Snapshot
from shardgate.engine.gather.aside import Aside, to_the_end
from shardgate.engine.gather.gathering import (
    Gathering,
    forget_keys,
    head_fields_of,
    learn_from,
    rows_asked,
    validation_of,
    with_own_fields,
)
from shardgate.engine.gather.long_reply import LongReply
from shardgate.engine.gather.passing_on import RunningFlow
from shardgate.engine.gather.round import PendingReply, Round
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now
from shardgate.net.turns import Turns

_body, _shard = attrgetter("body"), attrgetter("shard")

LACKING = "the list needs every shard; some did not answer"

# Compressing so much takes about 5 ms at the default level, for which other requests can wait.
PACKED_AT_ONCE_BYTES_MAX = 128 * 1024


class _NothingFollows:
    """The stream of a reply that has no body: it is never slower than its client."""

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass


_NOTHING_FOLLOWS = _NothingFollows()


class Ahead:
    """What was asked before its turn, at the same time as what came before it, and the outcomes."""

    __slots__ = ("asks", "outcomes")

    def __init__(self) -> None:
        self.asks: Sequence[Ask] = ()
        self.outcomes: Mapping[ShardId, Outcome] = {}

    def follow(self, asks: Sequence[Ask]) -> bool:
        """Whether there is anything to ask ahead, which is then noted."""
        self.asks = asks
        return bool(asks)


class Conductor:
    """Runs the rounds of one worker's searches for owners, and of its gathers."""

    __slots__ = ("_aside", "_body_bytes_max", "_bytes_max", "_calls_max", "_cluster", "held", "packs", "turns")

    def __init__(self, cluster: Cluster, limits: Limits, held: HeldBytes) -> None:
        self._cluster = cluster
        self._body_bytes_max = min(limits.reply_body_bytes_max, held.client_bytes_max)
        self._bytes_max = min(limits.merge_bytes_max, held.client_bytes_max // WHOLE_MERGE_FACTOR)
        self._calls_max = limits.calls_per_request_max
        self.held = held
        """What this worker holds."""
        self.packs = cluster.compress is not None
        """Whether replies may have to be compressed."""
        self.turns = Turns()
        """What is merged in steps, or waits while there is more to do than can be done."""
        self._aside = Aside()

    def work_of(self, plan: ToGather, snapshot: Snapshot, client: Client, exchange: Exchange) -> Gathering:
        """What a gather works with. Its holding must be closed."""
        lines = plan.request.fields.unconditional + client.hop
        holding = self.held.open("reply", exchange.peer)
        return Gathering(plan.route, plan.request, lines, snapshot, exchange, holding)

    async def gather(self, plan: ToGather, work: Gathering, client: Client, begun: Round | None = None) -> Plan | None:
        """Run the merge's rounds and send its reply; a long list is streamed.

        `begun`: the first round, where it is under way. Returns what is to be done instead, where a shard that was
        remembered does not know the client's credential. Raises ShardsMissingError, OverloadError, or what the merge
        raises; also after the reply has begun.
        """
        try:
            reply = await self._gathered(plan, work, client, begun)
        finally:
            work.holding.close()
        return None if reply is None else await self.answer(plan, work, reply, client)

    async def answer(self, plan: ToGather, work: Gathering, reply: Reply, client: Client) -> Plan | None:
        """Send the merged reply; or what is to be done instead, as `gather` says. Raises SlowClientError,
        OverloadError."""
        rule = plan.route.rule
        if plan.doubted is not None and rule is not None and reply.status in rule.not_here:
            work.snapshot.known.memory.forget(plan.recalled, plan.key)
            return plan.doubted
        if plan.by_head and not reply.body:
            # RFC 9110 section 9.3.2: the length of the GET's body is not known, so none is stated.
            client.begin(head_of(reply, None), b"", stream=_NOTHING_FOLLOWS)
            client.finish(b"")
        elif len(reply.body) <= WRITE_BUFFER_BYTES_MAX:
            client.send(reply)
        else:
            await self.deliver(reply, plan.request, client)
        return None

    async def deliver(self, reply: Reply, request: Request, client: Client) -> None:
        """Send a whole reply; a long one as its client reads it, counted as held until it is read.

        Raises SlowClientError, OverloadError.
        """
        if len(reply.body) <= WRITE_BUFFER_BYTES_MAX or request.sent_method == b"HEAD":
            client.send(reply)
            return
        holding = self.held.open("reply", client.peer)
        try:
            await LongReply(self._cluster, client, holding, self.turns).send(reply)
        finally:
            holding.close()

    def finished(
        self,
        plan: ToGather,
        work: Gathering,
        asks: Sequence[Ask],
        replies: Mapping[ShardId, Reply],
        merged: Reply,
    ) -> Reply:
        """The reply of a gather that took one round, with its own fields. Not where `packs`."""
        rule, validators, head_fields = work.route.rule, None, None
        if rule is None or not has_none(rule.validators, replies[asks[0].shard]):
            validators = Validators(validation_of(work))
            validators.add(asks, replies)
        if work.route.collects_head_fields:
            head_fields = head_fields_of(work, self._cluster.jar)
            head_fields.add(asks, replies)
        reply = with_own_fields(work, merged, validators, plan.merging, head_fields)
        merging = plan.merging
        learn_from(plan, work.snapshot, merging.learned())
        if isinstance(merging, ListMerging):
            work.exchange.rows_asked = merging.rows_asked
        return reply

    async def _gathered(self, plan: ToGather, work: Gathering, client: Client, begun: Round | None) -> Reply | None:
        """The reply; None where it was streamed."""
        merging = plan.merging
        # A pruned guess is verified only once all rows have come, so nothing is sent before. HEAD never streams.
        flows_to = None if work.request.sent_method == b"HEAD" else client
        outcome = await self._merge(merging, work, flows_to if plan.instead is None else None, begun)
        if outcome is not None and plan.instead is not None and plan.pruned is not None:
            shown = {key for key, _ in merging.learned()}
            if not plan.pruned.hoped <= shown:
                forget_keys(plan, work.snapshot, plan.pruned.hoped - shown)
                merging = plan.instead
                outcome = await self._merge(merging, work, flows_to, None)
        learn_from(plan, work.snapshot, merging.learned())
        work.exchange.rows_asked = rows_asked(plan.merging)
        return None if outcome is None else await self.packed(outcome, plan.request)

    async def _merge(
        self, merging: Merging, work: Gathering, client: Client | None, begun: Round | None
    ) -> Reply | None:
        """Run rounds until the merge has its reply; None where the reply was streamed.

        `client`: where the reply may be streamed to; None: the reply must be whole.
        """
        validators = Validators(validation_of(work))
        head_fields = head_fields_of(work, self._cluster.jar) if work.route.collects_head_fields else None
        asks = merging.asks()
        ahead = Ahead()
        rounds_began_at = 0.0
        outcomes: Mapping[ShardId, Outcome] | Reply | None
        while True:
            outcomes = await self._round(asks, work, merging, client, ahead, begun)
            begun = None
            if outcomes is None or isinstance(outcomes, Reply):
                return outcomes
            replies = replies_of(outcomes, work.snapshot.known.topology.shards, LACKING)
            validators.add(asks, replies)
            if head_fields is not None:
                head_fields.add(asks, replies)
            outcome = await self.taken(merging, replies, work)
            if isinstance(outcome, Reply):
                if outcome.status >= 300:
                    self._cluster.reporter.passed_on(replies, outcome.status, work.exchange)
                return with_own_fields(work, outcome, validators, merging, head_fields)
            asks = outcome
            if not rounds_began_at:
                rounds_began_at = now()
            elif now() - rounds_began_at > self._cluster.merge_s:
                log = f"its rounds took longer than merge_timeout_s ({self._cluster.merge_s:g} s)"
                raise DeadlineError("the list could not be merged in time", log=log)

    async def _round(
        self,
        asks: Sequence[Ask],
        work: Gathering,
        merging: Merging,
        client: Client | None,
        ahead: Ahead,
        begun: Round | None,
    ) -> Mapping[ShardId, Outcome] | Reply | None:
        """The outcomes of the next round; or what `_flow_or_ask` gives, where the list may be streamed."""
        if isinstance(merging, ListMerging):
            if ahead.asks and asks == ahead.asks:
                ahead.asks = ()
                return ahead.outcomes
            if ahead.follow(merging.ahead()):
                outcomes, ahead.outcomes = await self.ask_both(asks, ahead.asks, work)
                return outcomes
            if client is not None and (flow_bytes_min := merging.flow_bytes_min) is not None:
                calls = self.start(asks, work, flow_bytes_min) if begun is None else begun
                return await self._flow_or_ask(asks, work, merging, client, calls)
        return await (self._ask(asks, work) if begun is None else self.outcomes(begun, work))

    async def taken(self, merging: Merging, replies: Mapping[ShardId, Reply], work: Gathering) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round. Raises what the merge raises."""
        size = sum(map(len, map(_body, replies.values())))
        before = work.holding.size - size
        if size >= ASIDE_BYTES_MIN or before >= FLOW_BYTES_MIN:
            return await self._taken_long(merging, replies, work, size, before)
        if self.turns.paces:
            return await self.turns.run(_in_turn(merging, replies), work.rank)
        return merging.take(replies)

    async def _taken_long(
        self, merging: Merging, replies: Mapping[ShardId, Reply], work: Gathering, size: int, before: int
    ) -> Reply | Sequence[Ask]:
        """Merge long replies without holding up other requests: in steps, or else on a thread.

        `before`: what is held of earlier rounds, whose rows are read again.
        """
        is_plain = isinstance(merging, ListMerging) and merging.is_plain
        if is_plain and before + size < FLOW_BYTES_MIN:
            return merging.take(replies)
        work.holding.take((WHOLE_MERGE_FACTOR - 1) * size)
        work.holding.begun = True  # nearer to its end than any gather that still waits for shards
        if before >= FLOW_BYTES_MIN:
            return await self._aside.run(partial(_taken_whole, merging, replies))
        if isinstance(merging, ListMerging) and merging.is_short and size < QUICK_BYTES_MAX:
            reply = await self.turns.run(_in_one_step(merging, replies), work.rank)
            if reply is not None:
                return reply
        if isinstance(merging, ListMerging) and merging.is_plain:
            steps = merging.take_in_steps(replies)
            if size < ASIDE_STEPS_BYTES_MIN:
                return await self.turns.run(steps, work.rank)
            return await self._aside.run(partial(to_the_end, steps))
        return await self._aside.run(partial(_taken_whole, merging, replies))

    async def _ask(
        self, asks: Sequence[Ask], work: Gathering, *, needs_all: bool = True, body_bytes_max: int | None = None
    ) -> Mapping[ShardId, Outcome]:
        """Run one round, and note how long it took."""
        calls = self.start(asks, work, None, needs_all=needs_all, body_bytes_max=body_bytes_max)
        return await self.outcomes(calls, work)

    async def ask_both(
        self, asks: Sequence[Ask], ahead: Sequence[Ask], work: Gathering, *, tolerant: bool = False
    ) -> tuple[Mapping[ShardId, Outcome], Mapping[ShardId, Outcome]]:
        """Send what is asked now and what is asked next at the same time: one round, with two calls of a shard."""
        first = self.start(asks, work, None, tolerant=tolerant)
        second = None
        try:
            second = self.start(ahead, work, None, tolerant=tolerant)
            work.exchange.rounds -= 1
            return await first.outcomes(), await second.outcomes()
        finally:
            first.cancel()
            if second is not None:
                second.cancel()
                if second.done.done() and not second.done.cancelled():
                    second.done.exception()  # looked at, also where the first one has failed
            work.exchange.upstream_s += now() - first.began_at

    async def outcomes(self, calls: Round, work: Gathering) -> Mapping[ShardId, Outcome]:
        """Wait for the outcome of each call, and note how long it took."""
        try:
            return await calls.outcomes()
        finally:
            calls.cancel()
            work.exchange.upstream_s += now() - calls.began_at

    async def _flow_or_ask(
        self, asks: Sequence[Ask], work: Gathering, merging: ListMerging, client: Client, calls: Round
    ) -> Mapping[ShardId, Outcome] | Reply | None:
        """The only round of a list that may be streamed.

        None where the replies were large and were streamed; a 304 where their heads say that the client has them
        already; otherwise the outcomes.
        """
        try:
            if await calls.is_large():
                heads = calls.heads()
                begun = merging.flow(heads)
                if begun is not None:
                    work.exchange.upstream_s += now() - calls.began_at
                    reply, flow = begun
                    validators, head_fields = Validators(validation_of(work)), None
                    validators.add(asks, heads, are_whole=False)
                    if work.route.collects_head_fields:
                        head_fields = head_fields_of(work, self._cluster.jar)
                        head_fields.add(asks, heads)
                    reply = with_own_fields(work, reply, validators, merging, head_fields)
                    if reply.status == 304:
                        return reply
                    await _pass_on(self.running(flow, work, client), work, reply, calls.coming())
                    merging.flowed()
                    return None
                calls.keep_waiting()
            outcomes = await calls.outcomes()
            work.exchange.upstream_s += now() - calls.began_at
            return outcomes
        finally:
            calls.cancel()

    def running(self, flow: Flow, work: Gathering, client: Client) -> RunningFlow:
        """A flow to this client, which takes turns with the others of this worker."""
        return RunningFlow(self._cluster, client, flow, work.holding, self.turns, work.rank)

    def start(
        self,
        asks: Sequence[Ask],
        work: Gathering,
        large_bytes: int | None,
        *,
        needs_all: bool = True,
        body_bytes_max: int | None = None,
        tolerant: bool = False,
    ) -> Round:
        """Begin a round. `needs_all`, `tolerant`: as for Round. Raises TooComplexError."""
        exchange = work.exchange
        exchange.calls += len(asks)
        exchange.rounds += 1
        if exchange.calls > self._calls_max:
            self.check_calls(exchange, 0)
        exchange.shards = exchange.shards or list(map(_shard, asks))
        calls = Round(
            self._cluster,
            self._body_bytes_max if body_bytes_max is None else min(body_bytes_max, self._body_bytes_max),
            work.holding,
            large_bytes=large_bytes,
            bytes_max=self._bytes_max,
            needs_all=needs_all and not tolerant,
            tolerant=tolerant,
        )
        calls.words = work.route.calls
        calls.start(asks, work.request.fields.host, work.lines, exchange.request_id)
        return calls

    def check_calls(self, exchange: Exchange, more: int) -> None:
        """Raises TooComplexError where a request that needs so many more calls would take too many."""
        if exchange.calls + more > self._calls_max:
            raise TooComplexError(
                f"the request needs more than {self._calls_max} calls to shards; ask for less at once",
                log=f"it has taken or begun {exchange.calls} calls, and needs {more} more",
                budget="shard_calls",
            )

    def note(self, error: ShardgateError, exchange: Exchange) -> None:
        """Log a shard's fault that does not fail the request."""
        self._cluster.reporter.log(error, exchange)

    @property
    def merged_bytes_max(self) -> int:
        """How large the replies to one request may be together."""
        return self._bytes_max

    async def unpacked(self, reply: Reply, holding: Holding) -> Reply:
        """The reply without its coding, counted by the holding. Raises BrokenReplyError, ReplyTooLargeError,
        OverloadError."""
        return await self._cluster.unpacker.unpack(reply, self._body_bytes_max, holding)

    async def packed(self, reply: Reply, request: Request) -> Reply:
        """The reply, compressed where the client takes that; a long body is compressed on a thread of its own."""
        compress = self._cluster.compress
        if compress is not None and reply.status == 304:
            # RFC 9110 section 15.4.5: the Vary of its 200, and its tag.
            reply.fields = as_known(packed_fields(reply.fields, is_packed=False), request.fields.packed_tags)
        if compress is None or not compress.may_pack(reply.status, reply.fields, len(reply.body)):
            return reply
        if packs := takes_gzip(request.fields):
            is_long = len(reply.body) > PACKED_AT_ONCE_BYTES_MAX
            reply.body = await asyncio.to_thread(compress.pack, reply.body) if is_long else compress.pack(reply.body)
        reply.fields = packed_fields(reply.fields, is_packed=packs)
        return reply

    async def ask_each(
        self,
        asks: Sequence[Ask],
        route: Route,
        request: Request,
        snapshot: Snapshot,
        lines: bytes,
        exchange: Exchange,
        *,
        body_bytes_max: int | None = None,
    ) -> Mapping[ShardId, Outcome]:
        """Ask several shards once, and wait for the outcome of each call, also where some fail.

        `lines`: the header lines. `body_bytes_max`: of each reply. Raises OverloadError, TooComplexError.
        """
        holding = self.held.open("reply", exchange.peer)
        try:
            work = Gathering(route, request, lines, snapshot, exchange, holding)
            return await self._ask(asks, work, needs_all=False, body_bytes_max=body_bytes_max)
        finally:
            holding.close()


def _in_one_step(merging: ListMerging, replies: Mapping[ShardId, Reply]) -> Generator[None, None, Reply | None]:
    """The merged reply by the short way, which is one step; None: it is taken in another way."""
    yield from ()
    return merging.at_once(replies)


def _in_turn(merging: Merging, replies: Mapping[ShardId, Reply]) -> Generator[None, None, Reply | Sequence[Ask]]:
    """What the merge makes of short replies, in one step."""
    yield from ()
    return merging.take(replies)


def _taken_whole(merging: Merging, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
    """What the merge makes of long replies. Raises ReplyTooLargeError, and what the merge raises."""
    for shard, reply in replies.items():
        with of_shard(shard):
            check_values(reply.body)
    return merging.take(replies)


async def _pass_on(running: RunningFlow, work: Gathering, reply: Reply, coming: Sequence[PendingReply]) -> None:
    """Stream the rows."""
    try:
        await running.run(reply, work.request, coming)
    except ShardgateError as error:
        if running.begun or running.failed is None or not error.no_reply:
            raise
        raise shards_missing({running.failed: error}, work.snapshot.known.topology.shards, LACKING) from error
