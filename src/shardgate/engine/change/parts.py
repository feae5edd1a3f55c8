"""Changes an entity that is in parts on several shards: each gets the change, or its share of it.

Holds: a number that is shared is what the parts lack, to the last unit, or nothing is shared.
Never: journals, or decides what comes next (writes.py and core/writes do).
"""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from shardgate.core.body.assigning import assign
from shardgate.core.body.reading import read_object
from shardgate.core.changes.calls import Outgoing
from shardgate.core.contracts import Outcome
from shardgate.core.errors import (
    AmountMismatchError,
    BrokenReplyError,
    BugError,
    ReplyPendingError,
    ShardgateError,
    ShardsMissingError,
)
from shardgate.core.http import Reply
from shardgate.core.json.number import read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.entity import Entity
from shardgate.core.plan.plan import ToParts
from shardgate.core.replies.refusals import unite
from shardgate.core.routes.rule import Share
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import AwaitedCall
from shardgate.engine.change.changes import Changes, new_id
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster


class PartsChanger:
    """The changes of entities in parts, for one worker."""

    __slots__ = ("_body_bytes_max", "_cluster", "_writes")

    def __init__(self, cluster: Cluster, writes: Changes | None, body_bytes_max: int) -> None:
        self._cluster = cluster
        self._writes = writes
        self._body_bytes_max = body_bytes_max

    async def change(self, plan: ToParts, asking: ChangeRequest) -> Reply:
        """The reply of all parts, as one. Raises ShardgateError."""
        if self._writes is None:
            raise BugError("a rule that needs a store is served without one")
        rule = plan.change
        body, _ = assign(asking.request.body, {name: new_id(form) for name, form in rule.assign.items()})
        parts = await self._read(plan, asking)
        if (hidden := [shard for shard, reply in parts.items() if reply.status in plan.rule.not_here]) != []:
            # Whoever sees one part only is not the one to change them all: there is no such thing for this client.
            return await self._refused_by(hidden[0], asking)
        if (refusal := unite(list(parts.values()), range(200, 300))) is not None:
            return refusal
        own: Mapping[ShardId, bytes] = dict.fromkeys(plan.shards, body)
        if rule.share is not None:
            shares = _shares(parts, rule.share, body)
            if isinstance(shares, ShardId):
                return await self._refused_by(shares, asking)
            own = shares
        replies: list[Reply] = []

        def join(all_of_them: Sequence[Reply]) -> Reply:
            replies.extend(all_of_them)
            return all_of_them[0]

        first = await self._writes.parts(plan, asking, body, own, join)
        return first if not replies else await self._joined(plan, asking, replies, body)

    async def _joined(self, plan: ToParts, asking: ChangeRequest, replies: Sequence[Reply], body: bytes) -> Reply:
        """One reply. Of a part whose reply was lost the next one says only that it was changed."""
        merge, share = plan.rule.parts, plan.change.share
        if not isinstance(merge, Entity):
            raise BugError("the parts of a change do not become an entity")
        told = [reply for reply in replies if reply.status < 300]
        if len(told) < len(replies):
            if share is not None and told:
                amount = JsonObject(body).value(share.member)
                return Reply(told[0].status, told[0].fields, JsonObject(told[0].body).edited({share.member: amount}))
            if share is not None:
                raise ReplyPendingError("the change was made; its reply was lost")
            told = [reply for reply in (await self._read(plan, asking)).values() if reply.status < 300] or told
        if not any(reply.body for reply in told):
            return told[0]
        try:
            return merge.combine(told)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise BrokenReplyError("the parts of a reply cannot be put together", log=str(error)) from error

    async def _read(self, plan: ToParts, asking: ChangeRequest) -> dict[ShardId, Reply]:
        """Each part as it is now, or the shard's refusal. Raises ShardsMissingError."""
        target = plan.change.read
        for name, value in plan.variables.items():
            target = target.replace(f"{{{name}}}", quote(value, safe=""))
        request = asking.request

        async def ask(shard: ShardId) -> Outcome:
            sending = AwaitedCall(self._cluster, shard, self._body_bytes_max)
            outgoing = Outgoing(b"GET", target.encode())
            return await sending.send(outgoing, request.fields.host, asking.lines, asking.request_id, reads=True)

        with asking.waiting_for(plan.shards):
            outcomes = dict(zip(plan.shards, await asyncio.gather(*map(ask, plan.shards)), strict=True))
        shards = asking.snapshot.known.topology.shards
        lost = tuple(shards[shard].alias for shard, outcome in outcomes.items() if isinstance(outcome, ShardgateError))
        if lost:
            raise ShardsMissingError("every part must be read first; some shards did not answer", missing=lost)
        return {shard: reply for shard, reply in outcomes.items() if isinstance(reply, Reply)}

    async def _refused_by(self, shard: ShardId, asking: ChangeRequest) -> Reply:
        """The whole, as it came, to a part that cannot take it."""
        request = asking.request
        sending = AwaitedCall(self._cluster, shard, self._body_bytes_max)
        outgoing = Outgoing(request.sent_method, request.target, request.body if request.fields.has_body else None)
        with asking.waiting_for([shard]):
            outcome = await sending.send(outgoing, request.fields.host, asking.lines, asking.request_id)
        if isinstance(outcome, ShardgateError):
            raise outcome
        return outcome


def _shares(parts: Mapping[ShardId, Reply], share: Share, body: bytes) -> Mapping[ShardId, bytes] | ShardId:
    """The body of each part that lacks something; or the part that will refuse the whole in its own words.

    Raises NotWhatIsDueError where none surely does.
    """
    anyone = next(iter(parts))
    document = read_object(body)
    raw = None if document is None else document.raw(share.member)
    try:
        amount = None if raw is None else read_number(raw)
    except ValueError:
        amount = None
    if document is None or amount is None or amount <= 0:
        return anyone
    due = {shard: _due(share, reply) for shard, reply in parts.items()}
    apart = any(document.raw(name) not in {None, b"null"} for name in share.unless)
    if sum(due.values()) == amount and not apart:
        return {shard: document.edited({share.member: write_number(lacks)}) for shard, lacks in due.items() if lacks}
    least = min(due, key=due.__getitem__)
    if due[least] < amount:
        return least
    raise AmountMismatchError(f"{share.member} is not what all parts lack together")


def _due(share: Share, part: Reply) -> int:
    """What a part lacks, in whole units. Raises BrokenReplyError."""
    document = JsonObject(part.body)
    needs, has = document.number(share.of), document.number(share.less) if share.less else 0
    if needs is None or has is None:
        raise BrokenReplyError(f"a part does not say its {share.of}")
    return needs - has
