"""Numbered pages, described in the body: `{"events": [...], "pagination": {"page_number": 2, "page_count": 7}}`."""

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.parameters import Parameters


class Pages(Parameters, frozen=True, tag="pages"):
    """A page has a number and a size; the body says how many pages there are. Members are named by path."""

    page: str | None = "page"
    """The parameter with the number of the page."""
    limit: str = "page_size"
    """The parameter with the size of a page."""
    items: str = "items"
    """The member with the list."""
    total: str | None = "total"
    """The member with the size of the filtered list."""
    page_count: str | None = "page_count"
    """The member with the number of pages."""
    page_count_min: int = 0
    """How many pages the application says that an empty list has: 0 or 1."""
    page_echo: str | None = "page"
    """The member with the number of this page."""
    limit_echo: str | None = "page_size"
    """The member with the size of a page."""
    count_echo: str | None = None
    """The member with the number of rows on this page; null: there is no such member."""
    has_more: str | None = None
    """The member that says whether there is a next page; null: there is no such member."""

    def open(self, reply: Reply) -> Listing:
        """The list, its size, and whether there is more. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        return Listing(body.value(self.items), body.number(self.total), body.flag(self.has_more))

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with the pages of the whole list."""
        size = merged.page.limit or 1
        pages = None if merged.total is None else max(self.page_count_min, -(-merged.total // size))
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            self.page_count: pages,
            self.page_echo: merged.page.offset // size + self.page_first,
            self.limit_echo: size,
            self.count_echo: merged.shown,
            self.has_more: merged.more,
        }
        return Reply(200, list(merged.reply.fields), JsonObject(merged.reply.body).edited(changes))
