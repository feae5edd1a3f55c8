"""One reply that is kept, and whether it answers a request as it is (RFC 9111 section 4).

Never: reads a clock. Instants are of a clock that only goes forward.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from shardgate.core.http import NOT_IN_304, Reply, Request
from shardgate.core.replies.cache.directives import Directives
from shardgate.core.replies.cache.freshness import initial_age_s, lifetime_s
from shardgate.core.replies.cache.head import StoredHead
from shardgate.core.replies.cache.keys import has_credentials, is_selected, selecting
from shardgate.core.replies.http_date import http_time
from shardgate.core.wire.packed_tags import plain_tags

# What an entry takes besides the bytes of its reply: its key, its fields as objects, its places in the tables.
STORED_REPLY_BYTES = 2048
# RFC 9111 section 3.2: a 304 brings fields anew, but for these: they describe the body as it is kept, or this reply.
_KEPT_BY_304 = NOT_IN_304 | {b"etag", b"vary", b"cache-status", b"set-cookie", b"transfer-encoding", b"age"}
_NOT_STORED = frozenset({b"age", b"cache-status"})
_NEVER_STALE = (b"must-revalidate", b"proxy-revalidate", b"no-cache")

Fit = Literal["fresh", "stale", "validate"]
"""How an entry answers a request: as it is; as it is, though stale; or once the shards have said that it holds."""


class StoredReply(msgspec.Struct, frozen=True):
    """One reply."""

    reply: Reply
    """Without its age. Nobody changes it."""
    head: StoredHead
    wanted: Mapping[bytes, bytes | None]
    """The fields of the request that the reply depends on."""
    lifetime_s: float
    age_s: float
    """When it was received."""
    received_at: float

    @property
    def size(self) -> int:
        """How many bytes it takes, about."""
        fields = sum([len(name) + len(value) for name, value in self.reply.fields])
        wanted = sum([len(name) + len(value or b"") for name, value in self.wanted.items()])
        return STORED_REPLY_BYTES + len(self.reply.body) + fields + wanted

    def current_age_s(self, now_s: float) -> float:
        """How old it is (section 4.2.3)."""
        return self.age_s + max(0.0, now_s - self.received_at)

    def left_s(self, now_s: float) -> float:
        """How long it is fresh yet; negative: since when it is not."""
        return self.lifetime_s - self.current_age_s(now_s)

    def is_for(self, request: Request) -> bool:
        """Whether it is a reply to this request: it depends on nothing else, and is for clients like this one."""
        return is_selected(self.wanted, request) and (self.head.is_public or not has_credentials(request))

    def fit(self, asked: Directives, now_s: float) -> Fit:
        """How it answers a request that says this (sections 4.2.4 and 5.2.1)."""
        said = self.head.directives
        max_age_s, left_s = asked.seconds(b"max-age"), self.left_s(now_s)
        if asked.has(b"no-cache") or said.has(b"no-cache"):
            return "validate"
        if max_age_s is not None and self.current_age_s(now_s) > max_age_s:
            return "validate"
        if left_s > (asked.seconds(b"min-fresh") or 0):
            return "fresh"
        may_be_stale = not said.has(*_NEVER_STALE, b"s-maxage") and not asked.has(b"min-fresh")
        return "stale" if left_s <= 0 and may_be_stale and -left_s < asked.patience_s(b"max-stale") else "validate"

    def answers_error(self, asked: Directives, stale_if_error_s: float, now_s: float) -> bool:
        """Whether it is the answer where the shards give none (RFC 5861 section 4). `stale_if_error_s`: of the rule."""
        said = self.head.directives
        if said.has(*_NEVER_STALE) or asked.has(b"no-cache"):
            return False
        max_age_s = asked.seconds(b"max-age")
        if max_age_s is not None and self.current_age_s(now_s) > max_age_s:
            return False
        for_s: float | None = said.seconds(b"stale-if-error")
        if for_s is None:
            for_s = 0.0 if said.has(b"s-maxage") else stale_if_error_s
        return -self.left_s(now_s) <= for_s

    def conditions(self) -> bytes:
        """The header lines by which a shard is asked whether it holds (section 4.3.1); empty: it has no validator."""
        tag, modified = self.head.only(b"etag"), self.head.only(b"last-modified")
        if tag is not None:
            return b"If-None-Match: %b\r\n" % plain_tags(tag)
        return b"" if modified is None or http_time(modified) is None else b"If-Modified-Since: %b\r\n" % modified

    def is_known(self, request: Request) -> bool:
        """Whether the client has it already (section 4.3.2)."""
        values, repeated = request.fields.values, request.fields.repeated
        tags = values.get(b"if-none-match")
        if tags is not None:
            own = self.head.only(b"etag")
            return tags.strip() == b"*" or (own is not None and _opaque(own) in map(_opaque, tags.split(b",")))
        since, modified = values.get(b"if-modified-since"), http_time(self.head.only(b"last-modified"))
        if since is None or modified is None or b"if-modified-since" in repeated:
            return False
        time = http_time(since)
        return time is not None and modified <= time


def stored_reply(request: Request, reply: Reply, delay_s: float, now_s: float, wall_s: float) -> StoredReply:
    """The entry of a reply that has just come. `delay_s`: since it was asked for; `wall_s`: seconds since 1970."""
    head = StoredHead(reply.status, reply.fields)
    fields = [field for field in reply.fields if field[0].lower() not in _NOT_STORED]
    kept = Reply(reply.status, fields, reply.body, reply.reason)
    fresh_s = lifetime_s(head, wall_s) or 0.0
    return StoredReply(kept, head, selecting(head, request), fresh_s, initial_age_s(head, delay_s, wall_s), now_s)


def validated(
    entry: StoredReply,
    request: Request,
    fields: Sequence[tuple[bytes, bytes]],
    delay_s: float,
    now_s: float,
    wall_s: float,
) -> StoredReply:
    """The entry once a 304 with these fields has said that it holds (section 4.3.4)."""
    new = [field for field in fields if field[0].lower() not in _KEPT_BY_304]
    names = {name.lower() for name, _ in new}
    kept = [field for field in entry.reply.fields if field[0].lower() not in names]
    ages = [field for field in fields if field[0].lower() == b"age"]
    reply = Reply(entry.reply.status, [*kept, *new, *ages], entry.reply.body, entry.reply.reason)
    return stored_reply(request, reply, delay_s, now_s, wall_s)


def _opaque(tag: bytes) -> bytes:
    """What a weak comparison looks at (RFC 9110 section 8.8.3.2), of the tag as the application wrote it."""
    return plain_tags(tag.strip()).removeprefix(b"W/")
