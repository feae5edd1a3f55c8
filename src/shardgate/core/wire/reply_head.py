"""The head of a shard's reply: bytes → ReplyHead, or a broken reply.

Holds: framing is decided once, here (RFC 9112 section 6.3), and written anew towards the client.
Hot path: heads within one second are often the same bytes, and cost one look-up (4 µs less), or none where it is the
last head once more; or they differ in Content-Length alone, and cost two. In others, each line that was seen before
costs one look-up.
"""

import re

from shardgate.core.errors import BrokenReplyError, ClientError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Field, ReplyHead
from shardgate.core.limits import REMEMBERED_BLOCK_BYTES_MAX, REMEMBERED_BLOCKS_MAX
from shardgate.core.wire.addresses import ADDRESSED, NO_ADDRESSES, ShardAddresses, origin_of
from shardgate.core.wire.fields import HOP_BY_HOP, FieldReader

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n")
_CRLF = b"\r\n"
_LENGTH = re.compile(rb"\d{1,18}")
_LENGTH_LINE = re.compile(rb"\r\ncontent-length: (\d{1,18})\r\n", re.IGNORECASE)
_FRAMING = HOP_BY_HOP | {b"content-length"}


class ReplyHeadParser:
    """Reads reply heads, and remembers those that it has seen. Each pool has one."""

    __slots__ = ("_addresses", "_changes", "_heads", "_reader", "_shapes", "last", "last_read")

    def __init__(self, addresses: ShardAddresses = NO_ADDRESSES) -> None:
        self._addresses = addresses
        self._changes = addresses.changes
        self._reader = FieldReader()
        self._heads: dict[bytes, ReplyHead] = {}
        self._shapes: dict[bytes, ReplyHead] = {}
        """Heads without the number in Content-Length, each with a head that was read."""
        self.last = b""
        """The last head that is remembered, with the empty line. `last_read`: what was read of it. What comes next and
        begins with the same bytes has the same head."""
        self.last_read: ReplyHead | None = None

    def parse(self, head: bytes) -> ReplyHead:
        """Read a head: from the status line to the CRLF of the last field line, without the empty line.

        Raises BrokenReplyError.
        """
        known = self._heads.get(head)
        if known is None:
            known = self._read(head)
            if len(head) > REMEMBERED_BLOCK_BYTES_MAX:
                return known
            if len(self._heads) >= REMEMBERED_BLOCKS_MAX:
                self._heads.clear()
            self._heads[head] = known
        self.last, self.last_read = head + _CRLF, known
        return known

    def renew(self) -> None:
        """Forget the heads that were read with other addresses of shards: what names a shard is another one now."""
        if self._changes != self._addresses.changes:
            self._changes = self._addresses.changes
            self._heads.clear()
            self._shapes.clear()
            self.last, self.last_read = b"", None

    def for_client(self, head: ReplyHead, asked: bytes) -> ReplyHead:
        """A head that names a shard, without its address. `asked`: the head of the request that it answers."""
        return self._addresses.replaced(head, origin_of(asked))

    def _read(self, head: bytes) -> ReplyHead:
        """The head of one reply after another differs from those before it in its length, and once a second in Date."""
        length = _LENGTH_LINE.search(head)
        if length is None or len(head) > REMEMBERED_BLOCK_BYTES_MAX:
            return self._parse(head)
        shape = head[: length.start(1)] + head[length.end(1) :]
        like = self._shapes.get(shape)
        if like is not None:
            return like.with_length(int(length[1]))
        found = self._parse(head)
        if len(self._shapes) >= REMEMBERED_BLOCKS_MAX:
            self._shapes.clear()
        self._shapes[shape] = found
        return found

    def _parse(self, head: bytes) -> ReplyHead:
        match = _STATUS_LINE.match(head)
        if match is None:
            log = f"found `{excerpt(head.partition(_CRLF)[0])}`, expected `HTTP/1.1 200 OK`"
            raise BrokenReplyError("a shard's status line is not HTTP/1.1", where="byte 0", log=log)
        minor, status, reason = match.groups()
        try:
            fields = self._reader.read(head[match.end() : -2] if len(head) > match.end() + 2 else b"")
        except ClientError as error:
            raise BrokenReplyError("a shard's header section is malformed", where="head", log=error.detail) from error
        own: dict[bytes, bytes] = {}
        crossing: list[Field] = []
        for field in fields:
            name, value, _ = field
            if name not in _FRAMING:
                crossing.append(field)
            elif name not in own:
                own[name] = value
            elif name == b"content-length":
                raise BrokenReplyError(
                    "a shard's reply has two Content-Length fields",
                    where="header Content-Length",
                    log=f"found `{excerpt(own[name])}` and `{excerpt(value)}`",
                )
            else:
                own[name] += b"," + value
        connection, coding = own.get(b"connection", b"").lower(), own.get(b"transfer-encoding")
        if connection:
            crossing = _without_nominated(crossing, connection)
        reason = reason or b""
        names = {name for name, _, _ in crossing}
        read = ReplyHead(
            int(status),
            reason,
            crossing,
            b"".join([line for _, _, line in crossing]),
            _length(own.get(b"content-length"), coding, minor),
            coding is not None,
            b"close" not in connection if minor == b"1" else b"keep-alive" in connection,
        )
        read.upgrade = own.get(b"upgrade", b"").lower()
        read.is_packed = b"content-encoding" in names
        read.is_event_stream = any(
            name == b"content-type" and value.startswith(b"text/event-stream") for name, value, _ in crossing
        )
        has_addresses = b":" in reason or not names.isdisjoint(ADDRESSED)
        read.names_shard = has_addresses and self._addresses.are_in(reason, crossing)
        return read


def _length(length: bytes | None, coding: bytes | None, minor: bytes) -> int | None:
    # RFC 9112 section 6.1: a 1.0 message has no transfer coding.
    if coding is not None and (length is not None or coding.lower() != b"chunked" or minor == b"0"):
        found = (
            f"HTTP/1.{minor.decode()}, Transfer-Encoding `{excerpt(coding)}`, Content-Length `{excerpt(length or b'')}`"
        )
        raise BrokenReplyError(
            "a shard's reply is framed in two ways, or in one we do not know",
            where="header Transfer-Encoding",
            log=found,
        )
    if length is None:
        return None
    if _LENGTH.fullmatch(length) is None:
        raise BrokenReplyError(
            "a shard's Content-Length is not one plain number",
            where="header Content-Length",
            log=f"found `{excerpt(length)}`, expected a number of at most 18 digits",
        )
    return int(length)


def _without_nominated(fields: list[Field], connection: bytes) -> list[Field]:
    """RFC 9110 section 7.6.1: fields that Connection names do not cross either."""
    options = {option.strip() for option in connection.split(b",")}
    return [field for field in fields if field[0] not in options]
