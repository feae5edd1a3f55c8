"""Grouped reports merged into one: rows with the same key become one row.

Sums add exactly, the least is the least of all, and an average is computed again from the sums over all shards. Other
properties must be equal.

Holds: rows are sorted as the application sorts them, and a shard whose rows are not is an error. Properties keep the
order in which the application writes them; a row that only one shard has keeps its bytes. A row of several shards is
written as the first of them writes it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from shardgate.core.body.reading import read_member, read_object
from shardgate.core.contracts import UNKNOWN, Unknown
from shardgate.core.errors import OrderBrokenError, UnreadablePageError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows, cut, join
from shardgate.core.json.number import Average, add, least, read_number, write_like
from shardgate.core.json.object import JsonObject
from shardgate.core.json.totals import Totals, check_averages
from shardgate.core.limits import MEMBERS_MAX
from shardgate.core.merge.combining import Aggregating, with_body
from shardgate.core.order.ranking import Down
from shardgate.core.order.sort_key import KeyConfig, likeness, sort_key, transform
from shardgate.core.paging.bounds import check_groups, check_members
from shardgate.core.paging.parameters import ROWS_MAX
from shardgate.core.paging.query import encoded, name_of, pairs_of
from shardgate.core.paging.reading import PLAIN, Reading
from shardgate.core.paging.reading import read_number as read_limit

_Row = dict[str, msgspec.Raw]
_Key = tuple[Any, ...]
_MEMBERS = msgspec.json.Decoder(_Row)


class Groups(Aggregating, frozen=True, tag="groups"):
    """One row for each value of `key`: `[{"city": "Porto", "orders": 3}]`."""

    key: str | tuple[str, ...]
    """The property, or the several properties, by which the application groups; an empty list where it gives one row of
    all."""
    items: str | None = None
    """The path of the member with the rows; null: the body is the list."""
    total: str | None = None
    """The path of the member with the number of groups; null: there is no such member."""
    around: Totals = Totals()
    """How the other members of the object around the rows become one: `{sum: [orders], first_of: [made_at]}`. Members
    that it does not name must be the same on every shard."""
    sum: tuple[str, ...] = ()
    """Properties that add up."""
    min: tuple[str, ...] = ()
    """Properties of which the least counts, of numbers or of texts (by code point); null counts as no value."""
    max: tuple[str, ...] = ()
    """Properties of which the greatest counts, of numbers or of texts (by code point); null counts as no value."""
    average: Mapping[str, Average] = msgspec.field(default_factory=dict)
    """Properties that are averages → the two sums that each is computed from, which must be under `sum`."""
    nulls: Literal["first", "last"] | None = None
    """Where the row whose key is null stands; null: there is no such row."""
    keys: Mapping[str, KeyConfig] = msgspec.field(default_factory=dict)
    """How the values of a `key` compare, written as a list's sort key: `{city: {collation: case_insensitive}}` where
    the application takes `Bern` and `BERN` for one; with `pad_space: true`, `Bern` and `Bern `, too. A key that is not
    here compares by code point; then two shards that differ in case, accents or spaces at the end alone are refused:
    write `{city: text}` where the application tells them apart."""
    order: tuple[str, ...] = ()
    """How the application sorts the rows: properties, most significant first, `-name` descends: `[-orders]`. Ties are
    sorted by the key. Empty: by the key."""
    limit: str | None = None
    """The parameter with the number of rows that the client wants; of a report that is asked for by POST, the path of
    the member of its body. Shards are asked without it, for all their rows. Null: there is no such parameter."""

    limit_default: int | None = None
    """How many rows the application gives where the parameter is not there; null: all. It needs `limit_all`."""
    limit_all: int | None = None
    """What shards are sent as `limit`, for all their rows; more than a shard ever has. Null: they are sent none."""
    complete: bool = False
    """The application gives all of its groups, also where all shards give equally many. False: where rows are sorted by
    `order`, and the rule has no `limit`, equally many rows of every shard are taken for a top of each, and refused."""
    reads: Mapping[str, Reading] = msgspec.field(default_factory=dict)
    """What the application does with bad values of `limit`, as `reads` of a dialect: `{top: {bad: default}}`."""

    def __post_init__(self) -> None:
        """An average is computed from sums. Raises ValueError."""
        check_averages(self.average, self.sum)
        if self.items is None and (self.total is not None or self.around != Totals()):
            raise ValueError("`total` and `around` speak of the object around the rows; write `items`")
        if (self.limit_default is None) is not (self.limit_all is None) or (self.limit_all and self.limit is None):
            raise ValueError("`limit`, `limit_default` and `limit_all` go together; write all of them")
        if (self.limit_default or 0) < 0 or (self.limit_all is not None and self.limit_all < 1):
            raise ValueError("`limit_default` is 0 or more, and `limit_all` 1 or more")
        for name, reading in self.reads.items():
            if name != self.limit or reading.strange("all", "default") or reading.takes_last or reading.bad == "ignore":
                raise ValueError("`reads` says of `limit` what a dialect can say of a limit; see its words")
        if not self._names and (self.keys or self.order or self.nulls):
            raise ValueError("there is one row without a `key`; remove `keys`, `order` and `nulls`")

    @property
    def own(self) -> tuple[str, ...]:
        """The parameter with the number of rows."""
        return () if self.limit is None else (self.limit,)

    def target(self, request: Request) -> bytes:
        """The client's own target without the number of rows: each shard gives all of its groups."""
        if self.limit is None or self.posted or self._limit(request) is UNKNOWN:
            return request.target
        kept = [part for part in request.query.split("&") if part and name_of(part) != self.limit]
        if self.limit_all is not None:
            kept.append(f"{encoded(self.limit)}={self.limit_all}")
        return (f"{request.path}?{'&'.join(kept)}" if kept else request.path).encode()

    def body(self, request: Request) -> bytes:
        """The client's own body without the number of rows."""
        if self.limit is None or not self.posted or self._limit(request) is UNKNOWN:
            return request.body
        if self.limit_all is None and not request.body:
            return request.body
        document = JsonObject(request.body or b"{}", MEMBERS_MAX)
        parent = self.limit.rpartition(".")[0]
        if self.limit_all is not None:
            if parent and document.raw(parent) is None:
                document = JsonObject(document.put(parent, {}))
            return document.put(self.limit, self.limit_all)
        return request.body if document.raw(self.limit) is None else document.without(self.limit)

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The merged rows. Raises BrokenReplyError, OrderBrokenError, ValueError, TypeError, LookupError,
        ArithmeticError."""
        check_members([reply.body for reply in replies])
        documents = [] if self.items is None else [JsonObject(reply.body) for reply in replies]
        bodies = [reply.body for reply in replies] if self.items is None else [d.value(self.items) for d in documents]
        lists = [cut(body) for body in bodies]
        check_groups(sum(len(rows.raw) for rows in lists))
        if self.limit_all is not None and any(len(rows.raw) >= self.limit_all for rows in lists):
            raise ValueError(f"a shard has {self.limit_all} groups or more; write a greater `limit_all`")
        groups: dict[_Key, list[bytes]] = {}
        found: list[set[_Key]] = []
        likes = {name: likeness(self.keys.get(name)) for name in self._names}
        like: dict[_Key, tuple[Any, ...]] = {}
        for rows in lists:
            keys: list[_Key] = []
            places: list[Any] = []
            for raw in rows.raw:  # one row at a time: all rows' members would take ten times the memory of their bytes
                row = _MEMBERS.decode(bytes(raw))
                keys.append(self._key(row))
                if keys[-1] not in like:
                    values = [(likes[name], _value(bytes(row[name]))) for name in self._names]
                    like[keys[-1]] = tuple([value if value is None else same(value) for same, value in values])
                places.append(self._place(row, keys[-1]))
            self._check_order(rows, places)
            found.append(_distinct(keys))
            for key, raw in zip(keys, rows.raw, strict=True):
                groups.setdefault(key, []).append(bytes(raw))
        self._check_alike(found, like)
        self._check_complete([len(rows.raw) for rows in lists], len(groups))
        merged = [(self._merged(written), key) for key, written in groups.items()]
        if self.order:
            merged.sort(key=lambda pair: self._place(_MEMBERS.decode(pair[0]), pair[1]))
        else:
            merged.sort(key=lambda pair: pair[1])
        body = join([msgspec.Raw(row) for row, _ in merged], lists)
        return with_body(replies[0], self._enclosed(documents, body, len(merged)))

    def _enclosed(self, documents: Sequence[JsonObject], rows: bytes, count: int) -> bytes:
        if self.items is None:
            return rows
        also = {self.items: rows}
        if self.total is not None:
            for document in documents:
                document.number(self.total)
            also[self.total] = b"%d" % count
        return self.around.merged(documents, also)

    def shown(self, reply: Reply, request: Request) -> Reply:
        """As many rows as the request wants. Raises UnreadablePageError where the shards accept what is no number."""
        limit = None if self.limit is None else self._limit(request)
        if limit is UNKNOWN:
            raise UnreadablePageError(f"{self._limit_stated(request)}: a whole number, once, is accepted")
        if limit is None:
            return reply
        document = None if self.items is None else JsonObject(reply.body)
        rows = cut(reply.body if document is None or self.items is None else document.value(self.items))
        shown = join(rows.raw[:limit], [rows])
        return with_body(reply, shown if document is None else document.edited({self.items: shown}))

    def describe(self) -> str:
        """The merge in one line."""
        named = [("sums of", self.sum), ("least", self.min), ("greatest", self.max), ("average", tuple(self.average))]
        what = [f"{word} {', '.join(names)}" for word, names in named if names]
        return ", ".join([f"groups by {' and '.join(self._names) or 'nothing'}", *what])

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.key,) if isinstance(self.key, str) else self.key

    def _limit_stated(self, request: Request) -> str:
        values = [value for name, value in pairs_of(request.query) if name == self.limit]
        return " and ".join([f"`{self.limit}={excerpt(value)}`" for value in values]) or f"`{self.limit}`"

    def _limit(self, request: Request) -> int | Unknown | None:
        values = [value for name, value in pairs_of(request.query) if name == self.limit]
        if self.posted and self.limit is not None:
            document = read_object(request.body) if request.body else None
            found = None if document is None else read_member(document, self.limit)
            values = [] if found is None or found == b"null" else [found.decode()]
        if not values:
            return self.limit_default
        if len(values) > 1:
            return UNKNOWN
        reading = self.reads.get(self.limit or "", PLAIN)
        limit = read_limit(values[0], reading, default=self.limit_default, least=0)
        return None if isinstance(limit, int) and limit >= ROWS_MAX else limit

    def _key(self, row: _Row) -> _Key:
        if missing := [name for name in self._names if name not in row]:
            raise ValueError(f"a row lacks {', '.join(missing)}; it has {excerpt(', '.join(row))}")
        values = [(name, _value(bytes(row[name]))) for name in self._names]
        changes = {name: transform(sort_key(config)) for name, config in self.keys.items()}
        compared = [
            change(value) if value is not None and (change := changes.get(name)) else value for name, value in values
        ]
        if self.nulls is None:
            return tuple(compared)
        empty = (0 if self.nulls == "first" else 2, 0)
        return tuple(empty if value is None else (1, value) for value in compared)

    def _place(self, row: _Row, key: _Key) -> Any:
        """Where a row stands among the others."""
        if not self.order:
            return key
        missing = [name for name in self.order if name.removeprefix("-") not in row]
        if missing:
            raise ValueError(f"a row lacks {', '.join(missing)}, by which the rule sorts")
        values = [_value(bytes(row[name.removeprefix("-")])) for name in self.order]
        downs = [name.startswith("-") for name in self.order]
        return (*[Down(value) if down else value for value, down in zip(values, downs, strict=True)], key)

    def _check_order(self, rows: Rows, places: Sequence[Any]) -> None:
        """A shard's rows must be sorted as the rule says: otherwise they are a part of its groups, or sorted by what
        the merge does not know. Raises OrderBrokenError."""
        n = next((n for n in range(1, len(places)) if places[n] < places[n - 1]), None)
        if n is not None:
            by = ", ".join(self.order or self._names)
            found = f"`{excerpt(bytes(rows.raw[n]))}` stands behind `{excerpt(bytes(rows.raw[n - 1]))}`"
            raise OrderBrokenError(
                f"a shard's groups are not sorted by {by}, as the rule says",
                where=f"row {n}, counted from 0",
                log=found,
            )

    def _check_complete(self, counts: Sequence[int], groups: int) -> None:
        """Raises ValueError where the rows look like the top of each shard, of which the top of all cannot be made."""
        is_top = bool(self.order) and self.limit is None and not self.complete
        if is_top and len(counts) > 1 and len({*counts}) == 1 and 1 < counts[0] < groups:
            raise ValueError(
                f"every shard gives {counts[0]} of {groups} groups: a top of each, from which the top of all does not "
                "follow; write `limit`, `limit_default` and `limit_all`, or `complete: true` if these are all groups"
            )

    def _check_alike(self, found: Sequence[set[_Key]], like: Mapping[_Key, tuple[Any, ...]]) -> None:
        """Raises ValueError where the keys of two shards are alike, and no shard tells such keys apart.

        The application may take them for one, and nothing but the rule can say whether it does.
        """
        seen: dict[tuple[Any, ...], _Key] = {}
        for key, same in like.items():
            other = seen.setdefault(same, key)
            if other != key and not any(key in keys and other in keys for keys in found):
                raise ValueError(
                    f"the keys {excerpt(str(other))} and {excerpt(str(key))} of two shards differ in case, accents or "
                    "spaces alone; say in `keys` how the application compares them: its `collation`, and `pad_space`"
                )

    def _merged(self, written: Sequence[bytes]) -> bytes:
        rows = [_MEMBERS.decode(row) for row in written]
        first = rows[0]
        if any(row.keys() != first.keys() for row in rows):
            lacks = next(row for row in rows if row.keys() != first.keys())
            names = ", ".join(sorted(first.keys() ^ lacks.keys()))
            raise ValueError(f"not all rows of one key have {excerpt(names)}")
        if missing := [name for name in (*self.sum, *self.min, *self.max, *self.average) if name not in first]:
            raise ValueError(f"a row lacks {', '.join(missing)}; it has {excerpt(', '.join(first))}")
        sums = {name: add(_texts(rows, name)) for name in self.sum}
        # A row that only one shard has keeps its bytes, but its numbers are checked.
        changes: dict[str | None, object] = {n: write_like(total, _texts(rows, n)) for n, total in sums.items()}
        changes |= {name: least(_texts(rows, name)) for name in self.min}
        changes |= {name: least(_texts(rows, name), greatest=True) for name in self.max}
        for name, average in self.average.items():
            if any(read_number(text) is None and average.empty is not None for text in _texts(rows, name)):
                raise ValueError(f"the average {name} is null, and `empty` says {average.empty} is written instead")
            changes[name] = msgspec.json.encode(average.again(sums[average.of], sums[average.over]))
        if len(rows) == 1:
            return written[0]
        for name in first.keys() - changes.keys() - {*self._names}:
            values = _texts(rows, name)
            if (other := next((value for value in values if value != values[0]), None)) is not None:
                raise ValueError(f"{name} is `{excerpt(values[0])}` on one shard, and `{excerpt(other)}` on another")
        return JsonObject(written[0]).edited(changes)


def _distinct(keys: Sequence[_Key]) -> set[_Key]:
    """The keys of one shard's rows. Raises ValueError where two rows have the same one: they are not grouped by it."""
    distinct = set(keys)
    if len(distinct) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(
            f"a shard has two rows of the key {excerpt(str(twice))}; does it group by another property, too?"
        )
    return distinct


def _texts(rows: Sequence[_Row], name: str) -> list[bytes]:
    """One member of each row, as it stands there."""
    return [bytes(row[name]) for row in rows]


def _value(text: bytes) -> Any:
    """The value that rows are grouped and sorted by; numbers compare exactly."""
    return read_number(text) if text[:1] in b"-0123456789" else msgspec.json.decode(text)
