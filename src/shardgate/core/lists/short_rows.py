"""The rows of one page, chosen and joined of whole bodies: by C where it was compiled, otherwise in Python.

`_short_rows.c` finds rows and sort keys in one pass, and makes no object of a row. It takes what is usual: keys that
are members of the row, texts that compare by code point, numbers, booleans. For all else, and where a body is unusual
in any way, it gives nothing, and Python decides.

Holds: both give the same, byte for byte. Rows of a shard that are not in the order are never merged.
Hot path: what can be done by one call of C for all rows is.
"""

from collections.abc import Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import Final

import msgspec

from shardgate.core.json.array import Rows, join
from shardgate.core.limits import FLOW_BYTES_MIN, LEARNED_ROWS_MAX
from shardgate.core.order.order import Order
from shardgate.core.order.ranking import sorter
from shardgate.core.order.sort_key import SortKey, null_place, transform
from shardgate.core.topology import ShardId

try:
    from shardgate.core.lists import _short_rows as compiled
except ImportError:  # an editable installation, or a wheel built without a compiler
    compiled = None  # type: ignore[assignment]

# A page of more rows takes the long way, which counts what it holds.
ROWS_MAX: Final = 2048

MadePage = tuple[bytes, int, list[int], list[tuple[str, ShardId]]]
"""The page as an array; how many rows it has; how many each shard gave; and the tie-breaker of each row with its shard,
where they are few enough to be learned."""

_KINDS: Final = {"text": 0, "number": 1, "boolean": 2}
_KEYS_MAX: Final = 8  # of the C code

_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


class ShortRows:
    """Makes one page of an order."""

    __slots__ = ("_compiled", "_end", "_sorter", "_start", "_tie")

    def __init__(self, order: Order, tie: int, start: int, end: int | None) -> None:
        """`tie`: the position of the tie-breaker among the keys; the page is the rows from `start` to `end` of the
        merged list, to its end where that is None. A body has no more rows than `end`."""
        self._sorter = sorter(order)
        self._tie = itemgetter(tie)
        self._start = min(start, ROWS_MAX)
        self._end = ROWS_MAX if end is None else min(end, ROWS_MAX)
        self._compiled = _compiled(order, tie)

    def merged(self, bodies: list[bytes], shards: Sequence[ShardId]) -> MadePage | None:
        """The page of the bodies, one a shard.

        None where a body is unusual, or no row is shown, or the bodies are too long for Python. Raises ValueError,
        RecursionError where one is broken.
        """
        if self._compiled is not None:
            made = self._compiled.merged(bodies, shards, self._start, self._end, self._end, ROWS_MAX, LEARNED_ROWS_MAX)
            if made is not None:
                return made
        return self.in_python(bodies, shards) if sum(map(len, bodies)) < FLOW_BYTES_MIN else None

    def in_python(self, bodies: list[bytes], shards: Sequence[ShardId]) -> MadePage | None:
        """The same, without C."""
        tables = list(map(_rows, bodies))
        counts = list(map(len, tables))
        most = max(counts)
        if most < 2 or most > self._end or sum(counts) > ROWS_MAX:
            return None
        if not all(map(bytes.isascii, bodies)):
            b"".join(bodies).decode()  # `msgspec.Raw` does not look into strings
        values = self._sorter.read_all(bodies)
        places = list(chain.from_iterable(map(repeat, range(len(counts)), counts)))
        ranked = self._sorter.sorted(self._sorter.compared(values))
        # The sort is stable: sorted by shard again, the rows stand as they came only if each shard's were in the order.
        if sorted(ranked, key=places.__getitem__) != list(range(len(ranked))):
            return None
        chosen = ranked[self._start : self._end]
        if not chosen:
            return None
        raw = list(chain.from_iterable(tables))
        full = list(map((1).__lt__, counts)).index(True)  # the first shard that shows what stands between two rows
        array = join(list(map(raw.__getitem__, chosen)), (Rows(tables[full], bodies[full]),))
        learned: list[tuple[str, ShardId]] = []
        if len(chosen) <= LEARNED_ROWS_MAX:
            ids = map(str, map(self._tie, map(values.__getitem__, chosen)))
            learned = list(zip(ids, map(shards.__getitem__, map(places.__getitem__, chosen)), strict=True))
        return array, len(chosen), counts, learned


def _compiled(order: Order, tie: int) -> "compiled.ShortRows | None":
    """The C code for this order; None: it does not take it, or was not compiled."""
    places = [key.place(name) for name, key in order.keys]
    usual = [len(place) == 1 and _is_usual(key) for place, (_, key) in zip(places, order.keys, strict=True)]
    if compiled is None or not all(usual) or len(set(places)) < len(places) or len(places) > _KEYS_MAX:
        return None
    if order.keys[tie][1].type == "boolean":
        return None
    keys = [
        (place[0].encode(), _KINDS[key.type], descends, _missing(key, descends=descends))
        for place, (_, key), (_, descends) in zip(places, order.keys, order.by, strict=True)
    ]
    return compiled.ShortRows(keys, tie)


def _is_usual(key: SortKey) -> bool:
    return key.type in _KINDS and transform(key) is None


def _missing(key: SortKey, *, descends: bool) -> int:
    """What a missing value compares as, where all others are 1; -1: each row has one."""
    return -1 if key.nulls is None else null_place(key.nulls, descends=descends)[0]
