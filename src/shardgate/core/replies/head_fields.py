"""Cookies and the Date of a merged reply, where its rule wants those of the shards.

Holds: cookies that a merged reply sets are one shard's, all of them and with all their attributes. A shard that gives
no Date does not take it away.
Never: is made where the rule wants neither, or the Date that the reply has anyway.
"""

from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Literal

from shardgate.core.contracts import Ask
from shardgate.core.http import Reply
from shardgate.core.topology import ShardId

WhoseCookies = Literal["none", "first"]
"""Whose cookies a merged reply sets."""
WhoseDate = Literal["first", "latest", "none"]
"""Whose Date a merged reply has."""


class HeadFields:
    """The fields that the replies to one merge give."""

    __slots__ = ("_cookies", "_date", "_latest", "_set_by", "_wants_cookies")

    def __init__(self, cookies: WhoseCookies, date: WhoseDate) -> None:
        self._wants_cookies = cookies == "first"
        self._date = date
        self._cookies: list[tuple[bytes, bytes]] = []
        self._set_by: ShardId | None = None
        self._latest: tuple[float, bytes] | None = None

    def add(self, asks: Sequence[Ask], replies: Mapping[ShardId, Reply]) -> None:
        """Take in the replies of one round. In a later round the same shard's cookies replace those before."""
        for ask in asks:
            fields = replies[ask.shard].fields
            if self._wants_cookies and self._set_by in {None, ask.shard}:
                set_now = [field for field in fields if field[0].lower() == b"set-cookie"]
                if set_now:
                    self._set_by = ask.shard
                    named = {_named(value) for _, value in set_now}
                    self._cookies = [each for each in self._cookies if _named(each[1]) not in named] + set_now
            date = replies[ask.shard].field(b"date") if self._date == "latest" else None
            if date is not None and (time := _time(date)) is not None:
                self._latest = max(self._latest or (time, date), (time, date))

    def apply(self, reply: Reply) -> None:
        """Add them to the merged reply."""
        reply.fields += self._cookies
        if self._latest is not None:
            reply.fields.append((b"Date", self._latest[1]))


def _named(cookie: bytes) -> bytes:
    return cookie.partition(b"=")[0].strip()


def _time(date: bytes) -> float | None:
    try:
        return parsedate_to_datetime(date.decode("ascii")).timestamp()
    except (ValueError, OverflowError):
        return None
