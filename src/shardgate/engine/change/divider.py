"""Carries out `divide`: finds the owner of each item, sends each shard its items, and joins the outcomes.

Holds: an item goes to its owner or nowhere. A read that lacks a shard is an error that names the shard.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shardgate.core.body.assigning import assign
from shardgate.core.body.item_key import refuse_other_order
from shardgate.core.body.items import ShardItems, failed_items, parts_of, rejoin
from shardgate.core.body.numbering import position_of, renumbered, says_the_same
from shardgate.core.changes.calls import Outgoing, members
from shardgate.core.changes.idempotency import may_have_changed
from shardgate.core.changes.verdict import failure_of, made_but_broken
from shardgate.core.contracts import AskAll, Outcome
from shardgate.core.errors import BrokenReplyError, ShardgateError, StuckError, UnknownKeyError
from shardgate.core.excerpt import excerpt
from shardgate.core.failures.missing import replies_of
from shardgate.core.http import Reply
from shardgate.core.replies.refusals import foremost, unite
from shardgate.core.rules.divide import Division
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import AwaitedCall
from shardgate.engine.change.changes import Changes
from shardgate.engine.change.ids import new_ids
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.owner_search import OwnerSearch
from shardgate.engine.learning import learn

NOBODY = ""


class Divider:
    """The divided requests of one worker."""

    __slots__ = ("_body_bytes_max", "_changes", "_cluster", "_conductor")

    def __init__(self, cluster: Cluster, conductor: Conductor, changes: Changes | None, body_bytes_max: int) -> None:
        self._cluster = cluster
        self._conductor = conductor
        self._changes = changes
        self._body_bytes_max = body_bytes_max

    async def divide(self, plan: Division, change: ChangeRequest) -> Reply:
        """The reply to the whole body."""
        owners = await self._owners(plan, change)
        parts = parts_of(owners)
        if plan.rule.mode != "read" and NOBODY in owners:
            return await self._unowned(plan, owners, change)
        if plan.rule.mode == "all_or_none":
            return await self._all_or_none(plan, parts, change)
        outcomes = await self._send(plan, parts, change)
        if plan.rule.mode == "read" and self._forget_moved(plan, parts, outcomes, change):
            again = plan.rule.divide(change.request, plan.route, plan.variables, change.snapshot.known)
            if isinstance(again, Division):
                parts = parts_of(await self._owners(again, change))
                outcomes = await self._send(again, parts, change)
        if plan.rule.mode == "read":
            return await self._read(plan, parts, outcomes, change)
        return self._each(plan, parts, outcomes, change)

    async def _owners(self, plan: Division, change: ChangeRequest) -> list[ShardId]:
        """The shard of each item; NOBODY where no shard has it. Raises UnknownKeyError where the rule refuses that."""
        unknown = {
            key: place
            for key, place in zip(plan.keys, plan.places, strict=True)
            if isinstance(place, AskAll) and key is not None
        }
        found = await self._found(plan, unknown, change) if unknown else {}
        owners = [
            place if isinstance(place, str) else found.get(key or "") or NOBODY
            for key, place in zip(plan.keys, plan.places, strict=True)
        ]
        if plan.rule.mode != "read" and plan.rule.unknown != "ask" and NOBODY in owners:
            position = owners.index(NOBODY)
            key = excerpt(plan.keys[position] or "")
            raise UnknownKeyError(f"no shard owns the key `{key}` of item {position}", about={"key": key})
        return owners

    async def _found(
        self, plan: Division, unknown: Mapping[str, AskAll], change: ChangeRequest
    ) -> dict[str, ShardId | None]:
        """The owners of these keys, each asked for once. Raises TooComplexError before any is asked for."""
        search = OwnerSearch(
            self._conductor,
            plan.route,
            plan.rule.locate,
            change.request,
            change.snapshot,
            change.hop,
            change.exchange,
        )
        return await search.find(unknown)

    async def _send(self, plan: Division, parts: Sequence[ShardItems], change: ChangeRequest) -> list[Outcome]:
        whole = len(parts) == 1 and not plan.rule.assign
        bodies = [change.request.body if whole else plan.items.part(part.positions) for part in parts]
        reads = plan.rule.mode == "read"
        calls = [self._call(part.shard, body, change, reads=reads) for part, body in zip(parts, bodies, strict=True)]
        with change.waiting_for([_shard_of(part.shard, change) for part in parts]):
            outcomes = list(await asyncio.gather(*calls))
        for part, outcome in zip(parts, outcomes, strict=True):
            if isinstance(outcome, Reply):
                self._learn(plan, part.shard, outcome, change)
        return outcomes

    async def _call(self, shard: ShardId, body: bytes, change: ChangeRequest, *, reads: bool) -> Outcome:
        request = change.request
        # Each part is taken by itself, so each shard judges its own.
        conditions = b"" if reads else change.conditions
        outgoing = Outgoing(request.sent_method, request.target, body, conditions=conditions)
        call = AwaitedCall(self._cluster, _shard_of(shard, change), self._body_bytes_max, change.holdings)
        return await call.send(outgoing, request.fields.host, change.lines, change.request_id, reads=reads)

    async def _read(
        self, plan: Division, parts: Sequence[ShardItems], outcomes: Sequence[Outcome], change: ChangeRequest
    ) -> Reply:
        by_shard = dict(zip([part.shard for part in parts], outcomes, strict=True))
        shards = change.snapshot.known.topology.shards
        lacking = "the items need every shard that owns one; some did not answer"
        replies = list(replies_of(by_shard, shards, lacking).values())
        refusal = unite(replies, range(200, 300))
        if refusal is None:
            if len(parts) == 1:
                return replies[0]
            into = plan.rule.joined_at
            if into is not None:
                refuse_other_order(parts, replies, into, plan.rule.key, plan.keys)
            return rejoin(parts, replies, into, plan.rule.sum)
        if refusal.status in plan.rule.not_here or len(parts) == 1:
            return refusal
        # A refusal counts the items that its shard was sent. The whole body is refused with the right numbers.
        shard = parts[replies.index(refusal)].shard
        with change.waiting_for([_shard_of(shard, change)]):
            whole = await self._call(shard, change.request.body, change, reads=True)
        return whole if isinstance(whole, Reply) and whole.status == refusal.status else refusal

    def _each(
        self, plan: Division, parts: Sequence[ShardItems], outcomes: Sequence[Outcome], change: ChangeRequest
    ) -> Reply:
        """Each part by itself: the reply says item by item what a shard refused, or was not there to take."""
        into = plan.rule.joined_at or ""
        taken = [outcome for outcome in outcomes if isinstance(outcome, Reply) and outcome.status < 400]
        if len(parts) == 1 or not taken:
            return self._of_none(outcomes, change)
        for outcome in outcomes:
            if isinstance(outcome, ShardgateError):
                self._cluster.reporter.log(outcome, change.exchange)
        replies = [
            outcome if isinstance(outcome, Reply) and outcome.status < 400 else _failed(part, into, outcome)
            for part, outcome in zip(parts, outcomes, strict=True)
        ]
        # The members around the items are those of a reply that accepted its items.
        order = sorted(range(len(parts)), key=lambda number: outcomes[number] not in taken)
        try:
            return rejoin([parts[n] for n in order], [replies[n] for n in order], into, plan.rule.sum)
        except BrokenReplyError as error:
            raise made_but_broken(error) from error

    def _of_none(self, outcomes: Sequence[Outcome], change: ChangeRequest) -> Reply:
        """The reply where no shard said that it took its items; what leaves that in doubt is told before a refusal."""
        errors = [outcome for outcome in outcomes if isinstance(outcome, ShardgateError)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
        doubts = [error for error in errors if not error.nothing_done]
        if errors and (doubts or not refusals):
            error = (doubts or errors)[0]
            error.causes = tuple(each for each in errors if each is not error)
            raise error
        for error in errors:
            self._cluster.reporter.log(error, change.exchange)
        doubtful = [refusal for refusal in refusals if may_have_changed(refusal)]
        return foremost(doubtful or refusals) or refusals[0]

    async def _all_or_none(self, plan: Division, parts: Sequence[ShardItems], change: ChangeRequest) -> Reply:
        if len(parts) == 1:
            return await self._one(plan, parts[0].shard, change.request.body, change)
        if self._changes is None:
            raise UnknownKeyError("the items belong to several shards; to change them all, a store must be configured")
        order = change.snapshot.known.topology.ids
        in_order = sorted(parts, key=lambda part: order.index(part.shard))
        return await self._changes.all_or_none(plan, change, in_order)

    async def _unowned(self, plan: Division, owners: Sequence[ShardId], change: ChangeRequest) -> Reply:
        """No shard has one of the items, so any shard will refuse the whole body.

        The refusal may mean an item of another shard, which this shard does not know either. Then the shard is asked
        again, without the items of others.
        """
        shard = next((owner for owner in owners if owner != NOBODY), NOBODY)
        reply = await self._one(plan, shard, change.request.body, change)
        others = {owner for owner in owners if owner not in {shard, NOBODY}}
        if reply.status < 400 and others:
            log = f"{shard} answered {reply.status}; it was sent items of {', '.join(sorted(others))}, too"
            raise StuckError("a shard took items of other shards, which it had to refuse", log=log)
        form = plan.rule.position
        meant = position_of(reply, form)
        if form is None or meant is None or meant >= len(owners) or owners[meant] in {shard, NOBODY}:
            return reply
        own = [position for position, owner in enumerate(owners) if owner in {shard, NOBODY}]
        other = await self._one(plan, shard, plan.items.part(own), change)
        return renumbered(other, form, own) if says_the_same(reply, other, form) else reply

    async def _one(self, plan: Division, shard: ShardId, body: bytes, change: ChangeRequest) -> Reply:
        """One shard's reply to a body. Raises ShardgateError."""
        body, _ = assign(body, new_ids(plan.rule.assign))
        with change.waiting_for([_shard_of(shard, change)]):
            outcome = await self._call(shard, body, change, reads=False)
        if isinstance(outcome, ShardgateError):
            raise outcome
        self._learn(plan, shard, outcome, change)
        return outcome

    def _forget_moved(
        self, plan: Division, parts: Sequence[ShardItems], outcomes: Sequence[Outcome], change: ChangeRequest
    ) -> bool:
        """Forget the remembered owners that say they do not have an item; whether there are any."""
        memory = change.snapshot.known.memory
        moved = False
        for part, outcome in zip(parts, outcomes, strict=True):
            if part.shard == NOBODY or not isinstance(outcome, Reply) or outcome.status not in plan.rule.not_here:
                continue
            for position in part.positions:
                key = plan.keys[position]
                if key is not None and memory.recall(plan.rule.locate, key) == part.shard:
                    memory.forget(plan.rule.locate, key)
                    moved = True
        return moved

    def _learn(self, plan: Division, shard: ShardId, reply: Reply, change: ChangeRequest) -> None:
        if reply.status < 300 and plan.rule.learn:
            learn(plan.rule.learn, reply.body, shard, change.snapshot.known.memory)


def _shard_of(shard: ShardId, change: ChangeRequest) -> ShardId:
    """The shard to ask; any will do for items that no shard has."""
    return change.snapshot.known.topology.ids[0] if shard == NOBODY else shard


def _failed(part: ShardItems, into: str, outcome: Outcome) -> Reply:
    if isinstance(outcome, ShardgateError):
        status, problem = failure_of(outcome)
        return failed_items(part, into, status, problem)
    return failed_items(part, into, outcome.status, members(outcome.body))
