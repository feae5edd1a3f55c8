"""The head of a shard's reply as a value: everyone knows it by `core/http.py`.

Hot path: compiled, which that module cannot be: replies are decoded from the store (decision 54).
"""

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
