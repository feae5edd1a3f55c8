"""Lists by page number, with a page block: `{"events": [...], "pagination": {"page_number": 2, "page_count": 7}}`."""

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.parameters import Parameters


class Pages(Parameters, frozen=True, tag="pages"):
    """A page's number and size; the body says how many there are. Members are named by path: `pagination.total`."""

    page: str | None = "page"
    """The parameter with the number of the page."""
    limit: str = "page_size"
    """The parameter with the size of a page."""
    items: str = "items"
    """The member with the list."""
    total: str | None = "total"
    """The member with the number of all rows of the filtered list. The totals of all shards are added."""
    page_count: str | None = "page_count"
    """The member with the number of pages."""
    page_count_min: int = 0
    """The number of pages of an empty list, as the application counts: 0 or 1."""
    page_echo: str | None = "page"
    """The member that repeats the number of the page."""
    limit_echo: str | None = "page_size"
    """The member that repeats the size of a page."""
    count_echo: str | None = None
    """The member with the number of rows on the page."""
    has_more: str | None = None
    """The member that says whether there are rows behind the page."""

    def open(self, reply: Reply) -> Listing:
        """The list under its path, and what stands beside it. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        return Listing(body.array(self.items), body.number(self.total), body.flag(self.has_more))

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with the page block of the whole list."""
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
