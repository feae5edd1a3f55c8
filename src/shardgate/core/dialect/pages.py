"""Numbered pages, described in the body: `{"events": [...], "pagination": {"page_number": 2, "page_count": 7}}`."""

from collections.abc import Mapping

import msgspec

from shardgate.core.contracts import Listing, Merged
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.echoes import NoPage
from shardgate.core.paging.links import Linked, Rel, check_begins


class Pages(Linked, frozen=True, tag="pages"):
    """A page has a number and a size; the body says how many pages there are. Members are named by path."""

    page: str | None = "page"
    """The parameter with the number of the page."""
    limit: str | None = "page_size"
    """The parameter with the size of a page; `null`: each page has `limit_default` rows."""
    items: str = "items"
    """The member with the list."""
    total: str | None = "total"
    """The member with the size of the filtered list."""
    page_count: str | None = "page_count"
    """The member with the number of pages."""
    page_echo: str | None = "page"
    """The member with the number of this page."""
    limit_echo: str | None = "page_size"
    """The member with the size of a page."""
    count_echo: str | None = None
    """The member with the number of rows on this page; null: there is no such member."""
    has_more: str | None = None
    """The member that says whether there is a next page; null: there is no such member."""

    numbers: Mapping[Rel, str] = msgspec.field(default_factory=dict)
    """The members with the numbers of other pages: `{next: next_page, prev: prev_page, last: meta.last}`. Where there
    is no such page the number is null; the last one follows from the number of pages."""
    urls: Mapping[Rel, str] = msgspec.field(default_factory=dict)
    """The members with the addresses of other pages: `{next: next_page_url, prev: prev_page_url}`. Where there is no
    such page the address is null."""
    no_page: NoPage = "null"
    """How the address or number of a page that does not exist is written, where a shard's own reply does not show it:
    `null`, `zero`, `text` (an empty one), `false`; `absent`: it is left out."""
    from_echo: str | None = None
    """The member with the number of the page's first row, counted from 1, null where the page is empty; null: there is
    no such member."""
    to_echo: str | None = None
    """The member with the number of the page's last row, as `from_echo`; null: there is no such member."""

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that it writes anew."""
        return (
            *(self.items, self.total, self.page_count, self.page_echo, self.limit_echo, self.count_echo, self.has_more),
            *(self.from_echo, self.to_echo, *self.numbers.values(), *self.urls.values(), *self.echoes),
        )

    def open(self, reply: Reply) -> Listing:
        """The list, its size, and whether there is more. Raises BrokenReplyError."""
        body = JsonObject(reply.body)
        check_begins(self.origin, body, *self.urls.values())
        total, more = body.number(self.total), body.flag(self.has_more)
        if total is None and more is None:
            more = self.more_told(body, self.numbers.get("next"), self.urls.get("next"))
        return Listing(body.value(self.items), total, more, document=body)

    def close(self, merged: Merged) -> Reply:
        """The object of a shard, around the merged rows, with the pages of the whole list."""
        size = merged.size
        pages = None if merged.known is None else -(-merged.known // size)
        changes: dict[str | None, object] = {
            self.items: merged.rows,
            self.total: merged.total,
            **self.counted(merged, self.page_count),
            self.page_echo: merged.page.offset // size + self.page_first,
            self.limit_echo: size,
            self.count_echo: merged.shown,
        }
        if not merged.is_none:  # an application may write 0, or null
            changes[self.from_echo] = merged.page.offset + 1 if merged.shown else None
            changes[self.to_echo] = merged.page.offset + merged.shown if merged.shown else None
        neighbours: dict[str | None, object] = {self.has_more: merged.more}
        if self.numbers:
            own = merged.page.offset // size + self.page_first
            known: dict[Rel, int | None] = {
                "first": self.page_first,
                "prev": own - 1 if own > self.page_first else None,
                "self": own,
                "next": own + 1 if merged.more else None,
                "last": None if pages is None else pages + self.page_first - 1,
            }
            neighbours |= self.named(merged, self.numbers, known)
        if self.urls:
            links = self.links(merged)
            neighbours |= self.named(merged, self.urls, links)
        return Reply(200, list(merged.reply.fields), self.led(merged, changes, neighbours, no_page=self.no_page))
