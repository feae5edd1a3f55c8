"""Carries out `divide`: finds the owner of each item, sends each shard its part, and puts the outcomes together.

Holds: an item goes to its owner or nowhere; a read with a shard missing is an error that says so.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shardgate.core.body.assigning import assign
from shardgate.core.body.items import ShardItems, failed_items, parts_of, rejoin
from shardgate.core.body.numbering import position_of, renumbered, says_the_same
from shardgate.core.changes.calls import Outgoing, members, named
from shardgate.core.changes.verdict import failure_of
from shardgate.core.contracts import AskAll, Outcome
from shardgate.core.errors import ShardgateError, ShardsMissingError, UnknownKeyError
from shardgate.core.http import Reply
from shardgate.core.plan.plan import Division, FindOwner
from shardgate.core.plan.planned_changes import plan_divide
from shardgate.core.replies.refusals import unite
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import AwaitedCall
from shardgate.engine.change.changes import Changes, new_id
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster
from shardgate.engine.gather.conductor import Conductor

# Items whose owner only the shards know are asked for at once, this many at a time.
PROBES_AT_ONCE = 16
NOBODY = ""


class Divider:
    """The splits of one worker."""

    __slots__ = ("_body_bytes_max", "_cluster", "_conductor", "_writes")

    def __init__(self, cluster: Cluster, conductor: Conductor, writes: Changes | None, body_bytes_max: int) -> None:
        self._cluster = cluster
        self._conductor = conductor
        self._writes = writes
        self._body_bytes_max = body_bytes_max

    async def divide(self, plan: Division, asking: ChangeRequest) -> Reply:
        """The reply of all parts."""
        owners = await self._owners(plan, asking)
        parts = parts_of(owners)
        if plan.rule.mode != "read" and NOBODY in owners:
            return await self._unowned(plan, owners, asking)
        if plan.rule.mode == "all_or_none":
            return await self._together(plan, parts, asking)
        outcomes = await self._send(plan, parts, asking)
        if plan.rule.mode == "read" and self._forget_moved(plan, parts, outcomes, asking):
            again = plan_divide(plan.rule, asking.request, plan.route, plan.variables, asking.snapshot.known)
            if isinstance(again, Division):
                parts = parts_of(await self._owners(again, asking))
                outcomes = await self._send(again, parts, asking)
        if plan.rule.mode == "read":
            return await self._read(plan, parts, outcomes, asking)
        return self._each(plan, parts, outcomes)

    async def _owners(self, plan: Division, asking: ChangeRequest) -> list[ShardId]:
        """The shard of each item; NOBODY for what no shard has. Raises UnknownKeyError where nothing may be guessed."""
        unknown = {
            key: place
            for key, place in zip(plan.keys, plan.places, strict=True)
            if isinstance(place, AskAll) and key is not None
        }
        gate = asyncio.Semaphore(PROBES_AT_ONCE)

        async def find(key: str, place: AskAll) -> tuple[str, ShardId | None]:
            shards = asking.snapshot.known.topology.ids
            probe = FindOwner(plan.route, plan.rule.locate, key, place.path.encode(), shards, is_the_request=False)
            async with gate:
                owner, _ = await self._conductor.find(
                    probe, asking.request, asking.snapshot, asking.hop, asking.exchange
                )
            return key, owner

        found = dict(await asyncio.gather(*[find(key, place) for key, place in unknown.items()]))
        owners = [
            place if isinstance(place, str) else found.get(key or "") or NOBODY
            for key, place in zip(plan.keys, plan.places, strict=True)
        ]
        if plan.rule.mode != "read" and plan.rule.unknown != "ask" and NOBODY in owners:
            raise UnknownKeyError(f"nobody owns the key {plan.keys[owners.index(NOBODY)]!r}")
        return owners

    async def _send(self, plan: Division, parts: Sequence[ShardItems], asking: ChangeRequest) -> list[Outcome]:
        whole = len(parts) == 1 and not plan.rule.assign
        bodies = [asking.request.body if whole else plan.items.part(part.positions) for part in parts]
        reads = plan.rule.mode == "read"
        calls = [self._call(part.shard, body, asking, reads=reads) for part, body in zip(parts, bodies, strict=True)]
        with asking.waiting_for([_shard_of(part.shard, asking) for part in parts]):
            outcomes = list(await asyncio.gather(*calls))
        for part, outcome in zip(parts, outcomes, strict=True):
            if isinstance(outcome, Reply):
                self._learn(plan, part.shard, outcome, asking)
        return outcomes

    async def _call(self, shard: ShardId, body: bytes, asking: ChangeRequest, *, reads: bool) -> Outcome:
        request = asking.request
        outgoing = Outgoing(request.sent_method, request.target, body)
        sending = AwaitedCall(self._cluster, _shard_of(shard, asking), self._body_bytes_max)
        return await sending.send(outgoing, request.fields.host, asking.lines, asking.request_id, reads=reads)

    async def _read(
        self, plan: Division, parts: Sequence[ShardItems], outcomes: Sequence[Outcome], asking: ChangeRequest
    ) -> Reply:
        replies = self._all_of(parts, outcomes, asking)
        refusal = unite(replies, range(200, 300))
        if refusal is None:
            into = plan.rule.items if plan.rule.into is None else plan.rule.into
            return replies[0] if len(parts) == 1 else rejoin(parts, replies, into, plan.rule.sum)
        if refusal.status in plan.rule.not_here or len(parts) == 1:
            return refusal
        # A part's refusal counts its own items. The whole body is refused in the same way, with the right numbers.
        shard = parts[replies.index(refusal)].shard
        with asking.waiting_for([_shard_of(shard, asking)]):
            whole = await self._call(shard, asking.request.body, asking, reads=True)
        return whole if isinstance(whole, Reply) and whole.status == refusal.status else refusal

    def _all_of(self, parts: Sequence[ShardItems], outcomes: Sequence[Outcome], asking: ChangeRequest) -> list[Reply]:
        shards = asking.snapshot.known.topology.shards
        broken = next((o for o in outcomes if isinstance(o, ShardgateError) and o.status == 502), None)
        if broken is not None:
            raise broken
        missing = {
            part.shard for part, outcome in zip(parts, outcomes, strict=True) if isinstance(outcome, ShardgateError)
        }
        if missing:
            names = tuple(shards[shard].alias for shard in shards if shard in missing)
            raise ShardsMissingError("the items need every shard that owns one; some did not answer", missing=names)
        return [outcome for outcome in outcomes if isinstance(outcome, Reply)]

    def _each(self, plan: Division, parts: Sequence[ShardItems], outcomes: Sequence[Outcome]) -> Reply:
        """Each part by itself: what a shard refused, or was not there to take, is told item by item."""
        into = plan.rule.items if plan.rule.into is None else plan.rule.into
        taken = [outcome for outcome in outcomes if isinstance(outcome, Reply) and outcome.status < 400]
        if len(parts) == 1 or not taken:
            refusals = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
            if not refusals and isinstance(outcomes[0], ShardgateError):
                raise outcomes[0]
            return unite(refusals, ()) or refusals[0]
        replies = [
            outcome if isinstance(outcome, Reply) and outcome.status < 400 else _failed(part, into, outcome)
            for part, outcome in zip(parts, outcomes, strict=True)
        ]
        # What stands around the items is that of a part that was taken.
        order = sorted(range(len(parts)), key=lambda number: outcomes[number] not in taken)
        return rejoin([parts[n] for n in order], [replies[n] for n in order], into, plan.rule.sum)

    async def _together(self, plan: Division, parts: Sequence[ShardItems], asking: ChangeRequest) -> Reply:
        if len(parts) == 1:
            return await self._one(plan, parts[0].shard, asking.request.body, asking)
        if self._writes is None:
            raise UnknownKeyError("items of several shards need a store, which this gateway has not")
        order = asking.snapshot.known.topology.ids
        in_order = sorted(parts, key=lambda part: order.index(part.shard))
        return await self._writes.together(plan, asking, in_order)

    async def _unowned(self, plan: Division, owners: Sequence[ShardId], asking: ChangeRequest) -> Reply:
        """No shard has one of the items, so that whichever is asked for all of them must refuse.

        It may mean an item of another shard, which is unknown to it, too: then it is asked again without those.
        """
        shard = next((owner for owner in owners if owner != NOBODY), NOBODY)
        reply = await self._one(plan, shard, asking.request.body, asking)
        form = plan.rule.position
        meant = position_of(reply, form)
        if form is None or meant is None or meant >= len(owners) or owners[meant] in {shard, NOBODY}:
            return reply
        own = [position for position, owner in enumerate(owners) if owner in {shard, NOBODY}]
        other = await self._one(plan, shard, plan.items.part(own), asking)
        return renumbered(other, form, own) if says_the_same(reply, other, form) else reply

    async def _one(self, plan: Division, shard: ShardId, body: bytes, asking: ChangeRequest) -> Reply:
        """What one shard says to all of it. Raises ShardgateError."""
        body, _ = assign(body, {name: new_id(form) for name, form in plan.rule.assign.items()})
        with asking.waiting_for([_shard_of(shard, asking)]):
            outcome = await self._call(shard, body, asking, reads=False)
        if isinstance(outcome, ShardgateError):
            raise outcome
        self._learn(plan, shard, outcome, asking)
        return outcome

    def _forget_moved(
        self, plan: Division, parts: Sequence[ShardItems], outcomes: Sequence[Outcome], asking: ChangeRequest
    ) -> bool:
        """Whether a shard that was only remembered as an owner says that it is not."""
        memory = asking.snapshot.known.memory
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

    def _learn(self, plan: Division, shard: ShardId, reply: Reply, asking: ChangeRequest) -> None:
        if reply.status >= 300 or not plan.rule.learn:
            return
        shown: Mapping[str, str] = named(reply)
        for space, member in plan.rule.learn.items():
            if member in shown:
                asking.snapshot.known.memory.learn(space, shown[member], shard)


def _shard_of(shard: ShardId, asking: ChangeRequest) -> ShardId:
    """Any will do for what nobody has."""
    return asking.snapshot.known.topology.ids[0] if shard == NOBODY else shard


def _failed(part: ShardItems, into: str, outcome: Outcome) -> Reply:
    if isinstance(outcome, ShardgateError):
        status, problem = failure_of(outcome)
        return failed_items(part, into, status, problem)
    return failed_items(part, into, outcome.status, members(outcome.body))
