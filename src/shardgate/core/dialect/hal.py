"""HAL lists, as Spring Data writes them: `{"_embedded": {"rows": [...]}, "_links": {...}, "page": {"number": 0}}`."""

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.links import Linked, Rel


class Hal(Linked, frozen=True, kw_only=True, tag="hal"):
    """Page numbers from 0, `sort=name,desc&sort=id`. Members are named by path; the links stand in `_links`."""

    page: str | None = "page"
    """The parameter with the number of the page."""
    page_first: int = 0
    """The number of the first page."""
    limit: str | None = "size"
    """The parameter with the size of a page; `null`: each page has `limit_default` rows."""
    order: str = "sort"
    """The parameter with the order."""
    order_repeats: bool = True
    """Several parameters of this name are several sort keys."""
    suffix: str | None = ","
    """What stands between a sort key and its direction: `name,desc`."""
    items: str
    """The member with the list: `_embedded.rows`."""
    rels: tuple[Rel, ...] = ("first", "prev", "self", "next", "last")
    """The links of `_links` that the application writes, in its order. Others of these five are dropped; one to no page
    is left out."""
    links_single: bool = False
    """The application writes `first` and `last` also where all rows are on one page."""
    empty_absent: bool = True
    """An empty page has no `_embedded`."""
    total: str | None = "page.totalElements"
    """The member with the size of the filtered list."""
    page_count: str | None = "page.totalPages"
    """The member with the number of pages."""
    page_echo: str | None = "page.number"
    """The member with the number of this page."""
    limit_echo: str | None = "page.size"
    """The member with the size of a page."""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        return (self.items, self.total, self.page_count, self.page_echo, self.limit_echo, "_links", *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The list under its path, and its size. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        total = body.number(self.total)
        more = None
        if total is None:
            more = self.more_told(body, "_links.next" if "next" in self.rels else None)
            more = False if more is None and "next" in self.rels else more
        if self.empty_absent and body.raw(self.items) is None and body.raw(self._embedded) is None:
            return Listing(b"[]", total, more, document=body)
        return Listing(body.value(self.items), total, more, extra=reply.body, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard (of one with rows, if any has rows), around the merged rows."""
        size = merged.size
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            **self.counted(merged, self.page_count),
            self.page_echo: merged.page.offset // size + self.page_first,
            self.limit_echo: merged.page.limit,
        }
        document = JsonObject(merged.reply.body)
        if merged.shown and merged.extras and document.raw(self.items) is None:
            document = JsonObject(merged.extras[0])
        body = self.led(merged, changes, {}, document=document)
        if not merged.shown and self.empty_absent:
            body = JsonObject(body).without(self._embedded)
        single = not (merged.page.offset or merged.more or self.links_single)
        urls = self.links(merged)
        links = {rel: None if single and rel in {"first", "last"} else urls[rel] for rel in self.rels}
        body = self.linked(merged, body, "_links", links, absent=True, form=b'{"href":""}', adds=True)
        return Reply(200, list(merged.reply.fields), body)

    @property
    def _embedded(self) -> str:
        return self.items.partition(".")[0]
