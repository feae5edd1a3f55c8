"""Rows one a line (NDJSON, JSON lines), paged by limit and offset."""

import msgspec

from shardgate.core.contracts import Listing, Merged
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.array import cut
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import read_count, with_field

_OPEN = b"!"


class Ndjson(Parameters, frozen=True, tag="ndjson"):
    """A line holds one row. The last one ends as the application ends it."""

    count_header: str | None = None
    """The reply field with the size of the filtered collection."""

    def open(self, reply: Reply) -> Listing:
        """The lines as an array. Raises BrokenReplyError."""
        lines = [line for line in reply.body.splitlines() if line]
        rows = b"[%b]" % b",".join(lines)
        if len(cut(rows).raw) != len(lines):
            raise BrokenReplyError("a line of a shard's list is not one row")
        return Listing(rows, read_count(reply, self.count_header), beside=_endings(reply.body))

    def close(self, merged: Merged) -> Reply:
        """The rows, one a line."""
        ends = [end for sample in merged.beside if (end := sample.rstrip(_OPEN))]
        end = ends[0] if ends else b"\n"
        closing = b"" if any(sample.endswith(_OPEN) for sample in merged.beside) else end
        rows: list[msgspec.Raw] = cut(merged.rows).raw
        reply = Reply(200, list(merged.reply.fields), end.join(rows) + closing if rows else b"")
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        return reply


def _endings(body: bytes) -> bytes:
    """How a reply ends its lines, where it has some; and whether it leaves the last one open."""
    if not body:
        return b""
    end = b"\r\n" if b"\r\n" in body else b"\n" if b"\n" in body else b""
    return end if body.endswith(b"\n") else end + _OPEN
