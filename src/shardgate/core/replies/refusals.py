"""Many shards refuse: one refusal for the client.

Precedence where they differ: what concerns the caller comes before what concerns the request, and a shard's own failure
last: 401, 403, 429, then any other 4xx by its number, then 3xx and 1xx/2xx that are no list, then 5xx.
"""

from collections.abc import Collection, Sequence

from shardgate.core.http import Reply

_CALLER_FIRST = {401: 0, 403: 1, 429: 2}


def unite(replies: Sequence[Reply], accepted: Collection[int] = (200,)) -> Reply | None:
    """The refusal that stands for all; None where every shard accepted.

    N equal refusals are one, with the application's own body.
    """
    refused = [reply for reply in replies if reply.status not in accepted]
    if not refused:
        return None
    return min(refused, key=lambda reply: _rank(reply.status))


def _rank(status: int) -> tuple[int, int]:
    if status in _CALLER_FIRST:
        return (0, _CALLER_FIRST[status])
    if 400 <= status < 500:
        return (1, status)
    return (3 if status >= 500 else 2, status)
