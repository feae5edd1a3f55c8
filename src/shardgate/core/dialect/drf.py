"""Lists of the Django REST framework: `{"count": 9, "next": "http://…", "previous": null, "results": [...]}`."""

from shardgate.core.contracts import Listing, Merged, PastEnd
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.links import Linked, check_begins


class Drf(Linked, frozen=True, tag="drf"):
    """Page numbers (PageNumberPagination); with `page: null` limit and offset (LimitOffsetPagination)."""

    page: str | None = "page"
    """The parameter with the number of the page; `null`: limit and offset."""
    limit: str | None = "page_size"
    """The parameter with the size of a page; `null`: each page has `limit_default` rows."""
    order: str = "ordering"
    """The parameter with the order."""
    past_end: PastEnd = 404
    """The status by which the application refuses a page behind the last row; `last`: it gives the last page."""
    links_sorted: bool = True
    """The application sorts the parameters of its links by name and encodes them anew."""
    first_page_bare: bool = True
    """The application's link to the first page has no page number and no offset."""
    results: str = "results"
    """The member with the list."""
    count: str = "count"
    """The member with the size of the filtered list."""
    next: str = "next"
    """The member with the link to the next page; `null` on the last one."""
    previous: str = "previous"
    """The member with the link to the page before; `null` on the first one."""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        return (self.results, self.count, self.next, self.previous, *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The results and their count. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        check_begins(self.origin, body, self.next, self.previous)
        total = body.number(self.count)
        more = self.more_told(body, self.next) if total is None else None
        return Listing(body.value(self.results), total, more, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with links of the client's own address."""
        links = self.links(merged)
        changes: dict[str | None, object] = {
            self.results: merged.rows,
            self.count: merged.total,
        }
        pages = self.named(merged, {"next": self.next, "prev": self.previous}, links)
        return Reply(200, list(merged.reply.fields), self.led(merged, changes, pages))
