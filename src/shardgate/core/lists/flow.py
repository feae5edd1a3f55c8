"""Sorted lists into one sorted list while they come: what can be written is written before the last row is there.

A row can be written when no shard can still give one that stands before it: each shard's rows come in order, so what
stands up to the smallest of the shards' last rows is certain. The shard whose last row is the smallest is read on.

Holds: what is written, all in all, is what the merge of the whole replies would be, byte for byte. Of each shard one
batch of rows is cut and ranked; the rest waits as it came.
Never: does IO, or waits; each call does a bounded piece of work.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import join, style, without
from shardgate.core.json.array_stream import STEP_BYTES, RowStream
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.order.key_reader import KeyValues
from shardgate.core.order.ranking import Order, Ranking
from shardgate.core.order.sort_key import SortKey
from shardgate.core.topology import ShardId
from shardgate.core.value import Value

# Members are taken out of a row in about 8 µs: so many rows are 2 ms.
TRIMMED_ROWS_MAX = 256


class FlowRule(Value, frozen=True):
    """What the rows of a flow are merged by."""

    order: Order
    keys: Mapping[str, SortKey]
    tie: str
    skip: int
    """So many rows of the merged list stand before the page."""
    limit: int | None
    removed: tuple[str, ...] = ()
    """Properties that were asked for to sort by alone."""
    promised: int | None = None
    """How many rows the head says that the page has; None: nothing."""


class Flow:
    """One list under way."""

    __slots__ = (
        "_begun",
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
        self._ready: list[msgspec.Raw] = []  # in order, from the last to the first
        self._row_bytes = 1
        self._shown: list[tuple[str, ShardId]] | None = []
        self._begun = False
        self.passed: dict[ShardId, int] = dict.fromkeys(shards, 0)
        """Where the page has a limit: how many rows of each shard stand before its end."""
        self.read = 0
        """How many rows have come."""
        self.written = 0
        """How many rows were written."""
        self.done = False
        """All is written."""

    def feed(self, shard: ShardId, data: bytes) -> None:
        """A piece of a shard's body has come."""
        self._shards[shard].stream.feed(data)

    def end(self, shard: ShardId) -> None:
        """A shard's body is whole."""
        self._shards[shard].stream.end()

    def waiting_bytes(self, shard: ShardId) -> int:
        """What of a shard has come and was not cut yet."""
        return self._shards[shard].stream.size

    @property
    def slowest(self) -> ShardId | None:
        """Whose rows must come next, before any others can be written; None: all have come."""
        shard = self._behind()
        return None if shard is None else shard.id

    @property
    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page and its shard, where they are few."""
        return self._shown or ()

    def advance(self) -> bytes | None:
        """A piece of work, and what can be written after it, maybe nothing; None: more must come first, or it is done.

        Raises BrokenReplyError, OrderBrokenError.
        """
        if self._ready:
            return self._write()
        behind = self._behind()
        if behind is not None:
            if not self._read(behind):
                return None
            self._release()
            return self._write() if self._ready else b""
        return None if self.done else self._finish()

    def _behind(self) -> "_Shard | None":
        """The shard, still coming, whose last row stands first; one without a row before all others."""
        behind: _Shard | None = None
        for shard in self._shards.values():
            if not shard.stream.over:
                if shard.last is None:
                    return shard
                if behind is None or shard.last < behind.last:
                    behind = shard
        return behind

    def _read(self, shard: "_Shard") -> bool:
        """Cut and rank the next rows of a shard whose earlier ones were all released."""
        rows = shard.stream.take()
        if rows is None:
            return False
        ranking = Ranking(self._rule.order, self._rule.keys)
        count = ranking.add(rows.body)
        if shard.last_row is not None:
            ranking.go_on_behind(shard.last_row)
        shard.ranking, shard.raw, shard.at = ranking, rows.raw, 0
        self.read += count
        if count:
            shard.last_row, (shard.last,) = ranking.rows[-1], ranking.comparable(count - 1, count)
            self._row_bytes = len(rows.body) // count + 1
        return True

    def _release(self) -> None:
        """Put in order what is certain now."""
        behind = self._behind()
        if behind is not None and behind.last is None:
            return
        merged = Ranking(self._rule.order, self._rule.keys)
        raw: list[msgspec.Raw] = []
        names: list[tuple[str, ShardId]] = []
        owners: list[ShardId] = []
        # Of equal rows those of the first shard stand first: `behind` is the first that may still give such.
        bisect = bisect_right
        for shard in self._shards.values():
            start, ranking = shard.at, shard.ranking
            if ranking is None:
                continue
            end = len(shard.raw)
            if behind is not None and start < end:
                end = bisect(_Keys(ranking), behind.last, start, end)
            if shard is behind:
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
        tie = [name for name, _ in self._rule.order].index(self._rule.tie)
        return [str(value[tie]) for value in values]

    def _choose(self, ranked: list[int], raw: Sequence[msgspec.Raw], names: Sequence[tuple[str, ShardId]]) -> None:
        """Of the rows in order, those of the page."""
        skipped = min(self._skip, len(ranked))
        self._skip -= skipped
        chosen = ranked[skipped:] if self._left is None else ranked[skipped : skipped + self._left]
        if self._left is not None:
            self._left -= len(chosen)
        if self._shown is not None:
            self._shown += [names[n] for n in chosen]
            if len(self._shown) > LEARNED_ROWS_MAX:
                self._shown = None  # they would push out what is in use
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
            raise BrokenReplyError("the shards gave another number of rows than their heads said")
        self.done = True
        samples = [shard.stream.sample for shard in self._shards.values()]
        return style(samples)[2] if self._begun else join([], samples)


class _Keys:
    """The rows of a ranking as values that compare, each made when it is looked at."""

    __slots__ = ("_ranking",)

    def __init__(self, ranking: Ranking) -> None:
        self._ranking = ranking

    def __len__(self) -> int:
        return len(self._ranking.rows)

    def __getitem__(self, n: int) -> Any:
        return self._ranking.comparable(n, n + 1)[0]


class _Shard:
    """One shard's list."""

    __slots__ = ("at", "id", "last", "last_row", "ranking", "raw", "stream")

    def __init__(self, shard: ShardId) -> None:
        self.id = shard
        self.stream = RowStream()
        self.ranking: Ranking | None = None
        self.raw: list[msgspec.Raw] = []
        self.at = 0
        self.last: Any = None
        """The last row that was read, as a value that compares; None: there was none."""
        self.last_row: KeyValues | None = None
