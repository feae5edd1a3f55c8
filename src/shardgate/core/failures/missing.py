"""Several shards were asked, and some gave no reply: one error for the client that says which of them."""

from collections.abc import Mapping
from typing import Final, cast

from shardgate.core.contracts import Outcome
from shardgate.core.errors import ShardgateError, ShardsMissingError
from shardgate.core.http import Reply
from shardgate.core.topology import Shard, ShardId, aliases

_ALL_REPLIED: Final = frozenset({Reply})


def replies_of(
    outcomes: Mapping[ShardId, Outcome], shards: Mapping[ShardId, Shard], detail: str
) -> Mapping[ShardId, Reply]:
    """The reply of every shard.

    Raises the error of the first shard whose reply is at fault; ShardsMissingError where a shard gave none.
    """
    if _ALL_REPLIED.issuperset(map(type, outcomes.values())):
        return cast("Mapping[ShardId, Reply]", outcomes)
    replies: dict[ShardId, Reply] = {}
    for shard, outcome in outcomes.items():
        if isinstance(outcome, Reply):
            replies[shard] = outcome
        elif not outcome.no_reply:
            raise outcome
    if len(replies) < len(outcomes):
        raise shards_missing(outcomes, shards, detail)
    return replies


def shards_missing(
    outcomes: Mapping[ShardId, Outcome], shards: Mapping[ShardId, Shard], detail: str
) -> ShardsMissingError:
    """The error for the client, which names the shards by their aliases; the causes are for the log."""
    failed = {shard: outcome for shard, outcome in outcomes.items() if isinstance(outcome, ShardgateError)}
    error = ShardsMissingError(detail, missing=aliases(shards, failed))
    error.causes = tuple(failed.values())
    return error
