"""Members of a reply that describe its page: `{"pageable": {"offset": 20}, "numberOfElements": 10, "last": false}`.

Every dialect whose rows stand in an object can name them, whatever the application calls them and wherever they stand.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from shardgate.core.contracts import Merged
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

_NO_PAGE: Final = frozenset({b"null", b"false", b'""', b"0", b'"0"', b"-1", b"[]", b"{}"})
"""How applications write that there is no next page."""
_LEADING: Final = frozenset(
    {"has_next", "has_previous", "next_page", "previous_page", "next_offset", "previous_offset"}
)
"""What is said of a page that may not exist: then applications may leave the member out."""


class Echoing(Parameters, frozen=True):
    """The base of dialects whose rows stand in an object."""

    echoes: Mapping[str, Echo] = msgspec.field(default_factory=dict)
    """Further members that describe the page → what they say: `{pageable.offset: offset, numberOfElements: count, last:
    is_last}`. A number that there is not, such as that of the page behind the last one, is `null`."""

    def more_told(self, body: JsonObject, *members: str | None) -> bool | None:
        """Whether a reply that states no size says that there is a next page: by one of these members, which lead to
        it, or by one that `echoes` names. None: it does not say. Raises BrokenReplyError."""
        for member in members:
            if member is not None and (value := body.raw(member)) is not None:
                return value not in _NO_PAGE
        for member, echo in self.echoes.items():
            if echo in {"next_page", "next_offset"} and (value := body.raw(member)) is not None:
                return value not in _NO_PAGE
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
        absent: bool = False,
    ) -> bytes:
        """A shard's object with these changes, with what `echoes` names, and with members that lead to other pages.

        One of `pages` is added where the shard's own page had none. Where there is no such page (None, or False), it
        stays as the shard wrote that; `absent`: or else it is left out. `document`: None: that of `merged.reply`.
        """
        document = document or JsonObject(merged.reply.body)
        echoed = self.echoed(merged)
        leading = {**pages, **{member: echoed[member] for member in echoed if self.echoes[member or ""] in _LEADING}}
        written, added, left = {**changes, **echoed}, dict[str, object](), list[str]()
        for member, page in leading.items():
            own = None if member is None else document.raw(member)
            written.pop(member, None)
            if member is None or (own is None and not page):
                continue
            if own is None:
                added[member] = page
            elif page or own not in _NO_PAGE:
                written[member] = page
                left += [member] if absent and not page else []
        body = document.edited(written)
        for member in left:
            body = JsonObject(body).without(member)
        for member, page in added.items():
            body = _with(body, member, page)
        return body

    def counted(self, merged: Merged, member: str | None) -> dict[str | None, object]:
        """The member with the number of pages. Of a list without rows, each shard says what the application does: 0, or
        one page."""
        if merged.total == 0:
            return {}
        return {member: None if merged.total is None else -(-merged.total // merged.size)}

    def echoed(self, merged: Merged) -> dict[str | None, object]:
        """The members that repeat what the page is."""
        if not self.echoes:
            return {}
        offset, limit, size = merged.page.offset, merged.page.limit, merged.size
        own = offset // size + self.page_first
        behind, before, shown = merged.more, offset > 0, merged.shown
        known: dict[Echo, object] = {
            "limit": limit,
            "offset": offset,
            "page": own,
            "pages": None if merged.total is None else -(-merged.total // size),
            "total": merged.total,
            "count": shown,
            "from": offset + 1 if shown else None,
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
        if merged.total == 0:  # what each shard says of a list without rows, the application says, too
            said = {"pages", "from", "to"} if merged.is_none else {"pages"}
            return {member: known[echo] for member, echo in told if echo not in said}
        return {member: known[echo] for member, echo in told}


def _with(body: bytes, path: str, value: object) -> bytes:
    """The body with another member; objects on its path that are not there are made."""
    document, (parent, _, name) = JsonObject(body), path.rpartition(".")
    if not parent or (document.raw(parent) or b"")[:1] == b"{":
        return document.put(path, value)
    return _with(body, parent, {name: value}) if document.raw(parent) in {None, b"null", b"[]"} else body
