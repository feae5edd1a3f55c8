"""Merges sorted lists while they arrive: rows are written before the last one is there.

A row can be written once no shard can still give one that stands before it. Each shard's rows arrive in order, so all
rows up to the smallest of the shards' last rows are certain. The shard whose last row is the smallest is read on.

Holds: all that is written is, byte for byte, the merge of the whole replies. Of each shard one batch of rows is cut and
ranked; the rest waits as it arrived.
Never: does IO, or waits; each call does a bounded piece of work.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.errors import BrokenReplyError, UpstreamError
from shardgate.core.json.array import Rows, join, style, without
from shardgate.core.json.array_stream import LONG_BYTES, STEP_BYTES, RowStream
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.order.key_reader import KeyValues
from shardgate.core.order.order import Order
from shardgate.core.order.ranking import Ranking
from shardgate.core.paging.bounds import too_many
from shardgate.core.topology import ShardId
from shardgate.core.value import Value

# Taking members out of a row takes about 8 µs; so many rows take 2 ms.
TRIMMED_ROWS_MAX = 256


class FlowRule(Value, frozen=True):
    """How the rows of a flow are merged."""

    order: Order
    skip: int
    """How many rows of the merged list stand before the page."""
    limit: int | None
    """How many rows the page has at most; None: all."""
    removed: tuple[str, ...] = ()
    """The properties that are taken out of each row: they were asked for only to sort by."""
    promised: int | None = None
    """How many rows the reply's head says that the page has; None: it does not say."""
    stated: int | None = None
    """How many rows all shards must give, by the sizes that they state; None: nothing is known."""


class Flow:
    """One list under way."""

    __slots__ = (
        "_asked",
        "_begun",
        "_cut",
        "_left",
        "_ready",
        "_row_bytes",
        "_rule",
        "_shards",
        "_shown",
        "_skip",
        "done",
        "passed",
        "read",
        "written",
    )

    def __init__(self, rule: FlowRule, shards: Sequence[ShardId]) -> None:
        self._rule = rule
        self._shards = {shard: _Shard(shard) for shard in shards}
        self._skip = rule.skip
        self._left = rule.limit
        self._asked = None if rule.limit is None else rule.skip + rule.limit  # so many rows of each shard
        self._cut: tuple[_Shard, Rows] | None = None  # rows that are not ranked yet
        self._ready: list[msgspec.Raw] = []  # in order, from the last to the first
        self._row_bytes = 1
        self._shown: list[tuple[str, ShardId]] | None = []
        self._begun = False
        self.passed: dict[ShardId, int] = dict.fromkeys(shards, 0)
        """How many rows of each shard stand before the end of the page, where the page has a limit."""
        self.read = 0
        """How many rows were read."""
        self.written = 0
        """How many rows were written."""
        self.done = False
        """Everything was written."""

    def feed(self, shard: ShardId, data: bytes) -> None:
        """Take in a piece of a shard's body."""
        self._shards[shard].stream.feed(data)

    def end(self, shard: ShardId) -> None:
        """A shard's body is whole."""
        self._shards[shard].stream.end()

    def waiting_bytes(self, shard: ShardId) -> int:
        """How many bytes of a shard have arrived and were not cut yet."""
        return self._shards[shard].stream.size

    @property
    def counts(self) -> Mapping[ShardId, int]:
        """How many rows of each shard were read."""
        return {shard.id: shard.read for shard in self._shards.values()}

    @property
    def slowest(self) -> ShardId | None:
        """The shard whose rows must arrive before any others can be written; None: all have arrived."""
        shard = self._slowest()
        return None if shard is None else shard.id

    @property
    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that it came from; none for a page with many rows."""
        return self._shown or ()

    def advance(self) -> bytes | None:
        """Do a piece of work. Returns what can be written after it, maybe b""; None: more must arrive, or it is done.

        Raises BrokenReplyError, OrderBrokenError.
        """
        if self._ready:
            return self._write()
        next_up = self._slowest() if self._cut is None else self._cut[0]
        if next_up is not None:
            try:
                has_ranked = self._read(next_up)
            except UpstreamError as error:
                error.shard = next_up.id
                raise
            if has_ranked is None:
                return None
            if has_ranked:
                self._release()
            return self._write() if self._ready else b""
        return None if self.done else self._finish()

    def _slowest(self) -> "_Shard | None":
        """Of the shards that are not read to the end, one without a row, or else the one whose last row is smallest."""
        slowest: _Shard | None = None
        for shard in self._shards.values():
            if not shard.stream.over:
                if shard.last is None:
                    return shard
                if slowest is None or shard.last < slowest.last:
                    slowest = shard
        return slowest

    def _read(self, shard: "_Shard") -> bool | None:
        """Cut and rank the next rows of a shard, all of whose earlier rows were released.

        False: long rows were cut, and are ranked by the next call. None: more must arrive.
        """
        if self._cut is None:
            rows = shard.stream.take()
            if rows is None:
                return None
            if len(rows.body) > LONG_BYTES:
                self._cut = (shard, rows)
                return False
        else:
            rows, self._cut = self._cut[1], None
        ranking = Ranking(self._rule.order)
        count = ranking.add(rows.body, shard.read)
        if shard.last_row is not None:
            ranking.follow(shard.last_row, shard.read)
        shard.ranking, shard.raw, shard.at = ranking, rows.raw, 0
        shard.read += count
        self.read += count
        if self._asked is not None and shard.read > self._asked:
            raise too_many(self._asked, shard.read)
        if count:
            shard.last_row, (shard.last,) = ranking.rows[-1], ranking.comparable(count - 1, count)
            self._row_bytes = len(rows.body) // count + 1
        return True

    def _release(self) -> None:
        """Put the rows in order that are certain now."""
        slowest = self._slowest()
        if slowest is not None and slowest.last is None:
            return
        merged = Ranking(self._rule.order)
        raw: list[msgspec.Raw] = []
        names: list[tuple[str, ShardId]] = []
        owners: list[ShardId] = []
        # Of equal rows those of the first shard stand first: `slowest` is the first shard that may still give equal
        # ones.
        bisect = bisect_right
        for shard in self._shards.values():
            start, ranking = shard.at, shard.ranking
            if ranking is None:
                continue
            end = len(shard.raw)
            if slowest is not None and start < end:
                end = bisect(_Keys(ranking), slowest.last, start, end)
            if shard is slowest:
                bisect = bisect_left
            merged.rows += ranking.rows[start:end]
            raw += shard.raw[start:end]
            if self._shown is not None:
                names += [(value, shard.id) for value in self._names(ranking.values[start:end])]
            if self._left:
                owners += [shard.id] * (end - start)
            shard.at = end
        ranked = merged.sorted()
        if self._left:
            for n in ranked[: self._skip + self._left]:
                self.passed[owners[n]] += 1
        self._choose(ranked, raw, names)

    def _names(self, values: Sequence[KeyValues]) -> list[str]:
        tie = self._rule.order.tie
        return [""] * len(values) if tie is None else [str(value[tie]) for value in values]

    def _choose(self, ranked: list[int], raw: Sequence[msgspec.Raw], names: Sequence[tuple[str, ShardId]]) -> None:
        """Take the rows of the page out of the next rows in order."""
        skipped = min(self._skip, len(ranked))
        self._skip -= skipped
        chosen = ranked[skipped:] if self._left is None else ranked[skipped : skipped + self._left]
        if self._left is not None:
            self._left -= len(chosen)
        if self._shown is not None:
            self._shown += [names[n] for n in chosen]
            if len(self._shown) > LEARNED_ROWS_MAX:
                self._shown = None  # so many would push out of the memory what is in use
        self._ready = [raw[n] for n in reversed(chosen)]

    def _write(self) -> bytes:
        count = STEP_BYTES // self._row_bytes + 1
        removed = self._rule.removed
        if removed:
            count = min(count, TRIMMED_ROWS_MAX)
        rows = self._ready[: -count - 1 : -1]
        del self._ready[-count:]
        if removed:
            rows = [without(row, removed) for row in rows]
        opening, separator, _ = style([shard.stream.sample for shard in self._shards.values()])
        before = separator if self._begun else opening
        self._begun = True
        self.written += len(rows)
        return before + separator.join(rows)

    def _finish(self) -> bytes:
        promised = self._rule.promised
        if promised is not None and promised != self.written:
            log = f"{self.written} rows, expected {promised}"
            raise BrokenReplyError("the shards gave another number of rows than their heads said", log=log)
        stated = self._rule.stated
        if stated is not None and self.read < stated:
            log = (
                f"{self.read} rows of {stated}; does the application limit pages by a `limit_max` that the rule lacks?"
            )
            raise BrokenReplyError("shards gave fewer rows than asked for, and say that they have more", log=log)
        self.done = True
        samples = [shard.stream.sample for shard in self._shards.values()]
        return style(samples)[2] if self._begun else join([], samples)


class _Keys:
    """The rows of a ranking as values that compare, each made when it is asked for."""

    __slots__ = ("_ranking",)

    def __init__(self, ranking: Ranking) -> None:
        self._ranking = ranking

    def __len__(self) -> int:
        return len(self._ranking.rows)

    def __getitem__(self, n: int) -> Any:
        return self._ranking.comparable(n, n + 1)[0]


class _Shard:
    """One shard's list."""

    __slots__ = ("at", "id", "last", "last_row", "ranking", "raw", "read", "stream")

    def __init__(self, shard: ShardId) -> None:
        self.id = shard
        self.stream = RowStream()
        self.ranking: Ranking | None = None
        self.raw: list[msgspec.Raw] = []
        self.at = 0
        """How many rows of the batch were released."""
        self.read = 0
        """How many rows were read, in all batches."""
        self.last: Any = None
        """The last row that was read, as a value that compares; None: none was."""
        self.last_row: KeyValues | None = None
