"""A page that the first rows of each shard hold, made of their whole replies at once: most pages are.

This is the short way of merging.py, for replies in which nothing is unusual. Where anything is, it gives None, and the
long way decides, and says what is wrong and where.

Holds: a page that is made here is the page that the long way would make, byte for byte.
Hot path: a gather of 4 x 10 rows.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter

from shardgate.core.contracts import Ask, Dialect, Merged, Page
from shardgate.core.errors import UpstreamError
from shardgate.core.http import Reply, Request, names_of
from shardgate.core.lists.cut_short import may_have_more
from shardgate.core.lists.selection import Block
from shardgate.core.lists.short_rows import ShortRows
from shardgate.core.order.order import Order
from shardgate.core.paging.around import Around
from shardgate.core.replies.fields import passes_on
from shardgate.core.topology import ShardId

_status = attrgetter("status")
_body = attrgetter("body")
_rows, _total, _more, _extra = attrgetter("rows"), attrgetter("total"), attrgetter("more"), attrgetter("extra")
_document = attrgetter("document")

_Opened = tuple[list[bytes], list[int | None], Sequence[bool | None], tuple[bytes, ...]]
"""Of the replies: their rows, the sizes that they state, whether they say that more follows, and what else is needed to
write the page."""


class ShortPage:
    """One page of a list, for all requests that ask for it."""

    __slots__ = ("_around", "_asked", "_asks", "_dialect", "_end", "_page", "_rows", "_target", "_written")

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
        self._rows = ShortRows(order, tie, page.offset, self._end)
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
        bodies, totals, told, extras = self._opened(answers, request.path)
        made = self._rows.merged(bodies, shards)
        if made is None:
            return None
        array, shown, counts, learned = made
        if (end is None or min(counts) < end) and totals != counts and self._may_lack(shards, counts, totals, told):
            return None
        if None not in totals:
            total = sum(filter(None, totals))
            more = page.offset + shown < total
        elif any(map(_is_stated, totals)):
            return None
        else:
            total, more = None, any(told) or (end is not None and sum(counts) > end)
        return dialect.close(Merged(request, page, array, shown, total, more, answers[0], extras)), learned

    def _opened(self, answers: Sequence[Reply], path: str) -> _Opened:
        """What the replies say. Raises BrokenReplyError, and ValueError where an object around the rows is unusual."""
        totals = self._dialect.sizes(answers)
        if totals is not None:
            return list(map(_body, answers)), totals, (), ()
        listings = list(map(self._dialect.open, answers))
        if self._around is not None:
            self._around.check(list(map(_document, listings)), path)
        extras = tuple(filter(None, map(_extra, listings)))
        return list(map(_rows, listings)), list(map(_total, listings)), list(map(_more, listings)), extras

    def _may_lack(
        self,
        shards: Sequence[ShardId],
        counts: Sequence[int],
        totals: Sequence[int | None],
        told: Sequence[bool | None],
    ) -> bool:
        """Whether a shard that gave fewer rows than it was asked for may have more."""
        blocks = [(Block(shard, 0, self._end), count) for shard, count in zip(shards, counts, strict=True)]
        stated = {shard: total for shard, total in zip(shards, totals, strict=True) if total is not None}
        # Where no reply says more than its size, `told` is empty.
        more = {shard: more for shard, more in zip(shards, told, strict=False) if more is not None}
        return bool(may_have_more(blocks, stated, more))


def _is_stated(total: int | None) -> bool:
    return total is not None
