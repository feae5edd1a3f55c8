"""Whether a reply says that the application did nothing, as it has too much to do.

429 says so (RFC 6585 section 4), and 503 with `Retry-After` (RFC 9110 section 15.6.4). A 503 without it says less: a
router in front of the application answers so, too, when it has waited for too long, or lost a connection that it had
sent the request on. Then the change may have been made, as after any other 5xx.

Holds: the gateway's own refusals keep to it: a 503 of its own has `Retry-After` where nothing was done, and only there.
"""

from shardgate.core.http import Reply


def did_nothing(reply: Reply) -> bool:
    """Whether the application says that it did nothing of what it was asked now, and that it may be asked again."""
    return reply.status == 429 or (reply.status == 503 and bool(reply.field(b"retry-after")))
