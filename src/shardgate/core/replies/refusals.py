"""One refusal for the client, where several shards refuse.

Where their statuses differ, those about the caller come first, then those about the request, and a shard's own failure
last: 401, 403, 429, then other 4xx by number, then 1xx, 2xx and 3xx that were not expected, then 5xx.
"""

from collections.abc import Collection, Sequence

from shardgate.core.http import Reply

_CALLER_FIRST = {401: 0, 403: 1, 429: 2}


def unite(replies: Sequence[Reply], accepted: Collection[int] = (200,)) -> Reply | None:
    """The refusal that stands for all, with the application's own body; None where every shard accepted."""
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
