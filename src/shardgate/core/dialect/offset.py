"""A bare array, paged by limit and offset; the size of the list stands in a header, where the application states it."""

from collections.abc import Sequence
from typing import ClassVar

from shardgate.core.contracts import Listing, Merged, Streamable
from shardgate.core.http import Reply
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import lowered, read_count, read_counts, with_field


class Offset(Parameters, frozen=True, tag="offset"):
    """`limit=20&offset=40&order=-name,id`: the body is the list."""

    streamable: ClassVar[Streamable] = "always"

    count_header: str | None = None
    """The reply header with the size of the filtered list, whatever limit and offset are; null: there is none."""

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head that it writes anew."""
        return lowered(self.count_header)

    def open(self, reply: Reply) -> Listing:
        """The body, and the size in the header. Raises BrokenReplyError."""
        return Listing(reply.body, read_count(reply, self.count_header))

    def sizes(self, replies: Sequence[Reply]) -> list[int | None]:
        """The sizes in the header. Raises BrokenReplyError."""
        return read_counts(replies, self.count_header)

    def close(self, merged: Merged) -> Reply:
        """The rows, and the size of the whole list."""
        reply = Reply(200, list(merged.reply.fields), merged.rows)
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        return reply
