"""One ETag and one Last-Modified out of those of all shards, and the 304 that follows from them.

A merged ETag is a digest of every shard's ETag in every round (of a page that is searched for: of the merged body),
the target (page, order, properties), the representation
that the client accepts, and the rule. It is weak: it promises the same rows, not that another version of the gateway
writes the same bytes. If-Range and If-Match, which need a strong ETag, are not served on lists. What is read as one
thing, to be changed, has a tag that its change can be sent with (`Tagging`). A rule can say that the newest reply's own
tag is the list's (validation.py).

Holds: the merged reply has an ETag only where every reply has one that counts, and so with Last-Modified, of which it
has the latest. A shard that says by its status that it has nothing does not count. Nothing is remembered: gateways with
the same configuration make the same ETag.
Hot path: where the first shard sends neither, this costs two look-ups.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

from shardgate.core.contracts import Ask
from shardgate.core.http import NOT_IN_304, Reply, Request, names_of
from shardgate.core.replies.http_date import http_time
from shardgate.core.replies.part_tags import digest_of, joined
from shardgate.core.replies.validation import EVERY_SHARD, Validation
from shardgate.core.topology import ShardId

# RFC 9110 section 8.8.3.
_TAG = re.compile(rb'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
# The headers by which applications choose a representation.
_NEGOTIATED = (b"accept", b"accept-language")
_VALIDATORS = frozenset({b"etag", b"last-modified"})
_NEVER = float("-inf")
_GET = frozenset({"GET"})
_READS = frozenset({"GET", "HEAD"})

Tagging = Literal["digest", "own", "parts", "body"]
"""What the ETag of a merge is. `digest`: one of the gateway, of which no application knows anything. `own`: the shard's
own, where one alone has the thing. `parts`: one that can be compared with the tags that the parts have later.
`body`: a digest of the merged body, for a page that is searched for: which rows are read on the way to it, and so which
tags the shards give, depends on what earlier pages have taught."""


def has_none(how: Validation, first: Reply) -> bool:
    """Whether a merged reply has no validators, to judge by the first shard's reply; false: all of them tell."""
    return how is EVERY_SHARD and first.status == 200 and _VALIDATORS.isdisjoint(names_of(first.fields))


class Validators:
    """The validators of the replies to one merge."""

    __slots__ = ("_found", "_given", "_how", "_latest", "_newest", "_own", "_tags")

    def __init__(self, how: Validation = EVERY_SHARD) -> None:
        self._how = how
        self._tags: list[bytes] | None = None if how.etag == "none" else []
        self._latest: tuple[float, bytes] | None = (_NEVER, b"")
        if how.last_modified == "none" and how.etag != "latest":
            self._latest = None
        self._given = False  # a reply has a tag of its own
        self._own: dict[ShardId, bytes] = {}  # the tags of the shards that have something
        self._found = 0  # how many replies have something
        self._newest: list[tuple[float, bytes, bytes]] = []  # time, tag and shard of each reply, for `etag: latest`

    def add(self, asks: Sequence[Ask], replies: Mapping[ShardId, Reply], *, are_whole: bool = True) -> None:
        """Take in the replies of one round. `are_whole`: their bodies have come."""
        for ask in asks:
            if self._tags is None and self._latest is None:
                return
            reply = replies[ask.shard]
            if self._tags is not None:
                self._add_tag(ask, reply, are_whole)
            if self._latest is not None:
                self._add_time(reply)

    def apply(self, request: Request, merged: Reply, rule: object, tagging: Tagging = "digest") -> Reply:
        """The merged reply with its validators; or 304, where the client already has it. `tagging`: that of the
        merge."""
        if not 200 <= merged.status < 300 or request.method not in (_READS if self._how.heads else _GET):
            return merged
        tag = self._tag(request, rule, tagging, merged.body) if self._tags and self._given else None
        latest = self._latest if self._latest and self._latest[1] else None
        if self._how.last_modified == "none":
            latest = None
        if tag is not None:
            merged.fields.append((b"ETag", tag))
        if latest is not None:
            merged.fields.append((b"Last-Modified", latest[1]))
        if not _is_known(request, tag, None if latest is None else latest[0]):
            return merged
        return Reply(304, [field for field in merged.fields if field[0].lower() not in NOT_IN_304])

    def _add_tag(self, ask: Ask, reply: Reply, are_whole: bool) -> None:
        tag = reply.field(b"etag")
        if self._tags is None:
            return
        self._found += not _has_nothing(reply)
        if tag is not None and _TAG.fullmatch(tag) is not None:
            self._given = True
            if not _has_nothing(reply):
                self._own[ask.shard] = tag
            self._tags += (ask.shard.encode(), ask.target, tag)
            if self._how.etag == "latest":
                self._newest.append((http_time(reply.field(b"last-modified")) or _NEVER, tag, ask.shard.encode()))
        elif tag is None and _has_nothing(reply):
            self._tags += (ask.shard.encode(), ask.target, b"%d" % reply.status)
        elif tag is None and self._how.needs == "any" and (are_whole or self._how.etag == "latest"):
            # Its body stands for the tag: rows that come to it later are another list, with a tag or without.
            self._tags += (ask.shard.encode(), ask.target, blake2b(reply.body, digest_size=16).digest())
        else:
            self._tags = None

    def _add_time(self, reply: Reply) -> None:
        text = reply.field(b"last-modified")
        if text is None and (self._how.needs == "any" or _has_nothing(reply)):
            return
        time = http_time(text)
        if self._latest is None or time is None or text is None:
            self._latest = None
        else:
            self._latest = max(self._latest, (time, text))

    def _tag(self, request: Request, rule: object, tagging: Tagging, body: bytes) -> bytes:
        tags = self._tags or []
        if tagging == "own" and self._found == len(self._own) == 1:
            return next(iter(self._own.values()))
        if self._how.etag == "latest" and min(self._newest)[0] > _NEVER:
            latest = max(self._newest)[0]
            newest = [each for each in self._newest if each[0] == latest]
            if len({tag for _, tag, _ in newest}) == 1:
                return newest[0][1]
            tags = [text for _, tag, shard in newest for text in (shard, tag)]
        wanted = [request.target, *(request.fields.values.get(name, b"") for name in _NEGOTIATED)]
        texts = [msgspec.json.encode(rule), *wanted]
        if tagging == "parts" and self._found == len(self._own):
            return joined(self._own, texts)
        if tagging == "body":
            tags = [body]
        return b'W/"%b"' % digest_of([*texts, *tags], 16)


def _has_nothing(reply: Reply) -> bool:
    """Whether a reply that is merged says by its status that the shard has nothing (`not_here`)."""
    return reply.status >= 300 or reply.status == 204


def _is_known(request: Request, tag: bytes | None, latest: float | None) -> bool:
    """RFC 9110 section 13.2.2: If-None-Match decides; If-Modified-Since only where there is no If-None-Match."""
    values = request.fields.values
    none_match = values.get(b"if-none-match")
    if none_match is not None:
        if tag is None:
            return False
        # Section 13.1.2: a weak comparison looks only at what stands between the quotes.
        return none_match.strip() == b"*" or _TAG.findall(tag)[0] in _TAG.findall(none_match)
    since = values.get(b"if-modified-since")
    if since is None or latest is None or b"if-modified-since" in request.fields.repeated:
        return False
    time = http_time(since)
    return time is not None and latest <= time
