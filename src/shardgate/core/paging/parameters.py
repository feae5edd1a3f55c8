"""The query parameters that page and sort a list: what every dialect reads from a client and writes to a shard.

A page is rows [offset, offset + limit), also where the application numbers its pages. Of those, only whole pages can be
asked for; `cover` says which page holds the wanted rows.

Never: refuses a value that it cannot read. It says UNKNOWN; the shards are sent the client's request, and refuse it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal
from urllib.parse import quote_plus

import msgspec

from shardgate.core.clients.masking import shown
from shardgate.core.contracts import UNKNOWN, Page, PastEnd, Streamable, Unknown
from shardgate.core.errors import UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.paging.known_names import may_page
from shardgate.core.paging.query import encoded, name_of, pairs_of, values_of
from shardgate.core.paging.reading import LAST, PLAIN, Reading, order_of, read_number
from shardgate.core.paging.sort_parameters import SortParameters
from shardgate.core.twins import is_twin, lowered

# No list has so many rows: a page from here on is empty, and a limit of so many means all rows.
ROWS_MAX: Final = 10**15
# A name that means itself to every application: in others stand patterns, functions, or signs and spaces around it.
_PLAIN_NAME = re.compile(r"(?![\s+-])[^*()\[\]{}:!]+(?<!\s)")
# So many page sizes are tried to find a page that holds all wanted rows; about every second size works.
_SIZES_TRIED = 256


class Parameters(SortParameters, frozen=True):
    """`limit=20&offset=40&order=-name,id&fields=id,name`, each parameter named as the application names it."""

    posted: ClassVar[bool] = False
    streamable: ClassVar[Streamable] = "never"

    limit: str | None = "limit"
    """The parameter with the number of rows; where pages are counted, with the size of a page. Null: there is none, and
    each page has `limit_default` rows."""
    limit_default: int | None = None
    """The limit that the application takes when none is given; null: it gives all rows."""
    limit_max: int | None = None
    """The most rows that one request gives. More are read by several requests. Without it: any number."""
    limit_over: Literal["cut", "refuse", "default"] = "cut"
    """What the application does with a limit above `limit_max`: `cut` it, `refuse` the request, or take the
    `default`."""
    reads: Mapping[str, Reading] = msgspec.field(default_factory=dict)
    """Parameter → what the application does with its bad values: `{limit: {bad: default, below: least, least: 1}}`. A
    bad value of a parameter that is not here is refused."""
    limit_is: Literal["count", "end"] = "count"
    """What the limit says: the `count` of rows, or the number of the row at which the page `end`s, the first one behind
    it: `_start=20&_end=30`."""
    offset: str = "offset"
    """The parameter with the number of rows before the page."""
    states_offset: bool = False
    """Shards are sent the offset also where it is 0. Needed where the application reads the limit only beside it."""
    offset_needs_limit: bool = False
    """The application ignores the offset where no limit is given."""
    page: str | None = None
    """The parameter with the number of the page, for applications that have no offset. It needs `limit_default` and
    `limit_max`."""
    page_first: int = 1
    """The number of the first page."""
    fields: str | None = None
    """The parameter with the properties that rows show, `fields=id,name`; null: rows always show all."""
    fields_all: str | None = None
    """The name in it that stands for all properties: `*`; null: there is none. Other names with signs in them
    (`shop.*`, `title:excerpt(9)`, `-name`) are the application's to refuse: what it accepts is refused."""
    fields_always: tuple[str, ...] = ()
    """Properties that rows show whatever `fields` says: `[id]` where `fields=title` gives `id` and `title`."""
    repeated: Literal["refuse", "first", "last"] = "refuse"
    """Where one of these parameters stands twice: `refuse` the request, or take the `first` or the `last` one, as the
    application does."""
    past_end: PastEnd = None
    """The status by which the application refuses a page behind the last row; `last`: it gives the last page; null: it
    gives an empty page."""
    refuse: tuple[str, ...] = ()
    """Parameters that page or wrap the list in other ways; requests with them are refused, since each shard would apply
    them to its own rows alone."""
    passes: tuple[str, ...] = ()
    """Parameters by whose names widespread applications page (`page`, `skip`, `size`, `_limit`, `cursor`, …), and which
    this one ignores, or filters by: they reach the shards as they came. Without it a request with such a parameter, and
    a number in it, is refused unless it is one of the above. So are fields of the request's head, which this names,
    too (`X-Page`, `X-Per-Page`); of a search, also members of the body, by their paths (`pagination.limit`)."""
    names: Literal["strict", "exact", "any_case"] = "strict"
    """How the application reads the names of these parameters. `strict`: it is not known, so that a name which some
    parser takes for one of them is refused (`Limit`, `limit[]`, `limit.x`). `exact`: it reads the exact names alone;
    others reach the shards as they came. `any_case`: it reads `Limit` as `limit`, as ASP.NET does."""

    def __post_init__(self) -> None:
        """A page has a size. Raises ValueError."""
        if self.limit is None:
            if not self.limit_default or self.limit_max not in {None, self.limit_default}:
                raise ValueError("without `limit` each page has limit_default rows; write it, and remove limit_max")
            if self.limit_is == "end" or self.offset_needs_limit:
                raise ValueError("`limit_is` and `offset_needs_limit` speak of a `limit`, which is null")
        elif self.page is not None and not (self.limit_default and self.limit_max):
            raise ValueError("a list with page numbers needs limit_default and limit_max")
        if self.limit_max is not None and self.limit_max < 1:
            raise ValueError("limit_max is at least 1")
        if self.page is not None and (self.limit_is == "end" or self.states_offset):
            raise ValueError("`limit_is: end` and `states_offset` are for lists with an offset; remove them, or `page`")
        if unread := self.reads.keys() - self._names():
            raise ValueError(f"`reads` names {sorted(unread)[0]!r}, which is none of the parameters of this dialect")
        if self.fields_always and self.fields is None:
            raise ValueError("`fields_always` says what `fields` leaves; write `fields`, the parameter's name")
        self._check_reads()
        if self.finds_last and self.posted:
            raise ValueError("`last` is for lists whose page stands in the query; remove it")

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""
        return (200,)

    @property
    def members(self) -> tuple[str | None, ...]:
        """The members of the reply that the dialect writes anew; none where the rows stand in no object."""
        return ()

    @property
    def fields_written(self) -> frozenset[bytes]:
        """The fields of the reply's head, in lower case, that the dialect writes anew."""
        return frozenset()

    @property
    def finds_last(self) -> bool:
        """Whether a request may be for the last page, which only the size of the list tells."""
        if not self.reads:
            return self.past_end == "last"
        return self.past_end == "last" or any(reading.takes_last for reading in self.reads.values())

    @property
    def ordered_by_words(self) -> list[str]:
        """The sort keys that words of the order stand for."""
        words = self._reading(self.order).words.values()
        return [name for text in words if isinstance(text, str) and text != "default" for name, _ in order_of(text)]

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that page and sort."""
        return frozenset([name for name in self._names() if name])

    @property
    def always_sent(self) -> frozenset[str]:
        """Those of them that a shard is sent whenever the client gives them."""
        place = self.page or (self.offset if self.states_offset else None)
        names = (self.limit, place, self.order, self.direction, self.fields)
        return frozenset([name for name in names if name])

    def sizes(self, replies: Sequence[Reply]) -> list[int | None] | None:
        """None: `open` says what is in a reply."""
        return None

    def refused(self, reply: Reply, total: int) -> Reply:
        """A shard's refusal of a page behind the end, as it came."""
        return reply

    def read(self, request: Request) -> Page | Unknown:
        """The page that a client asks for, as `read_page`."""
        return self.read_page(request.query)

    def values(self, request: Request) -> dict[str, str]:
        """The parameters of a request that page and sort. Raises UnreadablePageError, as `read_page`."""
        return self._own(request.query)

    def problem(self, request: Request) -> str:
        """Why `read` gave UNKNOWN: the parameter, its value, and what would be accepted."""
        values = self.values(request)
        limit = self._limit(values)
        if limit is UNKNOWN:
            most = "" if self.limit_max is None else f" up to {self.limit_max}"
            return f"`{self.limit}={excerpt(values[self.limit or ''])}`: a whole number{most} is accepted"
        if self._offset(values, limit) is UNKNOWN:
            name, first = (self.offset, 0) if self.page is None else (self.page, self.page_first)
            return f"`{name}={excerpt(values[name])}`: a whole number from {first} on is accepted"
        if self._order(values) is UNKNOWN:
            return self.direction_problem(values)
        text = values.get(self.fields or "", "")
        return f"`{self.fields}={excerpt(text)}`: names of properties, with commas and no spaces, are accepted"

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """The target and body of a request to a shard."""
        query = self.write_query(request.query, page=page, fields=fields)
        return (f"{request.path}?{query}" if query else request.path).encode(), b""

    def read_page(self, query: str) -> Page | Unknown:
        """The page that a query string asks for; UNKNOWN where a value cannot be read.

        Raises UnreadablePageError where a parameter stands twice and `repeated` does not say which one counts, and
        where a parameter is one of `refuse`.
        """
        return self._page_of(self._own(query))

    def _page_of(self, values: dict[str, str]) -> Page | Unknown:
        limit = self._limit(values)
        offset = UNKNOWN if limit is UNKNOWN else self._offset(values, limit)
        order = self._order(values) if self.reads else self.read_order(values)
        names = None if self.fields is None or self.fields not in values else self._shown(values[self.fields])
        if limit is UNKNOWN or offset is UNKNOWN or order is UNKNOWN or names is UNKNOWN:
            return UNKNOWN
        if self.offset_needs_limit and self.limit not in values:
            offset = 0
        if offset == LAST:
            return Page(0, limit, order, names, is_last=True)
        return Page(offset, limit, order, names)

    def _shown(self, text: str) -> tuple[str, ...] | Unknown | None:
        """The properties that `fields` names; None: all. UNKNOWN where an application may read a name otherwise."""
        if self._reading(self.fields or "").words.get(text) == "default":
            return None
        names = tuple([name.strip() for name in text.split(",")]) if self.spaces == "trim" else tuple(text.split(","))
        if self.fields_all is not None and self.fields_all in names:
            return None
        return names if all(_PLAIN_NAME.fullmatch(name) for name in names) else UNKNOWN

    def _check_reads(self) -> None:
        """What is said of each parameter can be said of it. Raises ValueError."""
        for name, reading in self.reads.items():
            known = {self.limit: ("all", "default"), self.page or self.offset: ("last", "default")}.get(name)
            if known is not None:
                strange = reading.strange(*known)
                if strange is not None:
                    raise ValueError(f"the words of `{name}` stand for numbers, {' or '.join(known)}, not {strange!r}")
                if reading.bad == "ignore":
                    raise ValueError(f"`bad: ignore` is for an order; write `default` for `{name}`")
                if (reading.takes_last and known[0] != "last") or (reading.takes_all and known[0] != "all"):
                    raise ValueError(f"`last` is for a page or an offset, and `all` for a limit: see `{name}`")
            elif name == self.fields:
                _check_fields(name, reading)
            elif name not in {self.order, self.direction}:
                raise ValueError(f"nothing can be said in `reads` of `{name}`; remove it")
            elif reading.is_of_number or reading.bad == "zero":
                raise ValueError(f"`{name}` is no number: `bad` and `words` can be said of an order")
            elif name == self.direction and (reading.bad == "ignore" or reading.words):
                raise ValueError(f"of the directions in `{name}` only `bad: default` can be said")

    def _order(self, values: Mapping[str, str]) -> tuple[tuple[str, bool], ...] | Unknown:
        """As `read_order`, where `reads` says something of it."""
        reading = self.reads.get(self.order, PLAIN)
        word = reading.words.get(values.get(self.order, ""))
        if word is None or self.order not in values:
            lenient = self.direction is not None and self._reading(self.direction).bad == "default"
            return self.read_order(values, lenient=lenient)
        if self.direction in values:
            return UNKNOWN
        return () if word == "default" else order_of(str(word))

    def write_query(self, query: str, *, page: Page, fields: Sequence[str] | None) -> str:
        """The query string for a shard: the client's, with this page and these properties."""
        own: set[str | None] = {self.limit, self.page or self.offset}
        if self.fields and fields is not None and values_of(query, self.fields) == [",".join(fields)]:
            fields = None  # stays as the client wrote it
        elif self.fields and fields is not None:
            own |= {self.fields}
        if self.states_order:
            own |= {self.order, self.direction or self.order}
        if self.names == "any_case":
            query = self.respelled(query)
        parts = [part for part in query.split("&") if part and name_of(part) not in own]
        named = self.paging(page)
        ours = [f"{encoded(name)}={quote_plus(n) if isinstance(n, str) else n}" for name, n in named]
        if self.states_order:
            ours += self.stated(page.order)
        if self.fields and fields is not None:
            ours.append(f"{self.fields}={quote_plus(','.join(fields), safe=',')}")
        if self.repeated == "refuse":
            return "&".join(parts + ours)
        return self._with_unread([part for part in query.split("&") if part], parts, ours)

    def _with_unread(self, asked: Sequence[str], others: Sequence[str], ours: list[str]) -> str:
        """The query with the client's copies of a parameter that do not count: an application may refuse one of them.

        Ours must be the one that counts, so a copy stays only where the parameter is written.
        """
        place, names = self.page or self.offset, [name_of(part) for part in asked]
        if names.count(place) > 1 and all(name_of(part) != place for part in ours):
            ours.append(f"{encoded(place)}=0")
        written = {name_of(part) for part in ours} - ({self.order} if self.order_repeats else set())
        last, kept = self.repeated == "last", set(others)
        places = range(len(names)) if last else range(len(names) - 1, -1, -1)
        counts = {names[n]: n for n in places}  # name -> the place of the copy that counts
        rest = [
            part
            for n, part in enumerate(asked)
            if part in kept or (names[n] in written and (counts[names[n]] > n if last else counts[names[n]] < n))
        ]
        return "&".join(rest + ours if last else ours + rest)

    def paging(self, page: Page) -> list[tuple[str, int | str]]:
        """The parameters that ask for these rows; where pages are numbered, they must be one whole page (`cover`)."""
        limit = page.limit if self.limit_is == "count" or page.limit is None else page.offset + page.limit
        named: list[tuple[str, int | str]] = []
        if self.limit is not None and limit is not None:
            named = [(self.limit, limit)]
        elif self.limit is not None and self.reads and (text := self._reading(self.limit).all_rows) is not None:
            named = [(self.limit, text)]
        if self.page is not None:
            named.append((self.page, page.offset // (page.limit or 1) + self.page_first))
        elif page.offset or self.states_offset:
            named.append((self.offset, page.offset))
        return named

    def last_page(self, total: int, limit: int | None) -> tuple[int, int]:
        """What asks for the last page of a list of this size: its number, or its offset; and its first row."""
        first = max(0, total - 1) // limit * limit if limit else 0
        return (first if self.page is None else first // (limit or 1) + self.page_first), first

    def cover(self, start: int, count: int | None) -> tuple[int, int | None]:
        """The rows (first, how many) of one request that gives row `start` and as many of the `count` as it can."""
        most = self.limit_max
        if self.limit is None and self.limit_default is not None:
            return (start if self.page is None else start - start % self.limit_default), self.limit_default
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
        """The list without its page: path, and query without the parameters that page it or choose its properties."""
        own = {self.limit, self.page or self.offset, self.fields}
        kept = [part for part in self.respelled(request.query).split("&") if name_of(part) not in own]
        return f"{request.path}?{'&'.join(kept)}"

    def _names(self) -> set[str | None]:
        """The parameters that page and sort."""
        return {self.limit, self.page or self.offset, self.order, self.direction, self.fields}

    def _own(self, query: str) -> dict[str, str]:
        own = self._names()
        values: dict[str, str] = {}
        for name, value in pairs_of(self.respelled(query)):
            if name not in own or name in self.refuse:
                self._check_name(name, value, own)
                continue
            if name in values and name == self.order and self.order_repeats:
                values[name] += f"&{value}"  # no property's name has an ampersand
            elif name in values and self.repeated == "first":
                continue
            elif name in values and self.repeated == "refuse":
                both = f"`{shown(name, values[name])}` and as `{shown(name, value)}`"
                raise UnreadablePageError(f"the parameter `{name}` stands twice, as {both}: one is accepted")
            else:
                values[name] = value
        return values

    def _check_name(self, name: str, value: str, own: set[str | None]) -> None:
        """Raises UnreadablePageError where another parameter pages the list, or may be read as one that does."""
        if name in self.refuse:
            meant = name
        elif self.names == "exact":
            return
        else:
            meant = next((key for key in (*own, *self.refuse) if key is not None and is_twin(name, key)), "")
        if not meant and (name in self.passes or not may_page(name, value, sized=self.limit is not None)):
            return
        detail = f"the parameter `{excerpt(name)}` is not accepted: the gateway cannot tell how it changes the list"
        if meant in own:
            detail = f"the parameter `{excerpt(name)}` can be read as `{meant}`; only `{meant}` is accepted"
        raise UnreadablePageError(detail, about={"parameter": excerpt(name)})

    def respelled(self, query: str) -> str:
        """The query with the names of these parameters as they stand here, where the application ignores their case."""
        if self.names != "any_case" or not query:
            return query
        spelled = {lowered(name): name for name in self._names() if name}
        parts = [(part, spelled.get(lowered(name_of(part)))) for part in query.split("&")]
        return "&".join(
            [part if name is None else encoded(name) + part[len(part.partition("=")[0]) :] for part, name in parts]
        )

    def _limit(self, values: dict[str, str]) -> int | Unknown | None:
        if self.limit is None or (text := values.get(self.limit)) is None:
            return self.limit_default
        least = 0 if self.page is None else 1
        limit = read_number(text, self._reading(self.limit), default=self.limit_default, least=least)
        if self.limit_is == "end" and limit is not UNKNOWN and limit is not None:
            start = self._offset(values, None)
            limit = max(0, limit - (0 if start is UNKNOWN else start))
        if limit is UNKNOWN or (limit == 0 and self.page is not None):
            return UNKNOWN
        if limit is not None and self.limit_max is not None and limit > self.limit_max:
            if self.limit_over == "refuse":
                return UNKNOWN
            return self.limit_max if self.limit_over == "cut" else self.limit_default
        return limit

    def _offset(self, values: dict[str, str], limit: int | None) -> int | Unknown:
        name, first = (self.offset, 0) if self.page is None else (self.page, self.page_first)
        number: int | Unknown | None = first
        if (text := values.get(name)) is not None:
            number = read_number(text, self._reading(name), default=first, least=first)
        if number is UNKNOWN or number is None:
            return UNKNOWN
        if number == LAST and self.finds_last:
            return LAST
        return number if self.page is None else (number - first) * (limit or 0)

    def _reading(self, name: str) -> Reading:
        return self.reads.get(name, PLAIN)


def _check_fields(name: str, reading: Reading) -> None:
    """Raises ValueError where something is said of `fields` that cannot be."""
    if {*reading.words.values()} != {"default"} or reading.is_of_number or reading.bad != "refuse":
        raise ValueError(f"of `{name}` only a word for the default can be said: `words: {{'': default}}`")
