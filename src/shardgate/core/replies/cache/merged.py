"""What a merged reply says of caches: the strictest that any of its parts says.

A part is fresh for what is left of its own lifetime, and the whole for the shortest of these. So its parts' ages are in
it, and the whole has none of its own.

Holds: the whole is kept nowhere where one part would not be: it says `public`, `s-maxage` or `must-revalidate`, which
open a reply to clients with credentials, only where each part is open to them.
Never: reads a clock: what is left is counted from the replies' own Date and Age.
"""

from collections.abc import Iterable, Sequence

from shardgate.core.replies.cache.freshness import initial_age_s, own_lifetime_s
from shardgate.core.replies.cache.head import NamedFields, StoredHead
from shardgate.core.replies.http_date import http_time

_ANY = (b"no-store", b"private", b"no-cache", b"must-revalidate", b"proxy-revalidate", b"no-transform")
# What opens a reply to a request with credentials to other clients (RFC 9111 section 3.5).
_OPENING = (b"public", b"s-maxage", b"must-revalidate")
_REPLACED = frozenset({b"cache-control", b"expires", b"age", b"vary", b"pragma"})


class MergedCaching:
    """The replies to one merge, as they come."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: list[StoredHead] = []

    def add(self, status: int, fields: NamedFields) -> None:
        """Take in a reply of a shard."""
        self._heads.append(StoredHead(status, fields))

    def apply(self, fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The fields of the merged reply, with what follows from all parts in the place of what one of them says."""
        merged = [field for field in fields if field[0].lower() not in _REPLACED]
        said, vary = self._said(), sorted(frozenset().union(*(head.vary for head in self._heads)))
        if said:
            merged.append((b"Cache-Control", b", ".join(said)))
        if vary:
            merged.append((b"Vary", b"*" if b"*" in vary else b", ".join(vary)))
        return merged

    def _said(self) -> Sequence[bytes]:
        heads = self._heads
        said, own = self._words(), [_left_s(head, own_lifetime_s(head, _date(head))) for head in heads]
        is_shared = b"private" not in said and b"no-store" not in said
        if is_shared and any(head.directives.has(b"s-maxage") for head in heads):
            shared = [_shared_left_s(head) for head in heads]
            if None not in shared and all(head.is_public for head in heads):
                said.append(b"s-maxage=%d" % _least(shared))
            else:  # as strict as it is, without what it permits (section 5.2.2.10)
                said.append(b"proxy-revalidate")
                own += shared
        if None not in own:
            said.append(b"max-age=%d" % _least(own))
        after_error = [head.directives.seconds(b"stale-if-error") for head in heads]
        if None not in after_error:
            said.append(b"stale-if-error=%d" % _least(after_error))
        return [*dict.fromkeys(said)]

    def _words(self) -> list[bytes]:
        """What is said without a time."""
        heads = self._heads
        said = [name for name in _ANY if any(head.directives.has(name) for head in heads)]
        if any(head.all(b"set-cookie") for head in heads):
            said.append(b"private")
        is_shared = b"private" not in said and b"no-store" not in said
        if is_shared and heads and all(head.directives.has(b"public") for head in heads):
            said.append(b"public")
        if b"must-revalidate" in said and not all(head.directives.has(*_OPENING) for head in heads):
            said[said.index(b"must-revalidate")] = b"no-cache"
        return said


def _shared_left_s(head: StoredHead) -> float | None:
    shared_s = head.directives.seconds(b"s-maxage")
    return _left_s(head, own_lifetime_s(head, _date(head)) if shared_s is None else shared_s)


def _left_s(head: StoredHead, lifetime_s: float | None) -> float | None:
    return None if lifetime_s is None else max(0.0, lifetime_s - initial_age_s(head, 0.0, _date(head)))


def _date(head: StoredHead) -> float:
    """Ages by the clock are found by whoever keeps the whole, which has a Date, too."""
    return http_time(head.only(b"date")) or 0.0


def _least(seconds: Sequence[float | None]) -> int:
    return int(min([each for each in seconds if each is not None], default=0))
