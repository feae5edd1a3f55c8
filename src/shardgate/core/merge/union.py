"""The distinct values of all shards, each once: cities, tags, currencies.

Holds: a value keeps its bytes. Where the rule declares an order, every shard's values must be in it. Values that the
application may take for one are one, or two, only where the rule or a shard shows which.
"""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from typing import Any

import msgspec

from shardgate.core.errors import OrderBrokenError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply
from shardgate.core.json.array import Rows, cut, join
from shardgate.core.json.number import read_number
from shardgate.core.json.object import JsonObject
from shardgate.core.merge.combining import Aggregating, with_body
from shardgate.core.order.sort_key import KeyConfig, likeness, null_place, sort_key, transform
from shardgate.core.paging.bounds import check_whole


class Union(Aggregating, frozen=True, tag="union"):
    """A list of values: `["Braga", "Porto"]`. Texts and numbers are compared as such, other values byte for byte.

    Where `order` has a collation that takes texts for equal, they are one value; unless a shard has both.
    """

    items: str | None = None
    """The path of the member with the list; null: the body is the list."""
    total: str | None = None
    """The path of the member with the number of values; null: there is no such member."""
    order: KeyConfig | None = None
    """How the application sorts the values, written as a list's sort key; null: it does not sort them, and the first
    shard's values stand first."""
    descends: bool = False
    """The application sorts the values in descending order."""
    compare: KeyConfig | None = None
    """How the values compare, where the application does not sort them: `{collation: case_insensitive}` where it takes
    `Bern` and `BERN` for one, `any` where it tells them apart. Null: as `order` says; where that is null too, values of
    two shards that differ in case, accents or spaces at the end alone are refused, unless a shard has both."""

    def __post_init__(self) -> None:
        """It is said once how values compare. Raises ValueError."""
        if self.order is not None and self.compare is not None:
            raise ValueError("`order` says how the values compare; remove `compare`")

    def combine(self, replies: Sequence[Reply]) -> Reply:
        """The distinct values. Raises BrokenReplyError, OrderBrokenError, ValueError, TypeError."""
        documents = [] if self.items is None else [JsonObject(reply.body) for reply in replies]
        lists = [cut(text) for text in self._lists(replies, documents)]
        check_whole(sum(len(values.raw) for values in lists))
        found: list[list[tuple[Any, Any, msgspec.Raw]]] = []
        for values in lists:
            keys = [self._key(bytes(raw)) for raw in values.raw]
            if self.order is not None:
                self._check_order(values, keys)
            found.append([(key, self._identity(raw), raw) for key, raw in zip(keys, values.raw, strict=True)])
        united = self._united(found)
        ranked = list(united) if self.order is None else sorted(united, key=lambda pair: pair[0], reverse=self.descends)
        body = join([united[key] for key in ranked], lists)
        if documents:
            body = documents[0].edited({self.items: body, self.total: len(ranked)})
        return with_body(replies[0], body)

    def _united(self, found: Sequence[Sequence[tuple[Any, Any, msgspec.Raw]]]) -> dict[Any, msgspec.Raw]:
        """Each value once: what its key and its identity are → its bytes. Raises ValueError."""
        self._check_alike(found)
        is_said = self._compared is not None
        told = [
            [(key if is_said else identity, identity, key, raw) for key, identity, raw in values] for values in found
        ]
        apart = _apart([[(same, identity) for same, identity, _, _ in values] for values in told])
        united: dict[Any, msgspec.Raw] = {}
        first: dict[Any, Any] = {}
        for same, identity, key, raw in chain(*told):
            known = first.setdefault(same, identity)
            united.setdefault((key, identity if same in apart else known), raw)
        return united

    def _check_alike(self, found: Sequence[Sequence[tuple[Any, Any, msgspec.Raw]]]) -> None:
        """Raises ValueError where values of two shards are alike, and neither the rule nor a shard tells them apart."""
        like = likeness(self._compared)
        told: list[list[tuple[Any, Any]]] = []
        for values in found:
            plain = [identity[1] if identity[0] == "text" else identity for _, identity, _ in values]
            same = [like(text) if isinstance(text, str) else text for text in plain]
            keys = [identity if self._compared is None else key for key, identity, _ in values]
            told.append(list(zip(same, keys, strict=True)))
        apart, first = _apart(told), dict[Any, tuple[Any, Any]]()
        for (same, key), (_, identity, _) in zip(chain(*told), chain(*found), strict=True):
            known, other = first.setdefault(same, (key, identity))
            if known != key and same not in apart:
                raise ValueError(
                    f"the values {excerpt(str(other[1]))} and {excerpt(str(identity[1]))} of two shards differ in "
                    "case, accents or spaces alone; say in `compare` or `order` how the application compares them: its "
                    "`collation`, and `pad_space`"
                )

    @property
    def _compared(self) -> KeyConfig | None:
        """How values compare; None: nothing is said."""
        return self.compare if self.order is None else self.order

    def describe(self) -> str:
        """The merge in one line."""
        return f"the distinct values of {self.items or 'all lists'}"

    def _lists(self, replies: Sequence[Reply], documents: Sequence[JsonObject]) -> list[bytes]:
        if self.items is None:
            return [reply.body for reply in replies]
        return [document.value(self.items) for document in documents]

    def _check_order(self, values: Rows, keys: Sequence[Any]) -> None:
        """A shard's values must be in the order that the rule declares. Raises OrderBrokenError."""
        for n in range(1, len(keys)):
            before, after = (keys[n], keys[n - 1]) if self.descends else (keys[n - 1], keys[n])
            if after < before:
                raise OrderBrokenError(
                    "a shard's values are not in the order that the rule declares",
                    where=f"value {n}, counted from 0",
                    log=f"`{excerpt(bytes(values.raw[n]))}` stands behind `{excerpt(bytes(values.raw[n - 1]))}`",
                )

    def _key(self, text: bytes) -> Any:
        """The value as one that compares. Raises ValueError, TypeError, ArithmeticError."""
        config = self._compared
        if config is None:
            return None
        key = sort_key(config)
        if key.type == "number" or (key.type == "any" and text[:1] in b"-0123456789"):
            value: Any = read_number(text)
        else:
            value = msgspec.json.decode(text, type=int | Decimal | None if key.type == "decimal" else Any)
        if value is None and key.nulls is None:
            raise TypeError("a value is null, and the order says nothing of nulls")
        change = transform(key)
        if value is None and key.nulls is not None:
            return null_place(key.nulls, descends=self.descends)
        if key.type in {"text", "time"} and not isinstance(value, str):
            raise TypeError(f"`{excerpt(text)}` is no text")
        return (1, change(value) if change is not None else value)

    def _identity(self, raw: msgspec.Raw) -> Any:
        """What equal values have in common: texts are compared as texts, numbers as numbers, others byte for byte."""
        text = bytes(raw)
        if text.startswith(b'"'):
            return ("text", msgspec.json.decode(text))
        return ("number", read_number(text)) if text[:1] in b"-0123456789" else ("other", text)


def _apart(found: Sequence[Sequence[tuple[Any, Any]]]) -> set[Any]:
    """What is the same of two values of one shard that differ: the application tells them apart."""
    counts = [Counter([same for same, _ in set(values)]) for values in found]
    return {same for each in counts for same, count in each.items() if count > 1}
