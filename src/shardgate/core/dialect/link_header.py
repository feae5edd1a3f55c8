"""Bare arrays whose neighbours stand in a Link field (RFC 8288): `Link: <…?page=2>; rel="next"`."""

from typing import ClassVar

from shardgate.core.contracts import Ahead, Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.paging.links import Linked, Rel
from shardgate.core.replies.fields import read_count, with_field


class LinkHeader(Linked, frozen=True, tag="link_header"):
    """Page numbers; with `page: null` limit and offset. Counts, where there are any, are fields of the reply."""

    ahead: ClassVar[Ahead] = "counted"

    page: str | None = "page"
    limit: str = "per_page"
    rels: tuple[Rel, ...] = ("first", "prev", "next", "last")
    """The links that the application writes, in its order."""
    count_header: str | None = None
    """The reply field with the size of the filtered collection: `X-Total-Count`."""
    pages_header: str | None = None
    """The reply field with the number of pages."""

    def open(self, reply: Reply) -> Listing:
        """The body; the count of its field, or whether there is a next page. Raises BrokenReplyError."""
        link = reply.field(b"link")
        more = link is not None and (b'rel="next"' in link or b"rel=next" in link)
        return Listing(reply.body, read_count(reply, self.count_header), more)

    def close(self, merged: Merged) -> Reply:
        """The rows, with the links and counts of the whole list."""
        reply = Reply(200, list(merged.reply.fields), merged.rows)
        links = self.links(merged)
        said = ", ".join(f'<{url}>; rel="{rel}"' for rel in self.rels if (url := links[rel]) is not None)
        with_field(reply, "Link", said.encode() if merged.page.offset or merged.more else None)
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        if merged.total is not None and self.pages_header is not None:
            with_field(reply, self.pages_header, b"%d" % -(-merged.total // (merged.page.limit or 1)))
        return reply
