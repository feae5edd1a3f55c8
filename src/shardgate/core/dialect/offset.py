"""Bare arrays paged by limit and offset, sorted by one parameter, counted by a header on request."""

from typing import ClassVar

from shardgate.core.contracts import Ahead, Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.paging.parameters import Parameters
from shardgate.core.replies.fields import read_count, with_field


class Offset(Parameters, frozen=True, tag="offset"):
    """`limit=20&offset=40&order=-name,id&with_count=true`: the body is the list."""

    ahead: ClassVar[Ahead] = "always"

    count_header: str | None = None
    """The reply field with the size of the filtered collection, ignoring limit and offset."""

    def open(self, reply: Reply) -> Listing:
        """The body, and the count of the header. Raises BrokenReplyError."""
        return Listing(reply.body, read_count(reply, self.count_header))

    def close(self, merged: Merged) -> Reply:
        """The rows, and the sum of the counts."""
        reply = Reply(200, list(merged.reply.fields), merged.rows)
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        return reply
