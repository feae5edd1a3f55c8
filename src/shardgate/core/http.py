"""Requests and replies as values: Request, RequestFields, ReplyHead, Reply. They do nothing but look things up.

Hot path: values are built for every message; measured by `make bench`.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

import msgspec

from shardgate.core.request import Request as Request
from shardgate.core.request import RequestFields as RequestFields

_name = itemgetter(0)
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# RFC 9110 section 15.4.5: a 304 does not repeat the headers that describe the body.
NOT_IN_304: Final = frozenset(
    {
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-range",
        b"content-type",
    }
)

Field = tuple[bytes, bytes, bytes]
"""Lower-case name, value, and the whole line as it came, with its CRLF."""


def names_of(fields: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    """The names of fields, in lower case. Replies one after another have the same, so that they are remembered."""
    return _lowered(tuple(map(_name, fields)))


@lru_cache(maxsize=128)
def _lowered(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(map(bytes.lower, names))


@lru_cache(maxsize=128)
def _places(names: tuple[bytes, ...]) -> dict[bytes, int]:
    """Lower-case name → the number of the first field that has it."""
    return {name.lower(): number for number, name in reversed([*enumerate(names)])}


class ReplyHead(msgspec.Struct, frozen=True, gc=False):
    """The head of a shard's reply. Shared between replies."""

    status: int
    reason: bytes
    fields: list[Field]
    """The fields that are passed on: without hop-by-hop fields and framing."""
    lines: bytes
    """The same fields, as they are written."""
    content_length: int | None
    chunked: bool
    keep_alive: bool
    upgrade: bytes = b""
    """The protocol that a 101 switches to, in lower case."""
    is_packed: bool = False
    """The body has a content coding."""
    is_event_stream: bool = False
    """The body is server-sent events: it may be silent for long."""
    names_shard: bool = False
    """A field or the reason holds the address of a shard, which a client must not read."""
    named: tuple[list[Field], list[tuple[bytes, bytes]]] | None = None
    """`fields`, and the same with their names as the shard wrote them: once a whole reply was made with this head."""
    written: tuple[list[Field], int, bytes] | None = None
    """`fields`, `content_length`, and the head as clients get it whose connections go on: once it was written."""

    def with_body(self, body: bytes) -> "Reply":
        """The whole reply; its fields are named as the shard wrote them."""
        named = self.named
        if named is None or named[0] is not self.fields:  # a head that was made of another may have its `named`
            named = (self.fields, [(line[: len(name)], value) for name, value, line in self.fields])
            msgspec.structs.force_setattr(self, "named", named)
        return Reply(self.status, named[1].copy(), body, self.reason)


class Reply(msgspec.Struct):
    """A whole reply: one of a shard that was collected, or one of the gateway that is to be sent."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    reason: bytes | None = None

    def field(self, name: bytes) -> bytes | None:
        """The first value of a field, by its lower-case name."""
        fields = self.fields
        place = _places(tuple(map(_name, fields))).get(name)
        return None if place is None else fields[place][1]
