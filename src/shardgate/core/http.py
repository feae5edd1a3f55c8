"""Requests and replies as values: Request, RequestFields, ReplyHead, Reply. They do nothing but look things up.

Hot path: values are built for every message; measured by `make bench`.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final

import msgspec

from shardgate.core.value import LightValue

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


class RequestFields(LightValue, frozen=True, gc=False):
    """A validated header section of a request, with everything that was read from it. Shared between requests."""

    host: bytes
    content_length: int
    chunked: bool
    keep_alive: bool
    expects_continue: bool
    end_to_end: bytes
    """The lines that are passed on: without hop-by-hop fields, framing, Host, and lines that the gateway writes
    itself."""
    unconditional: bytes
    """The same lines without conditions, ranges and codings: a gather sends these."""
    values: dict[bytes, bytes]
    """Lower-case name → value. The values of a field that came more than once are joined by commas."""
    repeated: frozenset[bytes]
    """The names of fields that came more than once."""
    request_id: bytes | None
    upgrade: bytes = b""
    """The protocol that the client asks for, in lower case (RFC 9110 section 7.8); b"": it asks for none."""
    takes_trailers: bool = False
    has_body: bool = False
    """The request has a body, maybe an empty one."""
    method_override: tuple[bytes, bytes] | None = None
    """The header that names another method for the request, and that method; both empty where it is not clear."""
    packed_tags: frozenset[bytes] = frozenset()
    """The application's tags that the client's If-None-Match names in the form that packed replies have."""

    def __repr__(self) -> str:
        """Only the names: a traceback or a log that shows a request shows no credentials."""
        return f"RequestFields({', '.join(sorted(name.decode('latin-1') for name in self.values))})"


class Request:
    """One request of a client. Its body may still arrive. A class, no struct: compiled, its members cost a tenth."""

    body: bytes = b""
    arriving: bool = False
    """The body is not whole yet: it is sent on while it arrives, or collected first."""
    scheme: str = "http"
    """The scheme that the client used: `http` or `https`."""
    claims: Mapping[str, object] | None = None
    """The claims of the client's verified token; None: it has none, or tokens are not verified."""
    binding: frozenset[str] = frozenset()
    """The names of the claims that bind the client: it may name no other key than they do."""

    def __init__(
        self, method: str, sent_method: bytes, target: bytes, path: str, query: str, fields: RequestFields, minor: int
    ) -> None:
        self.method = method
        """The method of the operation: the one that was sent, or the one that a header names (method override)."""
        self.sent_method = sent_method
        self.target = target
        self.path = path
        self.query = query
        self.fields = fields
        self.minor = minor

    def asking(
        self, *, query: str | None = None, target: bytes | None = None, fields: RequestFields | None = None
    ) -> "Request":
        """The same request with another query, target or header section."""
        other = Request(
            self.method,
            self.sent_method,
            self.target if target is None else target,
            self.path,
            self.query if query is None else query,
            self.fields if fields is None else fields,
            self.minor,
        )
        other.body, other.arriving, other.scheme = self.body, self.arriving, self.scheme
        other.claims, other.binding = self.claims, self.binding
        return other

    def __repr__(self) -> str:
        """Without query, body and token: a traceback or a log may show it."""
        return f"Request({self.method} {self.path})"

    @property
    def length(self) -> int | None:
        """The length of the body in bytes; None: there is no body, or it arrives in chunks."""
        if not self.fields.has_body:
            return None
        if self.arriving:
            return None if self.fields.chunked else self.fields.content_length
        return len(self.body)


class ReplyHead(LightValue, frozen=True, gc=False):
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
