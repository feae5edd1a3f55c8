"""What a rule says of the replies that are kept for it."""

from typing import Annotated

import msgspec


class CacheWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of the replies of one rule, in the memory of each worker."""

    bytes_max: Annotated[int, msgspec.Meta(ge=65_536)] = 16 * 1024 * 1024
    """Bytes of replies that each worker keeps for this rule. What was not used for the longest time gives way."""
    entries_max: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """Replies that each worker keeps for this rule."""
    reply_bytes_max: Annotated[int, msgspec.Meta(ge=0)] = 1024 * 1024
    """A longer reply is not kept."""
    stale_if_error_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """For so long after a reply has become stale, it is the answer where the shards give none (500, 502, 503 or 504).
    A reply that says `stale-if-error` itself decides (RFC 5861); one with `must-revalidate`, `proxy-revalidate`,
    `no-cache` or `s-maxage` is never served stale by this."""
