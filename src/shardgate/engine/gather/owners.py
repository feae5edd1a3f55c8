"""Finds the shards that have one key, or that know a credential, by asking all of them that may.

Holds: a shard that did not answer may have the key: then the answer is an error, never "no shard has it". A key on two
shards is an error, too.
Never: decides what is asked, or of whom: the plan says it.
"""

from collections.abc import Mapping, Sequence

from shardgate.core.contracts import Ask, Outcome
from shardgate.core.errors import ShardDownError, ShardgateError
from shardgate.core.exchange import Exchange
from shardgate.core.http import Reply, Request
from shardgate.core.locate.dispute import disputed
from shardgate.core.plan.plan import FindOwner, said_key
from shardgate.core.topology import ShardId
from shardgate.engine.cluster import Snapshot
from shardgate.engine.gather.conductor import Conductor


async def find_owner(
    conductor: Conductor, plan: FindOwner, request: Request, snapshot: Snapshot, hop: bytes, exchange: Exchange
) -> tuple[ShardId | None, Reply]:
    """The shard that holds the key, and its reply; None and the refusal where no shard holds it.

    Raises KeyOnTwoShardsError; OverloadError; ShardDownError where a shard that may hold the key did not answer.
    """
    owners, replies, outcomes = await _asked_who(conductor, plan, request, snapshot, hop, exchange)
    rule = plan.route.rule
    not_here = (404,) if rule is None else rule.not_here
    if len(owners) > 1:
        raise disputed(plan.space, said_key(plan.route, plan.key), *owners)
    if owners:
        _settle(plan, snapshot, replies, owners[0])
        return owners[0], replies[owners[0]]
    snapshot.known.memory.forget(plan.space, plan.key)
    _check_all_answered(outcomes)
    refusals = [reply for reply in replies.values() if reply.status not in not_here]
    return None, refusals[0] if refusals else replies[plan.shards[0]]


async def shards_knowing(
    conductor: Conductor, plan: FindOwner, request: Request, snapshot: Snapshot, hop: bytes, exchange: Exchange
) -> Sequence[ShardId]:
    """The shards that know a credential; where it is one, it is remembered.

    Raises OverloadError; ShardDownError where none that answered knows it, and one did not answer.
    """
    owners, replies, outcomes = await _asked_who(conductor, plan, request, snapshot, hop, exchange)
    if len(owners) == 1:
        _settle(plan, snapshot, replies, owners[0])
    else:
        snapshot.known.memory.forget(plan.space, plan.key)
    if not owners:
        _check_all_answered(outcomes)
    return owners


async def _asked_who(
    conductor: Conductor, plan: FindOwner, request: Request, snapshot: Snapshot, hop: bytes, exchange: Exchange
) -> tuple[list[ShardId], Mapping[ShardId, Reply], Mapping[ShardId, Outcome]]:
    """The shards that have the key; what was answered; and what became of each call."""
    asks = [Ask(shard, plan.target) for shard in plan.shards]
    fields = request.fields
    lines = fields.end_to_end if plan.is_the_request else fields.unconditional
    outcomes = await conductor.ask_each(asks, plan.route, request, snapshot, lines + hop, exchange)
    rule = plan.route.rule
    not_here = (404,) if rule is None else rule.not_here
    replies = {shard: reply for shard, reply in outcomes.items() if isinstance(reply, Reply)}
    owners = [shard for shard, reply in replies.items() if reply.status < 400 and reply.status not in not_here]
    return owners, replies, outcomes


def _settle(plan: FindOwner, snapshot: Snapshot, replies: Mapping[ShardId, Reply], owner: ShardId) -> None:
    """Remember the owner: for good where every shard has answered, else as a list would teach it."""
    memory = snapshot.known.memory
    learn = memory.settle if len(replies) == len(plan.shards) else memory.learn
    learn(plan.space, plan.key, owner)


def _check_all_answered(outcomes: Mapping[ShardId, Outcome]) -> None:
    failed = tuple(outcome for outcome in outcomes.values() if isinstance(outcome, ShardgateError))
    if failed:
        error = ShardDownError("a shard that may hold the key cannot be asked")
        error.causes = failed
        raise error
