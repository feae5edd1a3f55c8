"""A page that the first rows of each shard hold, made of their whole replies at once: most pages are.

This is the short way of merging.py, for replies in which nothing is unusual. Where anything is, it gives None, and the
long way decides, and says what is wrong and where.

Holds: a page that is made here is the page that the long way would make, byte for byte. Rows of a shard that are not in
the order are never merged.
Hot path: a gather of 4 x 10 rows; what can be done by one call of C for all rows is.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from typing import Final

import msgspec

from shardgate.core.contracts import Ask, Dialect, Merged, Page
from shardgate.core.errors import UpstreamError
from shardgate.core.http import Reply, Request, names_of
from shardgate.core.json.array import Rows, join
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.order.order import Order
from shardgate.core.order.ranking import sorter
from shardgate.core.paging.around import Around
from shardgate.core.replies.fields import passes_on
from shardgate.core.topology import ShardId

# A page of more rows takes the long way, which counts what it holds.
ROWS_MAX: Final = 2048

_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_status = attrgetter("status")
_body, _total, _more, _extra = attrgetter("rows"), attrgetter("total"), attrgetter("more"), attrgetter("extra")
_document = attrgetter("document")


class ShortPage:
    """One page of a list, for all requests that ask for it."""

    __slots__ = ("_around", "_asked", "_asks", "_dialect", "_end", "_page", "_sorter", "_target", "_tie", "_written")

    def __init__(
        self,
        dialect: Dialect,
        page: Page,
        order: Order,
        tie: int,
        target: bytes,
        around: Around | None = None,
        written: frozenset[bytes] = frozenset(),
    ) -> None:
        """`tie`: the position of the tie-breaker among the keys; `target`: of the request to each shard; `written`: the
        fields of the reply's head that the dialect writes."""
        self._around = around
        self._written = written
        self._dialect = dialect
        self._page = page
        self._end = None if page.limit is None else page.offset + page.limit
        self._sorter = sorter(order)
        self._tie = itemgetter(tie)
        self._target = target
        self._asked: Sequence[ShardId] = ()
        self._asks: list[Ask] = []

    @property
    def rows(self) -> int:
        """How many rows each shard is asked for; 0: all."""
        return self._end or 0

    def asks(self, shards: Sequence[ShardId]) -> Sequence[Ask]:
        """The request to each shard."""
        if self._asked != shards:
            self._asks = [Ask(shard, self._target) for shard in shards]
            self._asked = shards
        return self._asks

    def merged(
        self, request: Request, shards: Sequence[ShardId], replies: Mapping[ShardId, Reply]
    ) -> tuple[Reply, list[tuple[str, ShardId]]] | None:
        """The merged reply, and each row's tie-breaker with the shard that it came from; None: the long way decides."""
        try:
            return self._merged(request, shards, replies)
        except (UpstreamError, ValueError, RecursionError, KeyError):
            return None

    def _merged(
        self, request: Request, shards: Sequence[ShardId], replies: Mapping[ShardId, Reply]
    ) -> tuple[Reply, list[tuple[str, ShardId]]] | None:
        dialect, page, end = self._dialect, self._page, self._end
        answers = list(map(replies.__getitem__, shards))
        are_lists = set(map(_status, answers)).issubset(dialect.accepted)
        if not are_lists or not passes_on(names_of(answers[0].fields), self._written):
            return None
        listings = list(map(dialect.open, answers))
        if self._around is not None:
            self._around.check(list(map(_document, listings)), request.path)
        bodies = list(map(_body, listings))
        tables = list(map(_rows, bodies))
        counts = list(map(len, tables))
        most = max(counts)
        if most < 2 or most > (ROWS_MAX if end is None else end) or sum(counts) > ROWS_MAX:
            return None
        if not all(map(bytes.isascii, bodies)):
            b"".join(bodies).decode()  # `msgspec.Raw` does not look into strings
        values = list(chain.from_iterable(map(self._sorter.read, bodies)))
        places = list(chain.from_iterable(map(repeat, range(len(counts)), counts)))
        ranked = self._sorter.sorted(self._sorter.compared(values))
        # The sort is stable: sorted by shard again, the rows stand as they came only if each shard's were in the order.
        if sorted(ranked, key=places.__getitem__) != list(range(len(ranked))):
            return None
        chosen = ranked[page.offset : end]
        totals = list(map(_total, listings))
        if None in totals:
            total, more = None, any(map(_more, listings)) or (end is not None and len(ranked) > end)
        else:
            total = sum(totals)
            more = page.offset + len(chosen) < total
        if not chosen or (total is None and any(map(_is_stated, totals))):
            return None
        raw = list(chain.from_iterable(tables))
        full = list(map((1).__lt__, counts)).index(True)  # the first shard that shows what stands between two rows
        array = join(list(map(raw.__getitem__, chosen)), (Rows(tables[full], bodies[full]),))
        extras = tuple(filter(None, map(_extra, listings)))
        reply = dialect.close(Merged(request, page, array, len(chosen), total, more, answers[0], extras))
        if len(chosen) > LEARNED_ROWS_MAX:
            return reply, []
        ids = map(str, map(self._tie, map(values.__getitem__, chosen)))
        return reply, list(zip(ids, map(shards.__getitem__, map(places.__getitem__, chosen)), strict=True))


def _is_stated(total: int | None) -> bool:
    return total is not None
