"""Whether a change was made, told from what several replicas of its shard say.

A replica that hangs may still have the change in a queue: the others do not see it yet, and it is made once that
replica goes on. So what one replica does not show is not absent.

Holds: absent means that each replica says so, or that it takes no connection: then its queues are gone, too.
"""

from collections.abc import Sequence

from shardgate.core.contracts import Outcome
from shardgate.core.errors import ShardDownError
from shardgate.core.http import Reply


def seen_by_all(outcomes: Sequence[Outcome]) -> Outcome:
    """What the replicas say together; there is at least one."""
    replies = [each for each in outcomes if isinstance(each, Reply)]
    shown = [reply for reply in replies if reply.status < 300]
    in_doubt = [each for each in outcomes if _says_nothing(each)]
    return [*shown, *in_doubt, *replies, *outcomes][0]


def _says_nothing(outcome: Outcome) -> bool:
    if isinstance(outcome, Reply):
        return outcome.status >= 500 or outcome.status in {304, 429}
    return not isinstance(outcome, ShardDownError)
