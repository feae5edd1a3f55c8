"""Bare arrays paged by limit and offset, sorted by one parameter, counted by a header on request.

Never: judges a value that it cannot read. It says UNKNOWN, the shards are asked as the client asked, and refuse.
"""

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import parse_qsl, quote_plus, unquote_plus

from shardgate.core.contracts import UNKNOWN, Page, Strategy, Unknown
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply

# One a Python int() would read is not enough: "+5", " 5" and "5_0" mean different things to different servers.
_NUMBER = re.compile(r"[0-9]{1,15}")


class Offset(Strategy, frozen=True, tag="offset"):
    """`limit=20&offset=40&order=-name,id&fields=id,name&with_count=true`, each name as the application has it."""

    limit: str = "limit"
    limit_default: int | None = None
    """What the application takes when no limit is given; null: all rows."""
    offset: str = "offset"
    offset_needs_limit: bool = False
    """The application ignores the offset where no limit is given."""
    order: str = "order"
    direction: str | None = None
    """The parameter with `asc,desc,…`; null: a `-` before the key descends."""
    fields: str | None = None
    count_header: str | None = None
    """The reply field with the size of the filtered collection, ignoring limit and offset."""
    repeated: Literal["refuse", "first", "last"] = "refuse"
    """Which one the application reads, where one of these parameters stands twice."""
    states_order: bool = False
    """Shards are sent the whole order, tie-breaker included: the application breaks ties by what it does not show."""
    refuse: tuple[str, ...] = ()
    """Parameters that page or wrap the list in a way not described here; a shard would do it to its own rows alone."""
    brackets: bool = False
    """The application reads `limit[]=5` or `limit[0]=5` as `limit` (as qs, PHP and Rack do): refused, never a guess."""

    def read_page(self, query: str) -> Page | Unknown:
        """The page that a query string asks for; UNKNOWN where a value cannot be read.

        Raises UnreadablePageError where a parameter stands twice, and the rule does not say which one counts, or where
        one is of those to refuse.
        """
        values = self._own(query)
        limit = _number(values.get(self.limit), self.limit_default)
        offset = _number(values.get(self.offset), 0)
        order = self._order(values)
        fields = values.get(self.fields) if self.fields else None
        names = None if fields is None else tuple(fields.split(","))
        if limit is UNKNOWN or offset is UNKNOWN or order is UNKNOWN or not _all_plain(names or ()):
            return UNKNOWN
        if self.offset_needs_limit and self.limit not in values:
            offset = 0
        return Page(offset or 0, limit, order, names)

    def write_query(self, query: str, *, page: Page, fields: Sequence[str] | None) -> str:
        """The query string for a shard: the client's, with this page and these properties."""
        paging = {self.limit, self.offset} | ({self.fields} if self.fields else set())
        if self.states_order:
            paging |= {self.order, self.direction or self.order}
        parts = [part for part in query.split("&") if part and _name(part) not in paging]
        if page.limit is not None:
            parts.append(f"{self.limit}={page.limit}")
        if page.offset:
            parts.append(f"{self.offset}={page.offset}")
        if self.states_order:
            parts += self._stated(page.order)
        if self.fields and fields is not None:
            parts.append(f"{self.fields}={quote_plus(','.join(fields), safe=',')}")
        return "&".join(parts)

    def total(self, reply: Reply) -> int | None:
        """The count that a shard's reply states; None where it states none. Raises BrokenReplyError."""
        if self.count_header is None:
            return None
        value = reply.field(self.count_header.lower().encode())
        if value is None:
            return None
        if not _NUMBER.fullmatch(text := value.decode("latin-1")):
            raise BrokenReplyError(f"a shard's {self.count_header} is not a number")
        return int(text)

    def with_total(self, reply: Reply, total: int) -> Reply:
        """The merged reply, with the count in the application's header."""
        if self.count_header is not None:
            name = self.count_header.lower().encode()
            reply.fields = [(field, b"%d" % total if field.lower() == name else value) for field, value in reply.fields]
        return reply

    def _own(self, query: str) -> dict[str, str]:
        own = {self.limit, self.offset, self.order, self.direction, self.fields}
        values: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            plain = name.partition("[")[0] if self.brackets else name
            if plain in self.refuse or (plain != name and plain in own):
                raise UnreadablePageError(f"the gateway does not know how the parameter {name!r} changes the list")
            if name not in own or (name in values and self.repeated == "first"):
                continue
            if name in values and self.repeated == "refuse":
                raise UnreadablePageError(f"the parameter {name!r} stands twice")
            values[name] = value
        return values

    def _order(self, values: dict[str, str]) -> tuple[tuple[str, bool], ...] | Unknown:
        text = values.get(self.order)
        if text is None:
            return ()
        names = text.split(",")
        if self.direction is None:
            return tuple((name.removeprefix("-"), name.startswith("-")) for name in names)
        directions = [word.lower() for word in values[self.direction].split(",")] if self.direction in values else []
        if len(directions) > len(names) or not {"asc", "desc"}.issuperset(directions):
            return UNKNOWN
        directions += ["asc"] * (len(names) - len(directions))
        return tuple((name, word == "desc") for name, word in zip(names, directions, strict=True))

    def _stated(self, order: Sequence[tuple[str, bool]]) -> list[str]:
        down = "" if self.direction else "-"
        names = ",".join(f"{down}{name}" if descends else name for name, descends in order)
        stated = [f"{self.order}={quote_plus(names, safe=',')}"]
        if self.direction:
            stated.append(f"{self.direction}={','.join('desc' if descends else 'asc' for _, descends in order)}")
        return stated


def _all_plain(names: Sequence[str]) -> bool:
    """An application may or may not strip spaces, so that nobody here knows which property ` id` is."""
    return all(name and name == name.strip() for name in names)


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])


def _number(text: str | None, default: int | None) -> int | Unknown | None:
    if text is None:
        return default
    return int(text) if _NUMBER.fullmatch(text) else UNKNOWN
