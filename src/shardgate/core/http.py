"""The values that travel: Request, RequestFields, ReplyHead, Reply. No behaviour beyond looking things up.

Hot path: values are built for every message; measured by `make bench`.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

Field = tuple[bytes, bytes, bytes]
"""Lower-case name, value, and the whole line as it came, with its CRLF."""


class RequestFields(msgspec.Struct, frozen=True, gc=False):
    """A validated header section of a request, with all that is read from it; shared between requests."""

    host: bytes
    content_length: int
    chunked: bool
    keep_alive: bool
    expects_continue: bool
    end_to_end: bytes
    """Lines that cross the gateway: without hop-by-hop fields, framing, Host and what the gateway sets itself."""
    unconditional: bytes
    """The same without conditions, ranges and encodings: what a gather sends."""
    values: dict[bytes, bytes]
    """Lower-case name → value. A field that came more than once is in `repeated` and joined here by commas."""
    repeated: frozenset[bytes]
    request_id: bytes | None
    upgrade: bytes = b""
    """The protocol that the client asks to switch to, in lower case (RFC 9110 section 7.8); b"": none."""
    takes_trailers: bool = False
    has_body: bool = False
    """It has a body, maybe an empty one."""
    method_override: tuple[bytes, bytes] | None = None
    """The header by which the request says that it is another method, and that method."""

    def __repr__(self) -> str:
        """By the names alone: a traceback or a log that shows a request shows no credentials."""
        return f"RequestFields({', '.join(sorted(name.decode('latin-1') for name in self.values))})"


class Request(msgspec.Struct):
    """One request of a client, complete but for its body, which may follow."""

    method: str
    """The operation's method: the one that was sent, or the one that it stands for (method override)."""
    sent_method: bytes
    target: bytes
    path: str
    query: str
    fields: RequestFields
    minor: int
    body: bytes = b""
    arriving: bool = False
    """The body has not come whole: it is handed on while it comes, or collected first."""

    scheme: str = "http"
    """What the client spoke: `http` or `https`."""
    claims: Mapping[str, object] | None = None
    """What a verified token says of the client; None: there is none, or nobody verifies here."""

    def __repr__(self) -> str:
        """Without what stands behind the `?`, in the body or in a token: a traceback or a log may show it."""
        return f"Request({self.method} {self.path})"

    @property
    def length(self) -> int | None:
        """The body's length in bytes; None: there is no body, or an arriving one that is chunked."""
        if not self.fields.has_body:
            return None
        if self.arriving:
            return None if self.fields.chunked else self.fields.content_length
        return len(self.body)


class ReplyHead(msgspec.Struct, frozen=True, gc=False):
    """The head of a shard's reply; shared between replies."""

    status: int
    reason: bytes
    fields: list[Field]
    """What crosses the gateway: without hop-by-hop fields and framing."""
    lines: bytes
    """The same, as they are written."""
    content_length: int | None
    chunked: bool
    keep_alive: bool
    upgrade: bytes = b""
    """The protocol that a 101 switches to, in lower case."""
    is_packed: bool = False
    """Its body has a content coding."""
    is_event_stream: bool = False
    """It may be silent for long (server-sent events)."""

    def with_body(self, body: bytes) -> "Reply":
        """The whole reply; its fields are named as the shard wrote them."""
        return Reply(self.status, [(line[: len(name)], value) for name, value, line in self.fields], body, self.reason)


class Reply(msgspec.Struct):
    """A whole reply: a shard's, collected; or one of ours, to be sent."""

    status: int
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    reason: bytes | None = None

    def field(self, name: bytes) -> bytes | None:
        """The first value of a field, by its lower-case name."""
        size = len(name)
        for field_name, value in self.fields:
            if len(field_name) == size and field_name.lower() == name:
                return value
        return None
