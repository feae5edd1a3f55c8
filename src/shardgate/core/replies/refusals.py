"""One refusal for the client, where several shards refuse.

Where their statuses differ, those about the caller come first, then those about the request, and a shard's own failure
last: 401, 403, 429, then other 4xx by number, then 3xx, then 5xx.

Holds: a success that the rule does not expect is never the reply for all: what the other shards have would be lost. A
redirect is one of the client's own request, with the client's own query in its Location.
"""

from collections.abc import Collection, Sequence
from typing import Final

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.topology import ShardId

_CALLER_FIRST = {401: 0, 403: 1, 429: 2}
NOWHERE: Final[tuple[int, ...]] = ()
"""No status says that a shard has nothing."""


def foremost(refusals: Sequence[Reply]) -> Reply | None:
    """The refusal that stands for all of these; None where there are none."""
    return min(refusals, key=lambda reply: _rank(reply.status), default=None)


def unite(
    replies: Sequence[Reply],
    accepted: Collection[int] = (200,),
    not_here: Collection[int] = NOWHERE,
    shards: Sequence[ShardId] = (),
) -> Reply | None:
    """The refusal that stands for all, with the application's own body; None where the replies can be merged.

    `not_here`: the statuses by which a shard says that it has nothing; they are refusals only where no shard accepts.
    `shards`: whose replies these are, for the log. Raises BrokenReplyError where a shard gives a success that is not
    one of `accepted`, and not all shards give it without a body.
    """
    refused = [reply for reply in replies if reply.status not in accepted]
    if not refused:
        return None
    if not_here and len(refused) < len(replies):
        refused = [reply for reply in refused if reply.status not in not_here]
        if not refused:
            return None
    chosen = foremost(refused)
    is_success = chosen is not None and chosen.status < 300
    if chosen is not None and is_success and any(reply.status != chosen.status or reply.body for reply in replies):
        raise _unexpected(chosen.status, replies, accepted, shards)
    return chosen


def is_redirect(refusal: Reply) -> bool:
    """Whether a refusal leads to another address, which the application makes of the query that it was asked by."""
    return refusal.field(b"location") is not None


def redirect(replies: Sequence[Reply], accepted: Collection[int], shards: Sequence[ShardId]) -> Reply:
    """The refusal of the client's own requests, sent since shards redirected the gateway's.

    Raises BrokenReplyError where the shards accept them.
    """
    refusal = unite(replies, accepted, shards=shards)
    if refusal is None:
        log = "expected a refusal with a Location, as the same request with another page was answered"
        raise BrokenReplyError("the shards redirect some pages of a list, and not others", log=log)
    return refusal


def _unexpected(
    status: int, replies: Sequence[Reply], accepted: Collection[int], shards: Sequence[ShardId]
) -> BrokenReplyError:
    expected = " or ".join([str(each) for each in accepted][:3])
    log = f"found {status}, expected {expected}; where {status} says that a shard has nothing, add it to `not_here`"
    error = BrokenReplyError("a shard answers with a success that its rule does not expect", where="status", log=log)
    pairs = zip(shards, replies, strict=False)
    error.shard = ",".join([shard for shard, reply in pairs if reply.status == status])
    return error


def _rank(status: int) -> tuple[int, int]:
    if status in _CALLER_FIRST:
        return (0, _CALLER_FIRST[status])
    if 400 <= status < 500:
        return (1, status)
    return (3 if status >= 500 else 2, status)
