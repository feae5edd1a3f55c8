"""A request as a value, its header section, and the head of a reply: everyone knows them by `core/http.py`.

Hot path: compiled, which that module cannot be: replies are decoded from the store (decision 54).
"""

from collections.abc import Mapping
from typing import Final

_NO_TAGS: Final[frozenset[bytes]] = frozenset()


class RequestFields:
    """A validated header section of a request, with everything that was read from it. Shared between requests, so that
    whoever needs another makes a copy. A class, no struct: see decision 54."""

    host: bytes = b""
    content_length: int = 0
    chunked: bool = False
    keep_alive: bool = True
    expects_continue: bool = False
    end_to_end: bytes = b""
    """The lines that are passed on: without hop-by-hop fields, framing, Host, and lines that the gateway writes
    itself."""
    unconditional: bytes = b""
    """The same lines without conditions, ranges and codings: a gather sends these."""
    request_id: bytes | None = None
    upgrade: bytes = b""
    """The protocol that the client asks for, in lower case (RFC 9110 section 7.8); b"": it asks for none."""
    takes_trailers: bool = False
    has_body: bool = False
    """The request has a body, maybe an empty one."""
    method_override: tuple[bytes, bytes] | None = None
    """The header that names another method for the request, and that method; both empty where it is not clear."""

    def __init__(self, values: dict[bytes, bytes], repeated: frozenset[bytes]) -> None:
        self.values = values
        """Lower-case name → value. The values of a field that came more than once are joined by commas."""
        self.repeated = repeated
        """The names of fields that came more than once."""
        self.packed_tags = _NO_TAGS
        """The application's tags that the client's If-None-Match names in the form that packed replies have."""

    def copy(self) -> "RequestFields":
        """Another one, to be changed."""
        other = RequestFields(self.values, self.repeated)
        other.host, other.content_length, other.chunked = self.host, self.content_length, self.chunked
        other.keep_alive, other.expects_continue = self.keep_alive, self.expects_continue
        other.end_to_end, other.unconditional = self.end_to_end, self.unconditional
        other.request_id, other.upgrade = self.request_id, self.upgrade
        other.takes_trailers, other.has_body = self.takes_trailers, self.has_body
        other.method_override, other.packed_tags = self.method_override, self.packed_tags
        return other

    def __repr__(self) -> str:
        """Only the names: a traceback or a log that shows a request shows no credentials."""
        return f"RequestFields({', '.join(sorted(name.decode('latin-1') for name in self.values))})"


_NOTHING: Final[frozenset[str]] = frozenset()


class Request:
    """One request of a client. Its body may still arrive. A class, no struct: see decision 54."""

    body: bytes = b""
    arriving: bool = False
    """The body is not whole yet: it is sent on while it arrives, or collected first."""
    scheme: str = "http"
    """The scheme that the client used: `http` or `https`."""
    claims: Mapping[str, object] | None = None
    """The claims of the client's verified token; None: it has none, or tokens are not verified."""

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
        self.binding = _NOTHING  # not of the class: a compiled class has no such default
        """The names of the claims that bind the client: it may name no other key than they do."""

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


Field = tuple[bytes, bytes, bytes]
"""Lower-case name, value, and the whole line as it came, with its CRLF."""


class ReplyHead:
    """The head of a shard's reply. Shared between replies, so that whoever needs another makes a copy. A class, no
    struct: see decision 54."""

    upgrade: bytes = b""
    """The protocol that a 101 switches to, in lower case."""
    is_packed: bool = False
    """The body has a content coding."""
    is_event_stream: bool = False
    """The body is server-sent events: it may be silent for long."""
    names_shard: bool = False
    """A field or the reason holds the address of a shard, which a client must not read."""
    named: list[tuple[bytes, bytes]] | None = None
    """`fields` with their names as the shard wrote them, once a whole reply was made with this head."""
    written: bytes | None = None
    """The head as clients get it whose connections go on, once it was written."""

    def __init__(
        self,
        status: int,
        reason: bytes,
        fields: list[Field],
        lines: bytes,
        content_length: int | None,
        chunked: bool,
        keep_alive: bool,
    ) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        """The fields that are passed on: without hop-by-hop fields and framing."""
        self.lines = lines
        """The same fields, as they are written."""
        self.content_length = content_length
        self.chunked = chunked
        self.keep_alive = keep_alive

    def with_length(self, content_length: int | None) -> "ReplyHead":
        """The same head with another length of the body."""
        head = self._with(self.reason, self.fields, self.lines, content_length)
        head.named = self.named
        return head

    def with_fields(self, fields: list[Field], reason: bytes | None = None) -> "ReplyHead":
        """The same head with other fields."""
        lines = b"".join([line for _, _, line in fields])
        return self._with(self.reason if reason is None else reason, fields, lines, self.content_length)

    def with_lines(self, lines: bytes) -> "ReplyHead":
        """The same head that is written with other lines."""
        return self._with(self.reason, self.fields, lines, self.content_length)

    def _with(self, reason: bytes, fields: list[Field], lines: bytes, content_length: int | None) -> "ReplyHead":
        head = ReplyHead(self.status, reason, fields, lines, content_length, self.chunked, self.keep_alive)
        head.upgrade, head.is_packed = self.upgrade, self.is_packed
        head.is_event_stream, head.names_shard = self.is_event_stream, self.names_shard
        return head
