"""Answers the requests that must be journaled, divided or remembered by their key; each with a whole reply.

Holds: nothing is sent that the journal does not have.
Never: decides what comes next (core/writes does), or streams (engine/relay does).
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from secrets import choice, token_hex
from uuid import uuid4

from shardgate.core.body.assigning import assign
from shardgate.core.body.items import ShardItems
from shardgate.core.changes.calls import plain
from shardgate.core.changes.entry import Branch, ChangeKind, Entry, Sent, Terms
from shardgate.core.changes.placing import LeastData
from shardgate.core.changes.verdict import STATUS_PATH, Joining, rejoined, status, verdict
from shardgate.core.contracts import Ask
from shardgate.core.errors import (
    BrokenReplyError,
    ReplyPendingError,
    ShardDownError,
    ShardgateError,
    ShardsMissingError,
    UnknownChangeError,
)
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.plan.plan import Division, Placement, ToEvery, ToParts
from shardgate.core.routes.change_mistakes import repeats
from shardgate.core.routes.rule import IdForm, Place
from shardgate.core.topology import ShardId
from shardgate.engine.change.journal_driver import JournalDriver
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster, Snapshot
from shardgate.engine.gather.held import HeldBytes
from shardgate.engine.gather.round import Round
from shardgate.store.journal import NotOwnerError
from shardgate.store.writer import Writer

# Crockford's base 32: no letter that reads like a digit.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Changes:
    """`every`, `place` and the saga of `divide`, for one worker."""

    __slots__ = ("_body_bytes_max", "_cluster", "_held", "_in_order", "_journaling", "_refresh", "_writer")

    def __init__(
        self,
        cluster: Cluster,
        writer: Writer,
        journaling: JournalDriver,
        body_bytes_max: int,
        held: HeldBytes,
        refresh: Callable[[], bool],
    ) -> None:
        self._cluster = cluster
        self._writer = writer
        self._journaling = journaling
        self._body_bytes_max = body_bytes_max
        self._held = held
        self._refresh = refresh
        self._in_order = asyncio.Lock()

    async def every(self, plan: ToEvery, asking: ChangeRequest) -> Reply:
        """The change on all shards."""
        rule, method = plan.rule, asking.request.method
        already = rule.already if rule.already is not None else (404, 410) if method == "DELETE" else (409,)
        body, variables, fresh = _assigned(rule.assign, asking.request.body, plan.variables)
        patient = rule.mode == "eventual"
        terms = Terms(patient, rule.check, repeats(rule, method), already, fresh, undo=rule.undo)
        branches = [Branch(shard) for shard in plan.shards]
        entry = _entry("every", plan.route.operation, asking, body, terms, variables, branches)
        async with self._in_order:  # one after the other anyway: the store would let the others wait, and ask it again
            return await self._through(entry, asking)

    async def place(self, plan: Placement, asking: ChangeRequest) -> Reply:
        """The new tenant, on the shard that is chosen for it."""
        rule = plan.rule
        body, variables, _ = _assigned(rule.assign, asking.request.body, plan.variables)
        name = plan.key if plan.key is not None else variables.get(rule.tenant) if rule.assign else None
        if name is not None:
            variables = {**variables, "key": name}
        placed_by = name if name is not None else f"\0{token_hex(16)}"
        can_tell = rule.check if name is not None else None
        terms = Terms(patient=False, check=can_tell, repeat=False, already=())
        away: set[ShardId] = set()
        while True:
            shard = await self._choose(plan, rule, placed_by, asking, away)
            entry = _entry("place", plan.route.operation, asking, body, terms, variables, [Branch(shard)])
            entry.space, entry.tenant, entry.placed_by = rule.space, rule.tenant, placed_by
            try:
                reply = await self._through(entry, asking)
            except ShardDownError:  # nothing was sent: another shard may have the tenant
                if shard in away or plan.pinned is not None:
                    raise
                away.add(shard)
                continue
            self._refresh()
            return reply

    async def together(self, plan: Division, asking: ChangeRequest, parts: Sequence[ShardItems]) -> Reply:
        """All parts, or none; they are taken in the order in which they are given."""
        rule = plan.rule
        made = {name: new_id(form) for name, form in rule.assign.items()}
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
        entry = _entry("divide", plan.route.operation, asking, asking.request.body, terms, variables, branches)
        into = rule.items if rule.into is None else rule.into
        if rule.parts is not None:
            entry.made = tuple((space, values[name]) for space, name in rule.learn.items() if values.get(name))

        def join(replies: Sequence[Reply]) -> Reply:
            return rejoined(entry, replies, into, rule.sum, rule.parts)

        try:
            return await self._through(entry, asking, join)
        finally:
            self._refresh()

    async def parts(
        self, plan: ToParts, asking: ChangeRequest, body: bytes, own: Mapping[ShardId, bytes], join: Joining
    ) -> Reply:
        """The change of all parts of an entity, each with a body of its own: the first judges for all."""
        change = plan.change
        terms = Terms(patient=True, check=None, repeat=True, already=change.already, undo=change.undo)
        branches = [Branch(shard, part) for shard, part in own.items()]
        entry = _entry("every", plan.route.operation, asking, body, terms, dict(plan.variables), branches)
        async with self._in_order:
            return await self._through(entry, asking, join)

    async def status(self, path: str, snapshot: Snapshot) -> Reply:
        """What has become of a change that was not over when its client was answered."""
        entry = await self._journaling.find(path.removeprefix(STATUS_PATH))
        if entry is None:
            raise UnknownChangeError("no such change is known here")
        return status(entry, snapshot.known.topology.shards)

    async def _through(self, entry: Entry, asking: ChangeRequest, join: Joining | None = None) -> Reply:
        await self._journaling.add(entry)
        try:
            with asking.waiting_for(()):  # how far it will come is not known yet
                rested = await self._journaling.drive(entry)
        except NotOwnerError as error:
            link = f"{STATUS_PATH}{entry.token}"
            raise ReplyPendingError(f"somebody else goes on with the change: {link}", log=str(error)) from error
        asking.sent_to([branch.shard for branch in entry.branches if branch.tries])
        try:
            return verdict(entry, asking.snapshot.known.topology.shards, rested, join)
        except ShardgateError as error:
            logs = {other.log for other in rested.values() if other is not None and other.log}
            error.log = "; ".join(sorted(logs)) or error.log
            raise

    async def _choose(
        self, plan: Placement, rule: Place, placed_by: str, asking: ChangeRequest, away: Collection[ShardId]
    ) -> ShardId:
        """The shard for a new tenant; not one of those that were found to be away, while another may take it."""
        shards = asking.snapshot.known.topology.ids
        policy, pinned = rule.policy, plan.pinned
        measured: Mapping[ShardId, float] | None = None
        if isinstance(policy, LeastData) and pinned is None:
            measured = await self._measure(policy, asking)

        def choose(tenants: Mapping[ShardId, float]) -> ShardId:
            loads = tenants if measured is None else measured
            here = {shard: load for shard, load in loads.items() if shard not in away}
            return pinned or policy.choose(policy.willing(here) or loads)

        return await self._writer.run(self._writer.placements.reserve, rule.space, placed_by, shards, choose)

    async def _measure(self, policy: LeastData, asking: ChangeRequest) -> dict[ShardId, float]:
        """How much each shard has; one that does not say takes no new tenant now."""
        shards, fields = asking.snapshot.known.topology.ids, asking.request.fields
        asks = [Ask(shard, policy.path.encode()) for shard in shards]
        holding = self._held.open()
        try:
            with asking.waiting_for(shards):
                outcomes = await Round(self._cluster, self._body_bytes_max, holding).ask(
                    asks, fields.host, asking.lines, asking.request_id
                )
        finally:
            holding.close()
        counts = {
            ask.shard: count
            for ask in asks
            if isinstance(reply := outcomes[ask.shard], Reply) and (count := _count(policy, reply)) is not None
        }
        if not counts:
            raise ShardsMissingError("no shard says how much data it has")
        return counts


def new_id(form: IdForm) -> str:
    """A value that nothing has."""
    if form in {"hex", "uuid"}:
        value = uuid4()
        return value.hex if form == "hex" else str(value)
    return "".join(choice(_LETTERS) if letter == "?" else letter for letter in form)


def _assigned(
    forms: Mapping[str, IdForm], body: bytes, variables: Mapping[str, str]
) -> tuple[bytes, dict[str, str], bool]:
    """The body with the values that it lacked, all values by name, and whether all of them are the gateway's own."""
    made = {name: new_id(form) for name, form in forms.items()}
    changed, values = assign(body, made)
    return changed, {**variables, **values}, bool(made) and values == made


def _entry(
    kind: ChangeKind,
    operation: str,
    asking: ChangeRequest,
    body: bytes,
    terms: Terms,
    variables: dict[str, str],
    branches: list[Branch],
) -> Entry:
    request = asking.request
    fields = request.fields
    sent = Sent(
        request.sent_method.decode("ascii"),
        request.target,
        fields.host,
        asking.lines,
        body,
        fields.has_body,
        asking.request_id,
    )
    return Entry(token_hex(16), kind, operation, sent, terms, {**plain(body), **variables}, branches)


def _count(policy: LeastData, reply: Reply) -> float | None:
    if reply.status >= 300:
        return None
    if policy.count_header is not None:
        said = reply.field(policy.count_header.lower().encode()) or b""
        return float(said) if said.isdigit() else None
    try:
        return JsonObject(reply.body).number(policy.count)
    except BrokenReplyError:
        return None
