"""Members of a reply that describe its page: `{"pageable": {"offset": 20}, "numberOfElements": 10, "last": false}`.

Every dialect whose rows stand in an object can name them, whatever the application calls them and wherever they stand.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from shardgate.core.contracts import Merged
from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.parameters import Parameters

Echo = Literal[
    "limit",
    "offset",
    "page",
    "pages",
    "total",
    "count",
    "from",
    "start",
    "to",
    "has_next",
    "has_previous",
    "is_first",
    "is_last",
    "is_empty",
    "next_page",
    "previous_page",
    "next_offset",
    "previous_offset",
]

NoPage = Literal["null", "absent", "zero", "text", "false"]
"""How an application writes the address or the number of a page that does not exist."""
_NO_PAGE: Final = {"zero": b"0", "text": b'""', "false": b"false"}
NO_PAGE_WRITTEN: Final = frozenset({b"null", b"false", b'""', b"0", b'"0"', b"-1", b"[]", b"{}"})
"""How applications write that there is no next page."""
_LEADING: Final = frozenset(
    {"has_next", "has_previous", "next_page", "previous_page", "next_offset", "previous_offset"}
)
"""What is said of a page that may not exist: then applications may leave the member out."""
_NUMBERED: Final = frozenset(
    {"offset", "page", "from", "start", "to", "next_page", "previous_page", "next_offset", "previous_offset"}
)
"""What follows from the place of a page in its list."""


class Echoing(Parameters, frozen=True):
    """The base of dialects whose rows stand in an object."""

    echoes: Mapping[str, Echo] = msgspec.field(default_factory=dict)
    """Further members that describe the page → what they say: `{pageable.offset: offset, numberOfElements: count, last:
    is_last}`. A number that there is not, such as that of the page behind the last one, is `null`. `start` is the
    number of the first row that the page could have, `from` that of the first row that it has."""

    def check_unnumbered(self) -> None:
        """Raises ValueError where `echoes` has a number that a page by a cursor has not."""
        for member, echo in self.echoes.items():
            if echo in _NUMBERED:
                raise ValueError(f"a page by a cursor has no `{echo}`, which `echoes` says of {member}; remove it")

    def more_told(self, body: JsonObject, *members: str | None) -> bool | None:
        """Whether a reply that states no size says that there is a next page: by one of these members, which lead to
        it, or by one that `echoes` names. None: it does not say. Raises BrokenReplyError."""
        for member in members:
            if member is not None and (value := body.raw(member)) is not None:
                return value not in NO_PAGE_WRITTEN
        for member, echo in self.echoes.items():
            if echo in {"next_page", "next_offset"} and (value := body.raw(member)) is not None:
                return value not in NO_PAGE_WRITTEN
            flag = body.flag(member) if echo in {"has_next", "is_last"} else None
            if flag is not None:
                return flag is (echo == "has_next")
        return None

    def led(
        self,
        merged: Merged,
        changes: Mapping[str | None, object],
        pages: Mapping[str | None, object],
        *,
        document: JsonObject | None = None,
        no_page: NoPage = "null",
    ) -> bytes:
        """A shard's object with these changes, with what `echoes` names, and with members that lead to other pages.

        One of `pages` is added where the shard's own page had none. Where there is no such page (None, or False), it
        stays as the shard wrote that, or else as `no_page` says. `document`: None: that of `merged.reply`.
        """
        document = document or JsonObject(merged.reply.body)
        echoed = self.echoed(merged)
        leading = {**pages, **{member: echoed[member] for member in echoed if self.echoes[member or ""] in _LEADING}}
        written, added, left = {**changes, **echoed}, dict[str, object](), list[str]()
        for member, page in leading.items():
            own, is_none = None if member is None else document.raw(member), page is None or page is False
            written.pop(member, None)
            if member is None or (own is None and is_none):
                continue
            if own is None:
                added[member] = page
            elif not is_none or own not in NO_PAGE_WRITTEN:
                written[member] = _NO_PAGE.get(no_page) if page is None else page
                left += [member] if no_page == "absent" and is_none else []
        body = document.edited(written)
        for member in left:
            body = JsonObject(body).without(member)
        for member, page in added.items():
            body = _with(body, member, page)
        return body

    def counted(self, merged: Merged, member: str | None) -> dict[str | None, object]:
        """The member with the number of pages. Of a list without rows, each shard says what the application does: 0, or
        one page. Raises BrokenReplyError where it is stated, and the size of the list is not known."""
        if member is None or merged.known == 0:
            return {}
        return {member: pages_of(merged, JsonObject(merged.reply.body).raw(member), f"member {member}")}

    def echoed(self, merged: Merged) -> dict[str | None, object]:
        """The members that repeat what the page is."""
        if not self.echoes:
            return {}
        offset, limit, size = merged.page.offset, merged.page.limit, merged.size
        own = offset // size + self.page_first
        before = offset > 0 if merged.before is None else merged.before
        behind = merged.more if merged.behind is None else merged.behind
        shown = merged.shown
        known: dict[Echo, object] = {
            "limit": limit,
            "offset": offset,
            "page": own,
            "pages": None if merged.known is None else -(-merged.known // size),
            "total": merged.known,
            "count": shown,
            "from": offset + 1 if shown else None,
            "start": offset + 1,
            "to": offset + shown if shown else None,
            "has_next": behind,
            "has_previous": before,
            "is_first": not before,
            "is_last": not behind,
            "is_empty": not shown,
            "next_page": own + 1 if behind else None,
            "previous_page": own - 1 if before else None,
            "next_offset": offset + (limit or 0) if behind else None,
            "previous_offset": max(0, offset - (limit or 0)) if before else None,
        }
        told = self.echoes.items()
        body = JsonObject(merged.reply.body) if merged.known is None else None
        for member, echo in told:
            if body is not None and echo in {"pages", "total"}:
                pages_of(merged, body.raw(member), f"member {member}")
        if merged.known == 0:  # what each shard says of a list without rows, the application says, too
            said = {"pages", "from", "to"} if merged.is_none else {"pages"}
            return {member: known[echo] for member, echo in told if echo not in said}
        return {member: known[echo] for member, echo in told}


def pages_of(merged: Merged, own: bytes | None, where: str) -> int | None:
    """The number of pages; None where it is not known. `own`: what a shard says that follows from the size of its list.

    Raises BrokenReplyError where it says so, and the size of the whole list is not known.
    """
    if merged.known is not None:
        return -(-merged.known // merged.size)
    if own is None or own == b"null":
        return None
    raise BrokenReplyError(
        "a shard says how many pages its list has, and none says how many rows: those of the whole list are not known",
        where=where,
        log=f"found `{excerpt(own)}`; name the member or header with the size of the list in the dialect",
    )


def _with(body: bytes, path: str, value: object) -> bytes:
    """The body with another member; objects on its path that are not there are made."""
    document, (parent, _, name) = JsonObject(body), path.rpartition(".")
    if not parent or path.startswith("@") or (document.raw(parent) or b"")[:1] == b"{":
        return document.put(path, value)
    return _with(body, parent, {name: value}) if document.raw(parent) in {None, b"null", b"[]"} else body
