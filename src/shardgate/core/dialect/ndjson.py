"""One row a line (NDJSON, JSON Lines), paged by limit and offset."""

import msgspec

from shardgate.core.contracts import Listing, Merged
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.array import cut
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import lowered, read_count, with_field

# Marks, in `Listing.extra`, a body whose last line does not end.
_UNENDED = b"!"


class Ndjson(Parameters, frozen=True, tag="ndjson"):
    """Each line is one row. The last line ends, or does not, as in the application."""

    count_header: str | None = None
    """The reply header with the size of the filtered list; null: there is none."""

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head that it writes anew."""
        return lowered(self.count_header)

    def open(self, reply: Reply) -> Listing:
        """The lines as an array. Raises BrokenReplyError."""
        lines = [line for line in reply.body.splitlines() if line]
        rows = b"[%b]" % b",".join(lines)
        if len(cut(rows).raw) != len(lines):
            number, line = next((n, line) for n, line in enumerate(lines) if not _is_one_row(line))
            detail = "a line of a shard's list is not one row"
            raise BrokenReplyError(detail, where=f"line {number}, counted from 0", log=f"found `{excerpt(line)}`")
        return Listing(rows, read_count(reply, self.count_header), extra=_endings(reply.body))

    def close(self, merged: Merged) -> Reply:
        """The rows, one a line."""
        ends = [end for sample in merged.extras if (end := sample.rstrip(_UNENDED))]
        end = ends[0] if ends else b"\n"
        closing = b"" if any(sample.endswith(_UNENDED) for sample in merged.extras) else end
        rows: list[msgspec.Raw] = cut(merged.rows).raw
        reply = Reply(200, list(merged.reply.fields), end.join(rows) + closing if rows else b"")
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        return reply


def _is_one_row(line: bytes) -> bool:
    try:
        return len(cut(b"[%b]" % line).raw) == 1
    except BrokenReplyError:
        return False


def _endings(body: bytes) -> bytes:
    """How a reply ends its lines, and a mark where its last line does not end."""
    if not body:
        return b""
    end = b"\r\n" if b"\r\n" in body else b"\n" if b"\n" in body else b""
    return end if body.endswith(b"\n") else end + _UNENDED
