"""Chooses who carries out a change that is answered with a whole reply.

These are the plans that are journaled or divided, and any plan of a request with an idempotency key.

Holds: a change that has begun goes on when its client leaves.
"""

from collections.abc import Mapping
from typing import Final

from shardgate.core.changes.calls import Outgoing
from shardgate.core.changes.idempotency import FIELD, Idempotency, key_of
from shardgate.core.contracts import AskAll
from shardgate.core.errors import BugError, ShardDownError, ShardgateError
from shardgate.core.http import SAFE_METHODS, Reply, Request
from shardgate.core.limits import COUNTED_BYTES_MIN, ITEM_BYTES
from shardgate.core.plan.key import read_key
from shardgate.core.plan.plan import FindOwner, ToAny, ToOne
from shardgate.core.plan.planner import fallback_when_unowned
from shardgate.core.routes.route import NO_WORDS, Plan, Route
from shardgate.core.rules.divide import Division
from shardgate.core.rules.every import ToEvery
from shardgate.core.rules.one import ToParts
from shardgate.core.rules.place import Placement
from shardgate.core.topology import ShardId
from shardgate.engine.change.awaited_call import AwaitedCall, without
from shardgate.engine.change.changes import Changes
from shardgate.engine.change.divider import Divider
from shardgate.engine.change.idempotent import IdempotentRunner, WithKey, required
from shardgate.engine.change.parts import PartsChanger
from shardgate.engine.change.request import ChangeRequest
from shardgate.engine.cluster import Cluster
from shardgate.engine.failover import Awaited
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.owners import find_owner
from shardgate.engine.learning import learn, learn_from_head

_BESIDE = ("header.", "basic.", "claim.", "cookie.", "bearer.")
WHOLE: Final[frozenset[type]] = frozenset({ToEvery, ToParts, Placement, Division})
"""The plans that are always carried out here, and not relayed."""


class ChangeHandler:
    """Carries out the changes of one worker."""

    __slots__ = ("_body_bytes_max", "_changer", "_changes", "_cluster", "_conductor", "_divider", "_idempotent")

    def __init__(
        self,
        cluster: Cluster,
        conductor: Conductor,
        divider: Divider,
        changer: PartsChanger,
        changes: Changes | None,
        idempotent: IdempotentRunner | None,
        body_bytes_max: int,
    ) -> None:
        self._cluster = cluster
        self._conductor = conductor
        self._divider = divider
        self._changer = changer
        self._changes = changes
        self._idempotent = idempotent
        self._body_bytes_max = body_bytes_max

    def may_have_key(self, route: Route, values: Mapping[bytes, bytes]) -> bool:
        """Whether a request that is not safe may have an idempotency key, so that it is carried out here, and its body
        must be whole first. A search has none."""
        has_words = self._idempotent is not None and (FIELD in values or route.keyed)
        return has_words and (route.rule is None or not route.rule.only_reads)

    async def answer(self, plan: Plan, change: ChangeRequest) -> Reply:
        """The reply, compressed where the client takes that. Raises ShardgateError."""
        change.holdings.open("change").take(_size_of(plan, change.request))
        return await self._conductor.packed(await self._answer(plan, change), change.request)

    async def _answer(self, plan: Plan, change: ChangeRequest) -> Reply:
        request, words = change.request, _words(plan)
        if request.method in SAFE_METHODS or self._idempotent is None or _reads(plan):
            return await self._run(plan, change)
        key = key_of(request)
        if key is None and words.key is not None:
            key = read_key(words.key, request, {})
        if key is None:
            if words.required:
                raise required()
            return await self._run(plan, change)
        repeatable = words.repeat or request.method in {"PUT", "DELETE"}
        asked = WithKey(request, change.connection, _routed_by(plan.route, request), change.journaled)
        return await self._idempotent.once(key, asked, lambda: self._run(plan, change), repeatable=repeatable)

    async def status(self, change: ChangeRequest) -> Reply:
        """The state of a change."""
        if self._changes is None:
            raise ShardDownError("this gateway has no journal")
        return await self._changes.status(change)

    async def _run(self, plan: Plan, change: ChangeRequest) -> Reply:
        if isinstance(plan, Division):
            return await self._divider.divide(plan, change)
        if isinstance(plan, ToParts):
            return await self._changer.change(plan, change)
        if isinstance(plan, ToEvery | Placement):
            if self._changes is None:
                raise BugError("a rule that needs a store is served without one")
            if isinstance(plan, ToEvery):
                return await self._changes.every(plan, change)
            return await self._changes.place(await self._settled(plan, change), change)
        if not isinstance(plan, ToOne | ToAny | FindOwner):
            raise BugError("a gather changes nothing, so that it is not answered here")
        name = self._name(plan, change.request)
        return await (self._one(plan, change) if name is None else self._named(name, plan, change))

    async def _settled(self, plan: Placement, change: ChangeRequest) -> Placement:
        """The plan for a tenant of which it is known whether a shard has it. Raises KeyOnTwoShardsError."""
        place = plan.owner
        if not isinstance(place, AskAll) or plan.key is None:
            return plan
        request, snapshot = change.request, change.snapshot
        shards = snapshot.known.topology.ids
        search = FindOwner(plan.route, plan.route.chain, plan.key, place.path.encode(), shards, is_the_request=False)
        owner, _ = await find_owner(self._conductor, search, request, snapshot, change.hop, change.exchange)
        return Placement(plan.route, plan.rule, plan.key, owner, plan.pinned, plan.variables)

    def _name(self, plan: Plan, request: Request) -> str | None:
        words = _words(plan)
        if words.name is None or self._idempotent is None or request.method in SAFE_METHODS:
            return None
        name = read_key(words.name, request, {})
        return None if name is None else f"{plan.route.operation} {name}"

    async def _named(self, name: str, plan: ToOne | ToAny | FindOwner, change: ChangeRequest) -> Reply:
        """To the shard that the first request of this name went to."""
        if self._idempotent is None:
            raise BugError("a rule that needs a store is served without one")
        refusal: Reply | None = None
        if isinstance(plan, FindOwner):
            plan, refusal = await self._found(plan, change)
        planned = plan

        async def send(shard: ShardId | None) -> Reply:
            if shard is not None and shard in change.snapshot.known.topology.shards:
                is_planned = isinstance(planned, ToOne) and planned.shard == shard
                return await self._one(planned if is_planned else ToOne(planned.route, shard, name), change)
            return await self._one(planned, change) if refusal is None else refusal

        shard = plan.shard if isinstance(plan, ToOne) else None
        return await self._idempotent.follow(name, change.request, shard, send)

    async def _one(self, plan: ToOne | ToAny | FindOwner, change: ChangeRequest) -> Reply:
        if isinstance(plan, FindOwner):
            return await self._search(plan, change)
        if isinstance(plan, ToAny):
            return await self._any(plan, change)
        reply = await self._send(plan, plan.shard, change)
        rule = plan.route.rule
        if plan.recalled and rule is not None and reply.status in rule.not_here:
            change.snapshot.known.memory.forget(plan.recalled, plan.key)
            if plan.doubted is not None:
                return await self._search(plan.doubted, change)
        return reply

    async def _search(self, plan: FindOwner, change: ChangeRequest) -> Reply:
        found, refusal = await self._found(plan, change)
        return await self._one(found, change) if refusal is None else refusal

    async def _found(self, plan: FindOwner, change: ChangeRequest) -> tuple[ToOne | ToAny, Reply | None]:
        """The plan for the key's owner; and the refusal, where no shard has the key."""
        request, snapshot = change.request, change.snapshot
        owner, reply = await find_owner(self._conductor, plan, request, snapshot, change.hop, change.exchange)
        if owner is not None:
            return ToOne(plan.route, owner, plan.key), None
        fallback = fallback_when_unowned(plan, request, snapshot.known)
        return ToAny(plan.route, ()) if fallback is None else fallback, reply if fallback is None else None

    async def _any(self, plan: ToAny, change: ChangeRequest) -> Reply:
        """The first shard that can be reached. Where one cannot, nothing was done, so another may be asked."""
        for shard in plan.shards[:-1]:
            try:
                return await self._send(plan, shard, change)
            except ShardDownError:
                continue
        return await self._send(plan, plan.shards[-1], change)

    async def _send(self, plan: Plan, shard: ShardId, change: ChangeRequest) -> Reply:
        request = change.request
        fields = request.fields
        outgoing = Outgoing(request.sent_method, request.target, request.body if fields.has_body else None)
        # The reply may be kept, and a later request for it may accept other codings.
        lines = without(fields.end_to_end, b"accept-encoding") + change.hop
        waiting: Awaited | None = None
        while True:
            call = AwaitedCall(self._cluster, shard, self._body_bytes_max, change.holdings)
            with change.waiting_for([shard]):
                if waiting is not None:
                    waiting.is_connected = call.is_connected
                words = plan.route.calls
                outcome = await call.send(outgoing, fields.host, lines, change.request_id, words=words)
            if not isinstance(outcome, ShardDownError) or not isinstance(plan, ToOne):
                break
            waiting = waiting or self._cluster.awaited(shard, len(request.body))
            if waiting is None or not await waiting.wait() or not change.is_wanted():
                break
        if isinstance(outcome, ShardgateError):
            raise outcome
        rule = plan.route.rule
        if rule is not None and rule.learns_from_reply and rule.learn and 200 <= outcome.status < 400:
            memory, head = change.snapshot.known.memory, [(name.lower(), value) for name, value in outcome.fields]
            learn_from_head(rule.learn, head, shard, memory)
            if outcome.status < 300:
                learn(rule.learn, outcome.body, shard, memory)
        return outcome


def _routed_by(route: Route, request: Request) -> list[tuple[str, str | None]]:
    """What decides where a request goes, and does not stand in its target or its body."""
    fields = () if route.rule is None else route.rule.key_fields()
    sources = {source for _, sources in fields for source in sources}
    return [(source, read_key(source, request, {})) for source in sorted(sources) if source.startswith(_BESIDE)]


def _words(plan: Plan) -> Idempotency:
    rule = plan.route.rule
    return NO_WORDS if rule is None else rule.idempotency


def _size_of(plan: Plan, request: Request) -> int:
    """What is held besides the body itself, about; of a small body, which is not counted before, that too."""
    size = len(request.body)
    if isinstance(plan, Division):
        return 2 * size + ITEM_BYTES * len(plan.keys)  # the items, and what is made of them for each shard
    return size if size < COUNTED_BYTES_MIN else 0


def _reads(plan: Plan) -> bool:
    return isinstance(plan, Division) and plan.rule.mode == "read"
