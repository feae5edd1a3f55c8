"""Changes an entity that is in parts on several shards: each gets the change, or its share of it.

Never: journals, decides what comes next (changes.py and core/changes do), or says what a share is (core/parts does).
"""

import asyncio
from collections.abc import Mapping, Sequence

from shardgate.core.body.assigning import assign
from shardgate.core.body.reading import read_object
from shardgate.core.changes.calls import Outgoing
from shardgate.core.changes.conditions import conditions_of_parts
from shardgate.core.contracts import Outcome
from shardgate.core.errors import (
    BrokenReplyError,
    BugError,
    ReplyPendingError,
    ShardgateError,
    StuckError,
)
from shardgate.core.failures.missing import shards_missing
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.entity import Entity
from shardgate.core.parts.share import shares
from shardgate.core.plan.key import unknown_key
from shardgate.core.replies.refusals import unite
from shardgate.core.rules.one import ToParts
from shardgate.core.topology import ShardId
from shardgate.core.wire.path import filled
from shardgate.engine.change.awaited_call import AwaitedCall
from shardgate.engine.change.changes import Changes
from shardgate.engine.change.ids import new_ids
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster


class PartsChanger:
    """The changes of entities in parts, for one worker."""

    __slots__ = ("_body_bytes_max", "_changes", "_cluster")

    def __init__(self, cluster: Cluster, changes: Changes | None, body_bytes_max: int) -> None:
        self._cluster = cluster
        self._changes = changes
        self._body_bytes_max = body_bytes_max

    async def change(self, plan: ToParts, change: ChangeRequest) -> Reply:
        """The reply of all parts, as one. Raises ShardgateError."""
        if self._changes is None:
            raise BugError("a rule that needs a store is served without one")
        rule = plan.change
        assigned = assign(change.request.body, new_ids(rule.assign))
        body, _ = assigned
        parts = await self._read(plan, change)
        if (hidden := [shard for shard, reply in parts.items() if reply.status in plan.rule.not_here]) != []:
            # A client that may not see every part may not change them: its shard refuses.
            return await self._refused_by(hidden[0], change)
        if (refusal := unite(list(parts.values()), range(200, 300))) is not None:
            return refusal
        conditions = conditions_of_parts(change.request.fields, parts) if change.conditions else {}
        own: Mapping[ShardId, bytes] = dict.fromkeys(plan.shards, body)
        if rule.share is not None:
            shared = shares(read_object(body), {shard: reply.body for shard, reply in parts.items()}, rule.share)
            if isinstance(shared, ShardId):
                return await self._refused_by(shared, change)
            own = shared
        replies: list[Reply] = []

        def join(all_of_them: Sequence[Reply]) -> Reply:
            replies.extend(all_of_them)
            return all_of_them[0]

        first = await self._changes.parts(plan, change, assigned, own, join, conditions)
        return first if not replies else await self._joined(plan, change, replies, body)

    async def _joined(self, plan: ToParts, change: ChangeRequest, replies: Sequence[Reply], body: bytes) -> Reply:
        """One reply out of those of all parts. A part whose first reply was lost only says that it was changed."""
        merge, share = plan.rule.parts, plan.change.share
        if not isinstance(merge, Entity):
            raise BugError("the parts of a change do not become an entity")
        shown = [reply for reply in replies if reply.status < 300]
        if len(shown) < len(replies):
            if share is not None and shown:
                amount = JsonObject(body).value(share.member)
                return Reply(shown[0].status, shown[0].fields, JsonObject(shown[0].body).edited({share.member: amount}))
            if share is not None:
                raise ReplyPendingError("the change was made; its reply was lost")
            shown = [reply for reply in (await self._read(plan, change)).values() if reply.status < 300] or shown
        if not shown:
            raise ReplyPendingError("the change was made; its reply was lost, and the entity is not there any more")
        if not any(reply.body for reply in shown):
            return shown[0]
        try:
            return merge.combine(shown)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise BrokenReplyError("the parts of a reply cannot be put together", log=str(error)) from error

    async def _read(self, plan: ToParts, change: ChangeRequest) -> dict[ShardId, Reply]:
        """Each part as it is now, or the shard's refusal. Raises ShardsMissingError."""
        target = filled(plan.change.read, plan.variables)
        if target is None:
            raise unknown_key(plan.key)  # no entity has a name that cannot be a segment
        request, path = change.request, target.encode()

        async def ask(shard: ShardId) -> Outcome:
            call = AwaitedCall(self._cluster, shard, self._body_bytes_max, change.holdings)
            outgoing = Outgoing(b"GET", path)
            return await call.send(outgoing, request.fields.host, change.lines, change.request_id, reads=True)

        with change.waiting_for(plan.shards):
            outcomes = dict(zip(plan.shards, await asyncio.gather(*map(ask, plan.shards)), strict=True))
        parts = {shard: reply for shard, reply in outcomes.items() if isinstance(reply, Reply)}
        if len(parts) < len(outcomes):
            shards = change.snapshot.known.topology.shards
            raise shards_missing(outcomes, shards, "every part must be read first; some shards did not answer")
        return parts

    async def _refused_by(self, shard: ShardId, change: ChangeRequest) -> Reply:
        """Send the request as it came to a shard that will refuse it, for its reply."""
        request = change.request
        call = AwaitedCall(self._cluster, shard, self._body_bytes_max, change.holdings)
        outgoing = Outgoing(request.sent_method, request.target, request.body if request.fields.has_body else None)
        with change.waiting_for([shard]):
            outcome = await call.send(outgoing, request.fields.host, change.lines, change.request_id)
        if isinstance(outcome, ShardgateError):
            raise outcome
        if outcome.status < 300:
            log = f"it answered {outcome.status}; the other parts were not sent the change"
            raise StuckError("one part of the entity took a change that it had to refuse", log=log)
        return outcome
