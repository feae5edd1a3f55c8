"""How old a reply is, and how old it may be (RFC 9111 section 4.2).

Holds: without a time that the reply itself states it is never fresh: there are no heuristics.
Never: reads a clock.
"""

import re
from math import inf

from shardgate.core.replies.cache.head import StoredHead
from shardgate.core.replies.http_date import http_time

_SECONDS = re.compile(rb"[0-9]{1,18}")


def lifetime_s(head: StoredHead, received_at: float) -> float | None:
    """How long the reply is fresh for a shared cache, in seconds (section 4.2.1); None: it does not say.

    `received_at`: in seconds since 1970.
    """
    shared_s = head.directives.seconds(b"s-maxage")
    return shared_s if shared_s is not None else own_lifetime_s(head, received_at)


def own_lifetime_s(head: StoredHead, received_at: float) -> float | None:
    """How long it is fresh for the cache of one client."""
    max_age_s = head.directives.seconds(b"max-age")
    if max_age_s is not None:
        return max_age_s
    if not head.all(b"expires"):
        return None
    # Section 5.3: what is no date, like `0`, is a time in the past.
    expires_at, date = http_time(head.only(b"expires")), http_time(head.only(b"date"))
    return 0.0 if expires_at is None else max(0.0, expires_at - (received_at if date is None else date))


def initial_age_s(head: StoredHead, delay_s: float, received_at: float) -> float:
    """How old the reply was when it came (section 4.2.3); inf: it says an age that cannot be read.

    `delay_s`: from the request to the reply. `received_at`: in seconds since 1970.
    """
    date = http_time(head.only(b"date"))
    apparent_s = 0.0 if date is None else max(0.0, received_at - date)
    stated = [each.strip() for value in head.all(b"age") for each in value.split(b",")]
    if not all(_SECONDS.fullmatch(each) for each in stated):
        return inf
    return max(apparent_s, max(map(float, stated), default=0.0) + delay_s)
