"""JSON:API lists: `page[number]=2&page[size]=10` → `{"data": [...], "included": [...], "links": {...}, "meta": {...}}`.

`included` has the resources that the rows of the page refer to, each once, in the order of the references.
"""

import msgspec

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.included import included
from shardgate.core.paging.links import Linked, Rel


class JsonApi(Linked, frozen=True, tag="json_api"):
    """Page numbers; with `page: null` limit and offset: then write `limit: page[limit]`, `offset: page[offset]`."""

    page: str | None = "page[number]"
    """The parameter with the number of the page; `null`: limit and offset."""
    limit: str | None = "page[size]"
    """The parameter with the size of a page. With limit and offset, write `page[limit]`."""
    offset: str = "page[offset]"
    """The parameter with the number of rows before the page, where `page` is `null`."""
    order: str = "sort"
    """The parameter with the order."""
    rels: tuple[Rel, ...] = ("self", "first", "prev", "next", "last")
    """The links that the application writes, in its order. Others of these five are dropped."""
    links_absent: bool = False
    """A link to a page that does not exist is left out; false: it is `null`."""
    total: str | None = "meta.total"
    """The member with the size of the filtered list."""
    page_count: str | None = None
    """The member with the number of pages; null: there is no such member."""
    included_absent: bool | None = None
    """The application leaves `included` out where it has no resources; false: it writes `[]`. What a shard's reply
    shows of it counts before this. Where none does, and nothing is said here, the reply is a 502."""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        return ("data", self.total, self.page_count, "included", "links", *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The primary data, its size, and the whole, whose resources the page may need. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        total, more = body.number(self.total), None
        if total is None:
            more = self.more_told(body, "links.next" if "next" in self.rels else None)
            if more is None and "next" in self.rels and self.links_absent:
                more = False
        return Listing(body.value("data"), total, more, extra=reply.body, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with the resources that they refer to and links of our own."""
        changes: dict[str | None, object] = {
            "data": merged.rows,
            self.total: merged.total,
            **self.counted(merged, self.page_count),
        }
        body = self.led(merged, changes, {})
        if any(b'"included"' in each for each in merged.extras):
            query, absent = merged.request.query, self.included_absent
            resources = included(query, merged.rows, merged.extras, absent=absent)
            document = JsonObject(body)
            if resources is None:
                body = document.without("included")
            else:
                body = document.put("included", msgspec.Raw(resources))
        urls = self.links(merged)
        links = {rel: urls[rel] for rel in self.rels}
        absent = self.links_absent
        adds = absent or any(JsonObject(each).raw("links") is not None for each in merged.extras)
        body = self.linked(merged, body, "links", links, absent=absent, adds=adds)
        return Reply(200, list(merged.reply.fields), body)
