"""A bare array with links to other pages in a header (RFC 8288): `Link: <…?page=2>; rel="next"`."""

from collections.abc import Sequence, Set
from typing import ClassVar

from shardgate.core.contracts import Listing, Merged, Streamable
from shardgate.core.http import Reply
from shardgate.core.paging.echoes import pages_of
from shardgate.core.paging.links import Linked, Rel, check_begin
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
    own_ends: bool = True
    """The first page names itself as `first`, and the last one itself as `last`; false: as GitHub, they do not."""
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
        if reply.field(b"link") is None:
            return Listing(reply.body, read_count(reply, self.count_header), more=False)
        pages = page_links(reply)
        for url in pages.values():
            check_begin(self.origin, b'"%b' % url.encode("latin-1"), "header Link")
        extra = " ".join(pages).encode()
        return Listing(reply.body, read_count(reply, self.count_header), "next" in pages, extra=extra)

    def close(self, merged: Merged) -> Reply:
        """The rows, with the links and counts of the whole list. Raises BrokenReplyError."""
        reply = Reply(200, list(merged.reply.fields), merged.rows)
        written = [{*each.decode().split()} for each in merged.extras]
        links = self.links(merged)
        if "last" in self.rels:
            own = next((b"last" for each in written if "last" in each), None)
            pages_of(merged, own, "header Link")
        link = ", ".join(f'<{url}>; rel="{rel}"' for rel in self._rels(merged, written) if (url := links[rel]))
        with_field(reply, "Link", link.encode() or None)
        if merged.total is not None and self.count_header is not None:
            with_field(reply, self.count_header, b"%d" % merged.total)
        if merged.known != 0 and self.pages_header is not None:
            pages = pages_of(merged, reply.field(self.pages_header.lower().encode()), f"header {self.pages_header}")
            if pages is not None:
                with_field(reply, self.pages_header, b"%d" % pages)
        return reply

    def _rels(self, merged: Merged, written: Sequence[Set[str]]) -> Sequence[Rel]:
        """The links that this page has. `written`: those of each shard's page that has any."""
        before, behind = bool(merged.page.offset), merged.more
        if not before and not behind:  # so is the page of each shard: it shows what the application writes there
            return [rel for rel in self.rels if any(rel in each for each in written)]
        if before and not behind and not self.links_behind and not merged.shown:
            return []
        left = set() if self.own_ends else {"" if before else "first", "" if behind else "last"}
        if merged.total is None and not any("last" in each for each in written):
            left.add("last")
        return [rel for rel in self.rels if rel not in left]
