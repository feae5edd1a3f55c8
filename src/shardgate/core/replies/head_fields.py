"""Cookies and the Date of a merged reply, where its rule wants those of the shards.

Holds: cookies that a merged reply sets are one shard's, all of them and with all their attributes; or those of a jar,
which hold what each shard has set. A shard that gives no Date does not take it away.
Never: is made where the rule wants neither, or the Date that the reply has anyway.
"""

from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Literal, Protocol

from shardgate.core.contracts import Ask
from shardgate.core.http import Reply
from shardgate.core.topology import ShardId
from shardgate.core.wire.cookie_jar import CookieJar

WhoseCookies = Literal["none", "first", "jar"]
"""Whose cookies a merged reply sets."""
WhoseDate = Literal["first", "latest", "none"]
"""Whose Date a merged reply has."""


class Caching(Protocol):
    """Merges what replies say of caches."""

    def add(self, status: int, fields: Sequence[tuple[bytes, bytes]]) -> None:
        """Take in a reply of a shard."""

    def apply(self, fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The fields of the merged reply."""


class HeadFields:
    """The fields that the replies to one merge give."""

    __slots__ = ("_caching", "_cookies", "_date", "_jar", "_latest", "_set_by", "_wants_cookies")

    def __init__(
        self, cookies: WhoseCookies, date: WhoseDate, jar: CookieJar | None = None, caching: Caching | None = None
    ) -> None:
        """`jar`: what merges the cookies of all shards, for `jar`. `caching`: what merges what they say of caches."""
        self._caching = caching
        self._wants_cookies = cookies != "none"
        self._jar = jar if cookies == "jar" else None
        self._date = date
        self._cookies: list[tuple[ShardId, bytes]] = []
        self._set_by: ShardId | None = None
        self._latest: tuple[float, bytes] | None = None

    @property
    def keeps_date(self) -> bool:
        """Whether the Date of the reply that is the merged one's pattern stays."""
        return self._date == "first"

    def add(self, asks: Sequence[Ask], replies: Mapping[ShardId, Reply]) -> None:
        """Take in the replies of one round. In a later round the same shard's cookies replace those before."""
        for ask in asks:
            fields = replies[ask.shard].fields
            if self._caching is not None:
                self._caching.add(replies[ask.shard].status, fields)
            if self._wants_cookies and (self._jar is not None or self._set_by in {None, ask.shard}):
                set_now = [(ask.shard, value) for name, value in fields if name.lower() == b"set-cookie"]
                if set_now:
                    self._set_by = ask.shard
                    named = {(shard, _named(value)) for shard, value in set_now}
                    kept = [(shard, value) for shard, value in self._cookies if (shard, _named(value)) not in named]
                    self._cookies = kept + set_now
            date = replies[ask.shard].field(b"date") if self._date == "latest" else None
            if date is not None and (time := _time(date)) is not None:
                self._latest = max(self._latest or (time, date), (time, date))

    def apply(self, reply: Reply) -> None:
        """Add them to the merged reply. Raises ReplyTooLargeError."""
        if self._caching is not None:
            reply.fields = self._caching.apply(reply.fields)
        cookies = [value for _, value in self._cookies] if self._jar is None else self._jar.merged(self._cookies)
        reply.fields += [(b"Set-Cookie", cookie) for cookie in cookies]
        if self._latest is not None:
            reply.fields.append((b"Date", self._latest[1]))


def _named(cookie: bytes) -> bytes:
    return cookie.partition(b"=")[0].strip()


def _time(date: bytes) -> float | None:
    try:
        return parsedate_to_datetime(date.decode("ascii")).timestamp()
    except (ValueError, OverflowError):
        return None
