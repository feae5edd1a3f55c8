"""A bare array with links to other pages in a header (RFC 8288): `Link: <…?page=2>; rel="next"`."""

from typing import ClassVar

from shardgate.core.contracts import Listing, Merged, Streamable
from shardgate.core.http import Reply
from shardgate.core.paging.links import Linked, Rel
from shardgate.core.replies.fields import lowered, read_count, with_field
from shardgate.core.replies.page_links import page_links


class LinkHeader(Linked, frozen=True, tag="link_header"):
    """Page numbers; with `page: null` limit and offset. Counts, where the application states them, are headers."""

    streamable: ClassVar[Streamable] = "with_total"

    page: str | None = "page"
    """The parameter with the number of the page; `null`: limit and offset."""
    limit: str | None = "per_page"
    """The parameter with the size of a page; `null`: each page has `limit_default` rows."""
    rels: tuple[Rel, ...] = ("first", "prev", "next", "last")
    """The links that the application writes, in its order. `self` is known, too."""
    links_behind: bool = True
    """A page behind the last row has links, too."""
    count_header: str | None = None
    """The reply header with the size of the filtered list, `X-Total-Count`; null: there is none."""
    pages_header: str | None = None
    """The reply header with the number of pages; null: there is none."""

    def __post_init__(self) -> None:
        """There is no object around the rows. Raises ValueError."""
        super().__post_init__()
        if self.echoes:
            raise ValueError("`echoes` speaks of the object around the rows, which this dialect has not; remove it")

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head that it writes anew."""
        return lowered(self.count_header, self.pages_header)

    def open(self, reply: Reply) -> Listing:
        """The body, its size, and whether Link names a next page. Raises BrokenReplyError."""
        more = reply.field(b"link") is not None and "next" in page_links(reply)
        return Listing(reply.body, read_count(reply, self.count_header), more)

    def close(self, merged: Merged) -> Reply:
        """The rows, with the links and counts of the whole list."""
        reply = Reply(200, list(merged.reply.fields), merged.rows)
        links = self.links(merged)
        link = ", ".join(f'<{url}>; rel="{rel}"' for rel in self.rels if (url := links[rel]) is not None)
        linked = (bool(merged.page.offset) and (self.links_behind or merged.shown > 0)) or merged.more
        with_field(reply, "Link", link.encode() if linked else None)
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        if merged.total and self.pages_header is not None:
            with_field(reply, self.pages_header, b"%d" % -(-merged.total // merged.size))
        return reply
