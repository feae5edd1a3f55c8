"""The size of a whole list, out of the sizes that its shards state.

Holds: a size that only some shards state is an error, never a sum that is too small.
"""

from collections.abc import Mapping, Sequence

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.topology import ShardId


def whole_total(totals: Mapping[ShardId, int], shards: Sequence[ShardId]) -> int | None:
    """The sum; None where no shard states a size. Raises BrokenReplyError where only some do."""
    if not totals:
        return None
    if len(totals) < len(shards):
        silent = ", ".join(shard for shard in shards if shard not in totals)
        raise BrokenReplyError(
            "some shards state the size of their list, others do not",
            log=f"{len(totals)} of {len(shards)} shards state it; these do not: {excerpt(silent)}",
        )
    return sum(totals.values())
