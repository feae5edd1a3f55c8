"""Carries out the changes that need the journal: `every`, `place`, `divide` with all or none, and parts of an entity.

Holds: a change is in the journal before any of it is sent.
Never: decides what comes next (core/changes does), or streams (engine/relay does).
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from math import inf
from secrets import compare_digest, token_hex
from urllib.parse import quote

import msgspec

from shardgate.core.body.assigning import assign
from shardgate.core.body.items import ShardItems
from shardgate.core.changes.entry import Branch, ChangeKind, Entry, Sent, Terms
from shardgate.core.changes.followable import may_be_tried, require_followable
from shardgate.core.changes.idempotency import client_of
from shardgate.core.changes.placing import LeastData
from shardgate.core.changes.thing import folded, thing_of
from shardgate.core.changes.values import asked_by, unfit
from shardgate.core.changes.verdict import STATUS_PATH, Joining, made_but_broken, rejoined, status, verdict
from shardgate.core.contracts import Ask
from shardgate.core.errors import (
    BrokenReplyError,
    ClientError,
    NotEverywhereError,
    OverloadError,
    ReplyPendingError,
    ShardDownError,
    ShardgateError,
    UnknownChangeError,
)
from shardgate.core.failures.missing import shards_missing
from shardgate.core.http import Reply
from shardgate.core.locate import equal_key
from shardgate.core.rules.divide import Division
from shardgate.core.rules.every import ToEvery
from shardgate.core.rules.fields import IdForm
from shardgate.core.rules.one import ToParts
from shardgate.core.rules.place import Place, Placement
from shardgate.core.topology import ShardId
from shardgate.core.wire.path import filled, names_of
from shardgate.engine.change.ids import new_ids
from shardgate.engine.change.journal_driver import JournalDriver
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.change.turn import Turn
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.round import Round
from shardgate.net.clock import now
from shardgate.store.journal import NotOwnerError
from shardgate.store.writer import Writer


class Changes:
    """The rules `every` and `place`, and `divide` where all or none must be taken, for one worker."""

    __slots__ = (
        "_body_bytes_max",
        "_catch_up",
        "_client_fields",
        "_cluster",
        "_journaling",
        "_turn",
        "_writer",
    )

    def __init__(
        self,
        cluster: Cluster,
        writer: Writer,
        journaling: JournalDriver,
        body_bytes_max: int,
        catch_up: Callable[[], Awaitable[None]],
        client_fields: Sequence[str],
        waiting_max: int,
    ) -> None:
        """`catch_up`: take over what was written into the directory. `waiting_max`: of changes by `every` that wait for
        earlier ones."""
        self._cluster = cluster
        self._writer = writer
        self._journaling = journaling
        self._body_bytes_max = body_bytes_max
        self._catch_up = catch_up
        self._client_fields = client_fields
        self._turn = Turn(waiting_max)

    async def every(self, plan: ToEvery, change: ChangeRequest) -> Reply:
        """The change on all shards."""
        rule, method = plan.rule, change.request.method
        already = rule.already if rule.already is not None else (404, 410) if method == "DELETE" else (409,)
        patient = rule.mode == "eventual"
        terms = Terms(patient, rule.check, rule.repeats(method), already, undo=rule.undo)
        branches = [Branch(shard) for shard in plan.shards]
        operation, body = plan.route.operation, change.request.body
        entry = _entry("trial", operation, change, body, terms, plan.variables, branches)
        try:
            body, values, fresh = _assigned(rule.assign, body)
            terms = msgspec.structs.replace(terms, fresh=fresh)
            entry = _entry("every", operation, change, body, terms, {**plan.variables, **values}, branches)
            require_followable(entry, rule.assign.keys() - values.keys())
        except ClientError as error:
            return await self._try(entry, change, error)
        entry.thing = thing_of(entry)
        return await self._in_turn(entry, change)

    async def place(self, plan: Placement, change: ChangeRequest) -> Reply:
        """The new tenant, on the shard that the policy chooses."""
        rule = plan.rule
        body, values, _ = _assigned(rule.assign, change.request.body)
        variables = {**plan.variables, **values}
        name = plan.key if plan.key is not None else variables.get(rule.tenant) if rule.assign else None
        if name is not None:
            variables = {**variables, "key": name}
        # Names that are equal to the application are one name: their creates go to one shard.
        placed_by = f"\0{token_hex(16)}" if name is None else equal_key(plan.route.locators, name)
        # Where the tenant cannot be looked for, one shard still takes the create, or refuses it in its own words.
        can_tell = rule.check if name is not None and unfit(rule.check, variables) is None else None
        terms = Terms(patient=False, check=can_tell, repeat=False, already=())
        away: set[ShardId] = set()
        while True:
            shard = await self._choose(plan, rule, placed_by, change, away)
            entry = _entry("place", plan.route.operation, change, body, terms, variables, [Branch(shard)])
            entry.space, entry.tenant, entry.placed_by = rule.space, rule.tenant, placed_by
            entry.thing = "" if name is None else folded(f"/{quote(rule.space, '')}/{quote(name, '')}")
            try:
                reply = await self._through(entry, change)
            except ShardDownError:  # nothing was sent: another shard may take the tenant
                if shard in away or plan.owner is not None or plan.pinned is not None:
                    raise
                away.add(shard)
                continue
            await self._catch_up()
            return reply

    async def all_or_none(self, plan: Division, change: ChangeRequest, parts: Sequence[ShardItems]) -> Reply:
        """The items of all shards, or none of them; the shards are asked in the order given."""
        rule = plan.rule
        made = new_ids(rule.assign)
        branches: list[Branch] = []
        values: dict[str, str] = {}
        for part in parts:
            body, values = assign(plan.items.part(part.positions), made)
            branches.append(Branch(part.shard, body, part.positions))
        fresh = bool(made) and values == made
        terms = Terms(
            patient=False,
            check=rule.check,
            repeat=rule.repeat,
            already=rule.already,
            fresh=fresh,
            confirm=rule.confirm,
            undo=rule.undo,
            position=rule.position,
        )
        variables = {**plan.variables, **values}
        entry = _entry("divide", plan.route.operation, change, change.request.body, terms, variables, branches)
        try:
            require_followable(entry, rule.assign.keys() - values.keys())
        except ClientError as error:
            return await self._try(entry, change, error)
        if rule.parts is not None:
            entry.made = tuple((space, values[name]) for space, name in rule.learn.items() if values.get(name))

        def join(replies: Sequence[Reply]) -> Reply:
            return rejoined(entry, replies, rule.joined_at, rule.sum, rule.parts)

        try:
            return await self._through(entry, change, join)
        finally:
            await self._catch_up()

    async def parts(
        self,
        plan: ToParts,
        change: ChangeRequest,
        assigned: tuple[bytes, Mapping[str, str]],
        own: Mapping[ShardId, bytes],
        join: Joining,
        conditions: Mapping[ShardId, bytes],
    ) -> Reply:
        """The change of all parts of an entity, each with its own body. Where the first refuses, no other is asked.

        `assigned`: the body for the whole, and the values of the members that are assigned. `conditions`: the header
        lines with those of each part.
        """
        rule = plan.change
        terms = Terms(patient=True, check=None, repeat=True, already=rule.already, undo=rule.undo)
        branches = [Branch(shard, part, conditions=conditions.get(shard)) for shard, part in own.items()]
        body, values = assigned
        entry = _entry("every", plan.route.operation, change, body, terms, {**values, **plan.variables}, branches)
        try:
            require_followable(entry, rule.assign.keys() - values.keys())
        except ClientError as error:
            return await self._try(entry, change, error)
        entry.thing = folded(filled(rule.read, plan.variables) or "")
        return await self._in_turn(entry, change, join)

    async def status(self, change: ChangeRequest) -> Reply:
        """The state of a change that was not over when its client was answered; for that client alone."""
        request = change.request
        entry = await self._journaling.find(request.path.removeprefix(STATUS_PATH))
        client = client_of(request, self._client_fields) or ""
        if entry is None or (entry.client and not compare_digest(entry.client, client)):
            raise UnknownChangeError("the client has made no change that is known by this link")
        change.holdings.open("change").take(entry.size)
        return status(entry, change.snapshot.known.topology.shards)

    async def _in_turn(self, entry: Entry, change: ChangeRequest, join: Joining | None = None) -> Reply:
        async with self._turn.taken(change.is_wanted) as due_at:
            return await self._through(entry, change, join, due_at=due_at)

    async def _try(self, entry: Entry, change: ChangeRequest, problem: ClientError) -> Reply:
        """The refusal, in the application's own words, of a change that cannot be followed to its end.

        The first shard judges. What it accepts is taken back, and refused with the problem that is given; where there
        may be no way back, no shard is asked.
        """
        if not may_be_tried(entry, problem):
            raise problem
        told = msgspec.structs.replace(entry.terms, check=None, confirm=None, patient=False, repeat=False)
        entry.terms = msgspec.structs.replace(told, already=(), fresh=False, trial=True)
        entry.kind, entry.branches = "trial", entry.branches[:1]
        return await self._through(entry, change, problem=problem)

    async def _through(
        self,
        entry: Entry,
        change: ChangeRequest,
        join: Joining | None = None,
        problem: ClientError | None = None,
        due_at: float = inf,
    ) -> Reply:
        """`problem`: the refusal of what was taken back. `due_at`: until then the change must begin, by `now`."""

        def may_begin() -> bool:
            return change.is_wanted() and now() < due_at

        entry.client = client_of(change.request, self._client_fields) or ""
        await self._journaling.add(entry)
        try:
            with change.waiting_for(()):  # which shards will be asked is not known yet
                rested = await self._journaling.drive(entry, change.holdings, may_begin=may_begin)
        except NotOwnerError as error:
            link = f"{STATUS_PATH}{entry.token}"
            raise ReplyPendingError(f"another worker goes on with the change: {link}", log=str(error)) from error
        change.sent_to([branch.shard for branch in entry.branches if branch.tries])
        change.journaled.append(entry)
        if problem is not None and entry.state == "undone" and entry.branches[0].phase == "undone":
            raise problem
        try:
            return verdict(entry, change.snapshot.known.topology.shards, rested, join)
        except BrokenReplyError as error:
            raise made_but_broken(error) from error
        except ShardgateError as error:
            waited = next((other for other in rested.values() if isinstance(other, OverloadError)), None)
            if waited is not None and entry.never_sent and isinstance(error, NotEverywhereError):
                raise waited from None
            error.causes = tuple(other for other in rested.values() if other is not None)
            error.shard = ",".join(entry.problems)
            error.log = "; ".join([f"{shard}: {problem}" for shard, problem in entry.problems.items()])
            raise

    async def _choose(
        self, plan: Placement, rule: Place, placed_by: str, change: ChangeRequest, away: Collection[ShardId]
    ) -> ShardId:
        """The shard for a new tenant; one that was found to be down only where no other takes new tenants."""
        shards = change.snapshot.known.topology.ids
        owner = plan.owner if isinstance(plan.owner, str) else None
        policy, pinned = rule.policy, owner or plan.pinned
        measured: Mapping[ShardId, float] | None = None
        if isinstance(policy, LeastData) and pinned is None:
            measured = await self._measure(policy, change)

        def choose(tenants: Mapping[ShardId, float]) -> ShardId:
            loads = tenants if measured is None else measured
            here = {shard: load for shard, load in loads.items() if shard not in away and shard in tenants}
            return pinned or policy.choose(policy.willing(here) or loads)

        reserve = self._writer.placements.reserve
        return await self._writer.run(reserve, rule.space, placed_by, shards, choose, owner=owner)

    async def _measure(self, policy: LeastData, change: ChangeRequest) -> dict[ShardId, float]:
        """How much each shard has; a shard that does not say takes no new tenant now."""
        shards, fields = change.snapshot.known.topology.ids, change.request.fields
        asks = [Ask(shard, policy.path.encode()) for shard in shards]
        holding = change.holdings.open("reply")
        try:
            with change.waiting_for(shards):
                outcomes = await Round(self._cluster, self._body_bytes_max, holding).ask(
                    asks, fields.host, change.lines, change.request_id
                )
        finally:
            holding.close()
        counts = {
            ask.shard: count
            for ask in asks
            if isinstance(reply := outcomes[ask.shard], Reply) and (count := policy.stated(reply)) is not None
        }
        if not counts:
            raise shards_missing(outcomes, change.snapshot.known.topology.shards, "no shard says how much data it has")
        return counts


def _assigned(forms: Mapping[str, IdForm], body: bytes) -> tuple[bytes, dict[str, str], bool]:
    """The body with new ids where it has none, the ids that it has now, and whether every one was made here."""
    made = new_ids(forms)
    body, values = assign(body, made)
    return body, values, bool(made) and values == made


def _entry(
    kind: ChangeKind,
    operation: str,
    change: ChangeRequest,
    body: bytes,
    terms: Terms,
    variables: Mapping[str, str],
    branches: list[Branch],
) -> Entry:
    """The entry of a change, with all that its later calls need from the request; it is held from now on.

    Raises AmbiguousKeyError, OverloadError.
    """
    request = change.request
    fields = request.fields
    sent = Sent(
        request.sent_method.decode("ascii"),
        request.target,
        fields.host,
        change.lines,
        body,
        fields.has_body,
        change.request_id,
        change.conditions,
    )
    later = [terms.check, *[each.path for each in (terms.confirm, terms.undo) if each is not None]]
    names = {name for template in later for name in names_of(template)} - {*variables}
    values = {} if kind == "trial" else asked_by(body, sorted(names))
    entry = Entry(token_hex(16), kind, operation, sent, terms, {**values, **variables}, branches)
    change.holdings.open("change").take(entry.size - (len(body) if body is request.body else 0))
    return entry
