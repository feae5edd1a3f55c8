"""The query parameters that page and sort a list: what every dialect reads from a client and writes to a shard.

A page is rows [offset, offset + limit), also where the application counts pages: then only whole pages can be asked
for, and `cover` says which page holds the rows that are wanted.

Never: judges a value that it cannot read. It says UNKNOWN, the shards are asked as the client asked, and refuse.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Final, Literal
from urllib.parse import parse_qsl, quote_plus, unquote_plus

from shardgate.core.contracts import UNKNOWN, Ahead, Page, Unknown
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.paging.sort_parameters import SortParameters

# One a Python int() would read is not enough: "+5", " 5" and "5_0" mean different things to different servers.
_NUMBER = re.compile(r"[0-9]+")
# No list has so many rows: what is behind is empty, and so many are all there are.
ROWS_MAX: Final = 10**15
# Python reads no longer numbers (sys.set_int_max_str_digits); whoever takes one of these takes the longer one too.
_DIGITS_MAX = 4000
# So many sizes are tried to find a page that holds all wanted rows; about every second one does.
_SIZES_TRIED = 256


class Parameters(SortParameters, frozen=True):
    """`limit=20&offset=40&order=-name,id&fields=id,name`, each name as the application has it."""

    posted: ClassVar[bool] = False
    """Whether the list is asked for by POST."""
    ahead: ClassVar[Ahead] = "never"

    limit: str = "limit"
    limit_default: int | None = None
    """What the application takes when no limit is given; null: all rows."""
    limit_max: int | None = None
    """The most rows that one request gives; null: any number."""
    limit_over: Literal["cut", "refuse"] = "cut"
    """What the application does with a greater limit."""
    offset: str = "offset"
    offset_needs_limit: bool = False
    """The application ignores the offset where no limit is given."""
    page: str | None = None
    """The parameter with a page's number, in applications that have that instead of an offset."""
    page_first: int = 1
    """The number of the first page."""
    fields: str | None = None
    repeated: Literal["refuse", "first", "last"] = "refuse"
    """Which one the application reads, where one of these parameters stands twice."""
    past_end: int | None = None
    """The status by which the application refuses a page behind the last row; null: it gives an empty one."""
    refuse: tuple[str, ...] = ()
    """Parameters that page or wrap the list in a way not described here; a shard would do it to its own rows alone."""
    brackets: bool = False
    """The application reads `limit[]=5` or `limit[0]=5` as `limit` (as qs, PHP and Rack do): refused, never a guess."""

    def __post_init__(self) -> None:
        """Pages have a size."""
        if self.page is not None and not (self.limit_default and self.limit_max):
            raise ValueError("a list with page numbers needs limit_default and limit_max")
        if self.limit_max is not None and self.limit_max < 1:
            raise ValueError("limit_max is at least 1")

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return (200,)

    def refused(self, reply: Reply, total: int) -> Reply:
        """A shard's refusal of a page behind the end, telling the size of the whole list where it tells one."""
        return reply

    def read(self, request: Request) -> Page | Unknown:
        """The page that a client asks for, as `read_page`."""
        return self.read_page(request.query)

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """What a shard is asked, as target and body."""
        query = self.write_query(request.query, page=page, fields=fields)
        return (f"{request.path}?{query}" if query else request.path).encode(), b""

    def read_page(self, query: str) -> Page | Unknown:
        """The page that a query string asks for; UNKNOWN where a value cannot be read.

        Raises UnreadablePageError where a parameter stands twice, and the rule does not say which one counts, or where
        one is of those to refuse.
        """
        return self._page_of(self._own(query))

    def _page_of(self, values: dict[str, str]) -> Page | Unknown:
        limit = self._limit(values)
        offset = UNKNOWN if limit is UNKNOWN else self._offset(values, limit)
        order = self.read_order(values)
        fields = values.get(self.fields) if self.fields else None
        names = None if fields is None else tuple(fields.split(","))
        if limit is UNKNOWN or offset is UNKNOWN or order is UNKNOWN or not _all_plain(names or ()):
            return UNKNOWN
        if self.offset_needs_limit and self.limit not in values:
            offset = 0
        return Page(offset, limit, order, names)

    def write_query(self, query: str, *, page: Page, fields: Sequence[str] | None) -> str:
        """The query string for a shard: the client's, with this page and these properties."""
        own = {self.limit, self.page or self.offset}
        if self.fields and fields is not None and _said(query, self.fields) == [",".join(fields)]:
            fields = None  # as the client wrote it, also where it cannot be read
        elif self.fields:
            own |= {self.fields}
        if self.states_order:
            own |= {self.order, self.direction or self.order}
        parts = [part for part in query.split("&") if part and name_of(part) not in own]
        parts += [f"{_written(name)}={number}" for name, number in self.paging(page)]
        if self.states_order:
            parts += self.stated(page.order)
        if self.fields and fields is not None:
            parts.append(f"{self.fields}={quote_plus(','.join(fields), safe=',')}")
        return "&".join(parts)

    def paging(self, page: Page) -> list[tuple[str, int]]:
        """The parameters that ask for these rows; where pages are counted, they are one whole page (`cover`)."""
        said = [] if page.limit is None else [(self.limit, page.limit)]
        if self.page is not None:
            said.append((self.page, page.offset // (page.limit or 1) + self.page_first))
        elif page.offset:
            said.append((self.offset, page.offset))
        return said

    def cover(self, start: int, count: int | None) -> tuple[int, int | None]:
        """The rows (first, how many) of one request that gives row `start` and as many of the `count` as it can."""
        most = self.limit_max
        if most is None:
            return start, count
        wanted = most if count is None else min(count, most)
        if self.page is None or not wanted:
            return start, wanted
        for size in range(wanted, min(most, wanted + _SIZES_TRIED, start + wanted) + 1):
            if start % size + wanted <= size:
                return start - start % size, size
        if start + wanted <= most:
            return 0, start + wanted
        size = min(range(max(1, most - _SIZES_TRIED), most + 1), key=lambda size: start % size - size)
        return start - start % size, size

    def unpaged(self, request: Request) -> str:
        """What a list is known by: its path and query, and nothing of its page, nor which properties are shown."""
        own = {self.limit, self.page or self.offset, self.fields}
        kept = [part for part in request.query.split("&") if name_of(part) not in own]
        return f"{request.path}?{'&'.join(kept)}"

    def _names(self) -> set[str | None]:
        """The parameters that are read."""
        return {self.limit, self.page or self.offset, self.order, self.direction, self.fields}

    def _own(self, query: str) -> dict[str, str]:
        own = self._names()
        values: dict[str, str] = {}
        for name, value in _pairs(query):
            plain = name.partition("[")[0] if self.brackets else name
            if plain in self.refuse or (plain != name and plain in own):
                raise UnreadablePageError(f"the gateway does not know how the parameter {name!r} changes the list")
            if name not in own or (name in values and self.repeated == "first"):
                continue
            if name in values and name == self.order and self.order_repeats:
                values[name] += f"&{value}"  # no property is named like that
            elif name in values and self.repeated == "refuse":
                raise UnreadablePageError(f"the parameter {name!r} stands twice")
            else:
                values[name] = value
        return values

    def _limit(self, values: dict[str, str]) -> int | Unknown | None:
        limit = _number(values.get(self.limit), self.limit_default)
        if limit is UNKNOWN or (limit == 0 and self.page is not None):
            return UNKNOWN
        if limit is not None and self.limit_max is not None and limit > self.limit_max:
            return self.limit_max if self.limit_over == "cut" else UNKNOWN
        return limit

    def _offset(self, values: dict[str, str], limit: int | None) -> int | Unknown:
        if self.page is None:
            offset = _number(values.get(self.offset), 0)
            return offset or 0 if offset is not UNKNOWN else UNKNOWN
        page = _number(values.get(self.page), self.page_first)
        if page is UNKNOWN or page is None or page < self.page_first:
            return UNKNOWN
        return (page - self.page_first) * (limit or 0)


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values, decoded; what nothing is encoded in is only cut (1 µs instead of 4)."""
    if "%" in query or "+" in query:
        return parse_qsl(query, keep_blank_values=True)
    return [(name, value) for name, _, value in [part.partition("=") for part in query.split("&") if part]]


def _said(query: str, name: str) -> list[str]:
    """The values of a parameter, decoded."""
    return [unquote_plus(part.partition("=")[2]) for part in query.split("&") if name_of(part) == name]


def name_of(part: str) -> str:
    """The name of a query string's part, decoded."""
    name = part.partition("=")[0]
    return unquote_plus(name) if "%" in name or "+" in name else name


@lru_cache(maxsize=256)
def _written(name: str) -> str:
    """A parameter's name as a query has it; there are as many as the configuration names."""
    return quote_plus(name)


def _all_plain(names: Sequence[str]) -> bool:
    """An application may or may not strip spaces, so that nobody here knows which property ` id` is."""
    return all(name and name == name.strip() for name in names)


def _number(text: str | None, default: int | None) -> int | Unknown | None:
    if text is None:
        return default
    if not _NUMBER.fullmatch(text):
        return UNKNOWN
    return int(text) if len(text) <= _DIGITS_MAX else 10**_DIGITS_MAX
