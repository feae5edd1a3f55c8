"""Gathers whose reply may lack shards: those that do not answer are left out, and the reply says so.

    round ──► a shard is missing ──► the merge begins anew without it ──► takes the replies that have come, if they fit

Holds: while all shards answer, the reply is the one that a gather which needs every shard gives, byte for byte. A reply
that lacks shards is exactly that of the others. It is a list: where what is left is a refusal, such as a 404 or a page
behind the end, the missing shard might have had it, so that the client is told that shards are missing (SG2004).
Whether a list that streams lacks shards is known before its head is sent: later it breaks off, as any other.
Never: remembers where the pages of such a list begin, or gives it a validator.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter

import msgspec

from shardgate.core.contracts import Ask, Merging, Outcome
from shardgate.core.errors import (
    BugError,
    DeadlineError,
    DeclaredFailureError,
    ShardgateError,
    ShardsMissingError,
)
from shardgate.core.failures.declared import declared_failure
from shardgate.core.failures.partial_reply import Lack, PartialReport, lack_of
from shardgate.core.failures.tolerance import STRICT, Tolerance
from shardgate.core.http import Reply
from shardgate.core.lists.flow import Flow
from shardgate.core.lists.merging import ListMerging
from shardgate.core.plan.operators import provenance
from shardgate.core.plan.page_mark import unmarked
from shardgate.core.plan.partial import ToPartialGather
from shardgate.core.replies.fields import with_field
from shardgate.core.replies.head_fields import HeadFields
from shardgate.core.replies.validators import Validators
from shardgate.core.routes.route import Plan
from shardgate.core.topology import ShardId, aliases
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.coalescing import Coalescing, key_of
from shardgate.engine.gather.conductor import LACKING, Ahead, Conductor
from shardgate.engine.gather.gathering import (
    Gathering,
    forget_keys,
    head_fields_of,
    learn_from,
    rows_asked,
    validation_of,
    with_own_fields,
)
from shardgate.engine.gather.round import Round
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now
from shardgate.observe.meter import Meter

_asked_for = attrgetter("target", "body", "method")


class PartialGathers:
    """The gathers of one worker that may lack shards."""

    __slots__ = ("_cluster", "_coalescing", "_conductor", "_meter")

    def __init__(self, cluster: Cluster, conductor: Conductor, meter: Meter) -> None:
        self._cluster = cluster
        self._conductor = conductor
        self._meter = meter
        self._coalescing = Coalescing()

    async def gather(
        self, plan: ToPartialGather, work: Gathering, client: Client, *, shows_head: bool = True
    ) -> Plan | None:
        """As the conductor's `gather`. `shows_head`: the client reads the head of the reply; where it does not, no
        shard may be missing.

        Raises ShardsMissingError where too many are missing, and what the conductor's raises.
        """
        reply: Reply | None
        if plan.coalesces and shows_head:
            reply = await self._shared(plan, work, client)
        else:
            reply = await self._run(plan, work, client, plan.tolerance if shows_head else STRICT, flows=True)
        return None if reply is None else await self._conductor.answer(plan, work, reply, client)

    def changed(self) -> None:
        """A change was made: who comes now gets no reply that was asked for before it."""
        self._coalescing.changed()

    async def _run(
        self, plan: ToPartialGather, work: Gathering, client: Client, tolerance: Tolerance, *, flows: bool
    ) -> Reply | None:
        running = PartialGather(self._cluster, self._conductor, plan, work, client, tolerance, flows=flows)
        try:
            reply = await running.run()
        finally:
            work.holding.close()
        for shard in running.missing:
            self._meter.left_out_of_list(shard)
        return reply

    async def _shared(self, plan: ToPartialGather, work: Gathering, client: Client) -> Reply:
        """The reply of this request, or of one that is equal to it and under way."""
        work.holding.close()

        async def whole() -> Reply:
            # Its own holding: the client that asked first may leave, and others wait.
            own = self._conductor.work_of(plan, work.snapshot, client, work.exchange)
            reply = await self._run(plan, own, client, plan.tolerance, flows=False)
            if reply is None:
                raise BugError("a list that is shared was streamed")
            return reply

        key = key_of(plan.request, plan.route, client.hop, plan.asked, work.snapshot.known.topology)
        reply, began_at = await self._coalescing.reply(key, whole, whole)
        if began_at is not None:
            self._meter.coalesced()
            work.exchange.upstream_s = now() - began_at
            work.exchange.shards = work.exchange.shards or list(plan.asked)
        return reply


class PartialGather:
    """One gather under way."""

    def __init__(
        self,
        cluster: Cluster,
        conductor: Conductor,
        plan: ToPartialGather,
        work: Gathering,
        client: Client,
        tolerance: Tolerance,
        *,
        flows: bool = True,
    ) -> None:
        """`flows`: a long list may be streamed."""
        self._cluster = cluster
        self._conductor = conductor
        self._plan = plan
        self._work = work
        self._client = client
        self._tolerance = tolerance
        self._shards = work.snapshot.known.topology.shards
        self._asked: Sequence[ShardId] = plan.asked
        self._lacks: dict[ShardId, Lack] = {shard: Lack("earlier") for shard in plan.left_out}
        self._merging: Merging = plan.merging
        self._validators, self._head_fields = self._new_heads()
        self._flows = (
            flows and not plan.shows_provenance and plan.instead is None and work.request.sent_method != b"HEAD"
        )
        self._is_everywhere = False
        self._shows_provenance = plan.shows_provenance
        self._rounds_began_at = 0.0
        self._ahead = Ahead()

    async def run(self) -> Reply | None:
        """The reply; None where it was streamed."""
        self._check()
        reply = await self._merged()
        if reply is None:
            return None
        plan = self._plan
        if plan.instead is not None and plan.pruned is not None:
            shown = {key for key, _ in self._merging.learned()}
            if not plan.pruned.hoped <= shown:
                if not self.missing:
                    forget_keys(plan, self._work.snapshot, plan.pruned.hoped - shown)
                reply = await self._everywhere(plan.instead)
        learn_from(self._plan, self._work.snapshot, self._merging.learned())
        if self._shows_provenance and reply.status < 300:
            owners = [shard for _, shard in self._merging.learned()]
            with_field(reply, "Cache-Control", b"no-store")
            reply.fields.append((b"Shardgate-Provenance", provenance(owners, self._shards)))
        return await self._conductor.packed(reply, self._work.request)

    async def _everywhere(self, instead: Merging) -> Reply:
        """A shard that was remembered did not show its rows: all shards are asked."""
        self._asked, self._merging, self._is_everywhere = self._plan.within, instead, True
        self._validators, self._head_fields = self._new_heads()
        reply = await self._merged()
        if reply is None:
            raise self._error()
        return reply

    @property
    def missing(self) -> Mapping[ShardId, Lack]:
        """Those of the shards that are asked which are missing."""
        return {shard: self._lacks[shard] for shard in self._asked if shard in self._lacks}

    async def _merged(self) -> Reply | None:
        """Run rounds until the merge has its reply; None where the reply was streamed."""
        asks, is_first = self._wanted(), True
        while True:
            outcomes = await self._round(asks)
            if outcomes is None or isinstance(outcomes, Reply):
                return outcomes
            asks = self._without_missing(asks, outcomes, is_first=is_first) if outcomes else ()
            if not asks:
                asks, is_first = self._wanted(), True
                continue
            outcome = await self._taken(asks, {ask.shard: _reply(outcomes[ask.shard]) for ask in asks})
            if isinstance(outcome, Reply):
                return self._finished(outcome, outcomes)
            asks, is_first = self._plainly(outcome), False
            if not self._rounds_began_at:
                self._rounds_began_at = now()
            elif now() - self._rounds_began_at > self._cluster.merge_s:
                log = f"its rounds took longer than merge_timeout_s ({self._cluster.merge_s:g} s)"
                raise DeadlineError("the list could not be merged in time", log=log)

    async def _round(self, asks: Sequence[Ask]) -> Mapping[ShardId, Outcome] | Reply | None:
        """The outcome of each call; a 304; None where the list was streamed; nothing where it begins anew."""
        merging, large_bytes = self._merging, None
        if isinstance(merging, ListMerging):
            if self._ahead.asks and asks == self._ahead.asks:
                self._ahead.asks = ()
                return self._told(self._ahead.outcomes)
            if self._ahead.follow(self._plainly(merging.ahead())):
                first, self._ahead.outcomes = await self._conductor.ask_both(
                    asks, self._ahead.asks, self._work, tolerant=True
                )
                return self._told(first)
        if self._flows and isinstance(merging, ListMerging):
            large_bytes = merging.flow_bytes_min
        calls = self._conductor.start(asks, self._work, large_bytes, tolerant=True)
        try:
            if large_bytes is not None and await calls.is_large():
                flow = self._flow(asks, calls)
                if flow is not None:
                    return await self._flowed(*flow, calls)
                calls.keep_waiting()
            return self._told(await self._conductor.outcomes(calls, self._work))
        finally:
            calls.cancel()

    def _told(self, outcomes: Mapping[ShardId, Outcome]) -> Mapping[ShardId, Outcome]:
        return self._judged(outcomes) if self._plan.failure_is else outcomes

    def _judged(self, outcomes: Mapping[ShardId, Outcome]) -> Mapping[ShardId, Outcome]:
        """The outcomes; in place of a reply that its body calls a failure, the failure."""
        judged: dict[ShardId, Outcome] = {}
        for shard, outcome in outcomes.items():
            said = declared_failure(outcome, self._plan.failure_is) if isinstance(outcome, Reply) else None
            judged[shard] = outcome
            if said is not None:
                error = DeclaredFailureError("the shard says that the request failed", log=said)
                self._cluster.failed(shard, error)
                judged[shard] = error
        return judged

    def _flow(self, asks: Sequence[Ask], calls: Round) -> tuple[Reply, Flow] | None:
        """The head of the list, and what streams it without the shards that are missing by now.

        None where the replies must be whole first. Raises ShardsMissingError, BrokenReplyError.
        """
        heads = calls.heads()
        begun: dict[ShardId, Outcome] = {**calls.failed, **heads}
        if self._plan.failure_is:
            begun |= self._judged(calls.come)
        lacks = {shard: lack_of(outcome) for shard, outcome in begun.items()}
        failed = {shard: lack for shard, lack in lacks.items() if lack is not None}
        if {
            shard for shard, each in begun.items() if isinstance(each, ShardgateError)
        } - failed.keys() or not self._allows(failed):
            return None
        if failed:
            self._lose(failed)
            asks = self._same(asks)
        merging = self._merging
        flowing = None
        if asks and isinstance(merging, ListMerging) and merging.may_flow and not self._needs_member:
            flowing = merging.flow({ask.shard: heads[ask.shard] for ask in asks})
        if flowing is None:
            return None
        for shard in failed:
            calls.leave_out(shard)
        reply, flow = flowing
        self._validators.add(asks, heads, are_whole=False)
        if self._head_fields is not None:
            self._head_fields.add(asks, heads)
        return self._finished(reply, heads), flow

    async def _flowed(self, reply: Reply, flow: Flow, calls: Round) -> Mapping[ShardId, Outcome] | Reply | None:
        """Stream the list. What is returned is as for `_round`; raises what ends the list early."""
        work, merging = self._work, self._merging
        work.exchange.upstream_s += now() - calls.began_at
        if reply.status == 304:
            return reply
        running = self._conductor.running(flow, work, self._client)
        try:
            await running.run(reply, work.request, calls.coming())
        except ShardgateError as error:
            shard, lack = running.failed, lack_of(error)
            if running.begun or shard is None or lack is None:
                raise
            if not self._allows({shard: lack}):
                self._lacks = {**self._lacks, shard: lack}
                raise self._error() from error
            self._lose({shard: lack})
            return {}
        if isinstance(merging, ListMerging):
            merging.flowed()
        learn_from(self._plan, work.snapshot, merging.learned())
        return None

    @property
    def _needs_member(self) -> bool:
        """Whether the body must say what is missing, which a list that streams cannot."""
        return bool(self.missing) and self._tolerance.member is not None

    def _without_missing(
        self, asks: Sequence[Ask], outcomes: Mapping[ShardId, Outcome], *, is_first: bool
    ) -> Sequence[Ask]:
        """The calls whose replies can be merged; none where the merge must begin anew.

        Raises the error of a shard whose reply is at fault, or ShardsMissingError.
        """
        failed: dict[ShardId, Lack] = {}
        for shard, outcome in outcomes.items():
            lack = lack_of(outcome)
            if lack is not None:
                failed[shard] = lack
            elif isinstance(outcome, ShardgateError):
                raise outcome
        if not failed.keys() - self._lacks.keys():
            return self._same(asks) if self._lacks else asks
        if not self._allows(failed):
            # Refusals of shards that have answered are the application's own words, as where no shard may be missing.
            if not self.missing and all(isinstance(outcome, Reply) for outcome in outcomes.values()):
                return asks
            self._lacks = {**self._lacks, **failed}
            raise self._error()
        self._lose(failed)
        return self._same(asks) if is_first else ()

    def _same(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        """Those of the calls that the merge wants, too, since it has begun anew; none where it wants others."""
        left = [ask for ask in asks if ask.shard not in self._lacks]
        if len(left) == len(asks):
            return asks
        wanted = {ask.shard: ask for ask in self._wanted()}
        fits = wanted.keys() == {ask.shard for ask in left}
        return left if fits and all(_asked_for(ask) == _asked_for(wanted[ask.shard]) for ask in left) else ()

    def _wanted(self) -> Sequence[Ask]:
        """The first calls of the merge."""
        return self._plainly(self._merging.asks())

    def _plainly(self, asks: Sequence[Ask]) -> Sequence[Ask]:
        """The calls as shards may see them."""
        mark = self._plan.mark
        if not mark:
            return asks
        return [msgspec.structs.replace(ask, target=unmarked(ask.target, mark)) for ask in asks]

    def _allows(self, failed: Mapping[ShardId, Lack]) -> bool:
        return self._tolerance.allows(self._asked, {*self.missing, *failed})

    def _check(self) -> None:
        """Raises ShardsMissingError where the page lacks more than may be missing."""
        if not self._allows({}):
            raise self._error()

    def _lose(self, failed: Mapping[ShardId, Lack]) -> None:
        """Begin the merge anew without these shards."""
        self._lacks = {**failed, **self._lacks}
        without = self._plan.without
        plan = None if without is None else without(frozenset(self._lacks))
        if not isinstance(plan, ToPartialGather):
            raise self._error()
        self._plan = plan
        instead = self._plan.instead if self._is_everywhere else None
        self._merging = instead or self._plan.merging
        self._validators, self._head_fields = self._new_heads()

    async def _taken(self, asks: Sequence[Ask], replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        self._validators.add(asks, replies)
        if self._head_fields is not None:
            self._head_fields.add(asks, replies)
        return await self._conductor.taken(self._merging, replies, self._work)

    def _finished(self, reply: Reply, outcomes: Mapping[ShardId, Outcome]) -> Reply:
        """The reply with its own fields; marked, where it lacks shards. Raises ShardsMissingError."""
        missing, work, applied = self.missing, self._work, self._tolerance.applied
        work.exchange.rows_asked = rows_asked(self._merging)
        if applied and reply.status < 300:
            reply.fields = [*reply.fields, (b"Preference-Applied", applied)]
        if not missing:
            if reply.status >= 300:
                replies = {shard: each for shard, each in outcomes.items() if isinstance(each, Reply)}
                self._cluster.reporter.passed_on(replies, reply.status, work.exchange)
            return with_own_fields(work, reply, self._validators, self._merging, self._head_fields)
        rule = work.route.rule
        if not 200 <= reply.status < 300 or reply.status == 204 or (rule is not None and reply.status in rule.not_here):
            raise self._error()
        reply = with_own_fields(work, reply, None, self._merging, self._head_fields)
        report = PartialReport(self._asked, missing, self._shards)
        has_body = not (self._plan.by_head and not reply.body)
        if not report.mark(reply, self._tolerance.member, has_body=has_body):
            raise self._error(f"the body of the reply can have no member {self._tolerance.member}")
        self._cluster.reporter.partial(missing, reply.status, work.exchange)
        return reply

    def _new_heads(self) -> tuple[Validators, HeadFields | None]:
        work = self._work
        collects = work.route.collects_head_fields
        return Validators(validation_of(work)), head_fields_of(work, self._cluster.jar) if collects else None

    def _error(self, log: str = "") -> ShardsMissingError:
        """What the client is told where no partial answer may be given."""
        missing = self.missing
        error = ShardsMissingError(LACKING, missing=aliases(self._shards, missing), log=log)
        error.causes = tuple([lack.error for lack in missing.values() if lack.error is not None])
        return error


def _reply(outcome: Outcome) -> Reply:
    if isinstance(outcome, Reply):
        return outcome
    raise outcome
