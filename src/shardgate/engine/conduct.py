"""Carries out the plans that need more than one shard: probes and scatters.

Holds: a list is never silently smaller: a missing shard is an error that names it.
"""

import asyncio
from collections.abc import Mapping, Sequence

from shardgate.core.conditional import Validators
from shardgate.core.contracts import Ask, Merging
from shardgate.core.errors import KeyOnTwoShardsError, ShardDownError, ShardgateError, ShardsMissingError
from shardgate.core.exchange import Exchange
from shardgate.core.http import Reply, Request
from shardgate.core.plan.plan import Probe, Scatter
from shardgate.core.routes.rule import Gather, One
from shardgate.core.topology import ShardId
from shardgate.core.wire.coding import packed_fields, takes_gzip
from shardgate.engine.cluster import Cluster, Snapshot
from shardgate.engine.scatter import Outcome
from shardgate.engine.scatter import Scatter as Round
from shardgate.net.clock import now

# Named by the shards for their own replies; a merged reply has its own, or none.
_NOT_MERGED = frozenset(
    {
        b"accept-ranges",
        b"age",
        b"content-encoding",
        b"date",
        b"etag",
        b"last-modified",
        b"set-cookie",
    }
)


# About 5 ms at the default level: what other requests can bear to wait.
PACKED_AT_ONCE_BYTES_MAX = 128 * 1024


class Conductor:
    """Runs the rounds of one worker's probes and gathers."""

    __slots__ = ("_body_bytes_max", "_cluster")

    def __init__(self, cluster: Cluster, body_bytes_max: int) -> None:
        self._cluster = cluster
        self._body_bytes_max = body_bytes_max

    async def gather(self, plan: Scatter, snapshot: Snapshot, hop: bytes, exchange: Exchange) -> Reply:
        """Ask until the merge has its reply. Raises ShardsMissingError, or what the merge raises."""
        merging = plan.merging
        outcome, validators = await self._merge(plan, merging, snapshot, hop, exchange)
        if plan.instead is not None and plan.pruned is not None:
            shown = {key for key, _ in merging.learned()}
            if not plan.pruned.hoped <= shown:
                merging = plan.instead
                outcome, validators = await self._merge(plan, merging, snapshot, hop, exchange)
        if isinstance(plan.route.rule, Gather):
            for space in plan.route.rule.learn:
                for key, shard in merging.learned():
                    snapshot.known.memory.learn(space, key, shard)
        outcome.fields = [field for field in outcome.fields if field[0].lower() not in _NOT_MERGED]
        if not plan.route.ages:
            outcome = validators.apply(plan.request, outcome, plan.route.rule)
        return await self.packed(outcome, plan.request)

    async def _merge(
        self, plan: Scatter, merging: Merging, snapshot: Snapshot, hop: bytes, exchange: Exchange
    ) -> tuple[Reply, Validators]:
        """Ask what the merge asks for until it has its reply."""
        validators = Validators()
        asks = merging.asks()
        fields = plan.request.fields
        while True:
            outcomes = await self._ask(asks, fields.host, fields.unconditional + hop, exchange)
            replies = self._all_of(outcomes, snapshot)
            validators.add(asks, replies)
            outcome = merging.take(replies)
            if isinstance(outcome, Reply):
                return outcome, validators
            asks = outcome

    async def packed(self, reply: Reply, request: Request) -> Reply:
        """The reply as the client takes it; a long body is packed on a thread of its own."""
        compress = self._cluster.compress
        if compress is not None and reply.status == 304:
            reply.fields = packed_fields(reply.fields, is_packed=False)  # RFC 9110 section 15.4.5: the Vary of its 200
        if compress is None or not compress.may_pack(reply.status, reply.fields, len(reply.body)):
            return reply
        if packs := takes_gzip(request.fields):
            is_long = len(reply.body) > PACKED_AT_ONCE_BYTES_MAX
            reply.body = await asyncio.to_thread(compress.pack, reply.body) if is_long else compress.pack(reply.body)
        reply.fields = packed_fields(reply.fields, is_packed=packs)
        return reply

    async def find(
        self, plan: Probe, request: Request, snapshot: Snapshot, hop: bytes, exchange: Exchange
    ) -> tuple[ShardId | None, Reply]:
        """Who holds the key, and its reply to the probe; None and the refusal where nobody does.

        Raises KeyOnTwoShardsError, or ShardDownError where a shard that did not answer might hold it.
        """
        asks = [Ask(shard, plan.target) for shard in plan.shards]
        fields = request.fields
        lines = fields.end_to_end if plan.is_the_request else fields.unconditional
        outcomes = await self._ask(asks, fields.host, lines + hop, exchange)
        rule = plan.route.rule
        not_here = rule.not_here if isinstance(rule, One) else (404,)
        replies = {shard: reply for shard, reply in outcomes.items() if isinstance(reply, Reply)}
        owners = [shard for shard, reply in replies.items() if reply.status < 400]
        if len(owners) > 1:
            log = f"key {plan.key!r} of {plan.space} is on {', '.join(owners)}"
            raise KeyOnTwoShardsError("two shards say that they hold the key", log=log)
        if owners:
            snapshot.known.memory.learn(plan.space, plan.key, owners[0])
            return owners[0], replies[owners[0]]
        snapshot.known.memory.forget(plan.space, plan.key)
        for shard in plan.shards:
            outcome = outcomes[shard]
            if isinstance(outcome, ShardgateError):
                raise ShardDownError("a shard that may hold the key cannot be asked", log=outcome.log) from outcome
        refusals = [reply for reply in replies.values() if reply.status not in not_here]
        return None, refusals[0] if refusals else replies[plan.shards[0]]

    async def _ask(
        self, asks: Sequence[Ask], host: bytes, lines: bytes, exchange: Exchange
    ) -> Mapping[ShardId, Outcome]:
        """One round; what it took is noted."""
        began_at = now()
        exchange.shards = exchange.shards or [ask.shard for ask in asks]
        outcomes = await Round(self._cluster, self._body_bytes_max).ask(asks, host, lines, exchange.request_id)
        exchange.upstream_s += now() - began_at
        return outcomes

    def _all_of(self, outcomes: Mapping[ShardId, Outcome], snapshot: Snapshot) -> dict[ShardId, Reply]:
        shards = snapshot.known.topology.shards
        replies: dict[ShardId, Reply] = {}
        missing: list[ShardId] = []
        for shard, outcome in outcomes.items():
            if isinstance(outcome, Reply):
                replies[shard] = outcome
            elif outcome.status == 502:
                raise outcome
            else:
                missing.append(shard)
        if missing:
            names = tuple(shards[shard].alias for shard in shards if shard in missing)
            raise ShardsMissingError("the list needs every shard; some did not answer", missing=names)
        return replies
