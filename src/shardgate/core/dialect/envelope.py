"""Lists in an object: `{"data": [...], "pagination": {"total": 9, "limit": 3, "offset": 0, "has_more": true}}`."""

from collections.abc import Mapping

import msgspec

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.echoes import NoPage
from shardgate.core.paging.links import Linked, Rel, check_begins


class Envelope(Linked, frozen=True, tag="envelope"):
    """Limit and offset; the body is an object with the list. Members are named by path: `pagination.total`."""

    items: str = "items"
    """The member with the list."""
    total: str | None = "total"
    """The member with the size of the filtered list. A body without it states no size."""
    has_more: str | None = None
    """The member that says whether there are rows behind the page; null: there is no such member."""
    limit_echo: str | None = None
    """The member that repeats the limit; null: there is no such member."""
    offset_echo: str | None = None
    """The member that repeats the offset; null: there is no such member."""
    urls: Mapping[Rel, str] = msgspec.field(default_factory=dict)
    """The members with the addresses of other pages: `{next: next, prev: links.prev}`. Where there is no such page the
    address is null."""
    no_page: NoPage = "null"
    """How the address or number of a page that does not exist is written, where a shard's own reply does not show it:
    `null`, `zero`, `text` (an empty one), `false`; `absent`: it is left out."""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        own = (self.items, self.total, self.has_more, self.limit_echo, self.offset_echo)
        return (*own, *self.urls.values(), *self.echoes)

    def open(self, reply: Reply) -> Listing:
        """The list, its size, and whether there is more. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        check_begins(self.origin, body, *self.urls.values())
        total, more = body.number(self.total), body.flag(self.has_more)
        if total is None and more is None:
            more = self.more_told(body, self.urls.get("next"))
        return Listing(body.value(self.items), total, more, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows."""
        page = merged.page
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            self.limit_echo: page.limit,
            self.offset_echo: page.offset,
        }
        links = self.links(merged) if self.urls else {}
        pages = {self.has_more: merged.more, **self.named(merged, self.urls, links)}
        return Reply(200, list(merged.reply.fields), self.led(merged, changes, pages, no_page=self.no_page))
