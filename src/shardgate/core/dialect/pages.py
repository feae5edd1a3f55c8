"""Lists by page number, with a page block: `{"events": [...], "pagination": {"page_number": 2, "page_count": 7}}`."""

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.parameters import Parameters


class Pages(Parameters, frozen=True, tag="pages"):
    """A page's number and size; the body says how many there are. Members are named by path: `pagination.total`."""

    page: str | None = "page"
    limit: str = "page_size"
    items: str = "items"
    total: str | None = "total"
    page_count: str | None = "page_count"
    page_count_min: int = 0
    """How many pages an empty list has, as the application counts: 0 or 1."""
    page_echo: str | None = "page"
    limit_echo: str | None = "page_size"
    count_echo: str | None = None
    """How many rows this page has."""
    has_more: str | None = None

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
