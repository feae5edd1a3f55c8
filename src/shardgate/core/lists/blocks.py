"""Blocks of rows read from shards, by as many requests as the application's pages make of them.

Most blocks are one request. An application with a greatest page size needs several, one after the other; one that
counts pages gives rows around the block too, which are cut off.

Holds: a block that took several requests is one that stood there: each request repeats the last row of the one before,
and where it differs, the rows moved (ChangedError).
Never: does IO, or asks for rows behind the end that a shard has stated.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.contracts import Dialect, Listing
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import Rows, cut, join
from shardgate.core.lists.selection import Block, ChangedError
from shardgate.core.topology import ShardId

_NO_ROWS = Rows([], b"[]")


def read(dialect: Dialect, blocks: Sequence[Block], totals: Mapping[ShardId, int]) -> "WholeBlocks | BlocksInPieces":
    """Start to read a round's blocks, at most one of a shard; `totals`: the sizes that shards have stated."""
    if dialect.past_end is None and dialect.cover(0, None) == (0, None):
        return WholeBlocks(blocks)
    return BlocksInPieces(dialect, blocks, totals)


class WholeBlocks:
    """One request a block: the application gives any rows, as many as are asked for. The hot path."""

    __slots__ = ("_blocks", "_rows", "more")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._rows: dict[ShardId, Rows] = {}
        self.more = False
        """Whether a shard has rows behind its block, as far as it said so."""

    def wanted(self) -> Sequence[Block]:
        """The rows to ask for next; none: all is read."""
        return () if self._rows else self._blocks

    def take(self, shard: ShardId, listing: Listing) -> None:
        """What a shard gave. Raises BrokenReplyError."""
        self._rows[shard] = cut(listing.rows)
        self.more = self.more or bool(listing.more)

    def blocks(self) -> list[tuple[Block, Rows]]:
        """The rows of each block; fewer than asked where the shard ends."""
        return [(block, self._rows[block.shard]) for block in self._blocks]


class BlocksInPieces:
    """As many requests a block as it takes."""

    __slots__ = ("_dialect", "_in_pages", "_parts", "_totals")

    def __init__(self, dialect: Dialect, blocks: Sequence[Block], totals: Mapping[ShardId, int]) -> None:
        self._dialect = dialect
        self._in_pages = dialect.cover(0, None)[1] is not None
        self._totals = dict(totals)
        self._parts = {block.shard: _Part(block) for block in blocks}
        for part in self._parts.values():
            self._go_on(part)

    def wanted(self) -> Sequence[Block]:
        """The rows to ask for next, of each shard that has not given its block; none: all is read."""
        return [part.asked for part in self._parts.values() if part.asked is not None]

    def take(self, shard: ShardId, listing: Listing) -> None:
        """What a shard gave. Raises BrokenReplyError, ChangedError."""
        part = self._parts[shard]
        if part.asked is None:
            raise BrokenReplyError("a shard gave a list that it was not asked for")
        rows = cut(listing.rows)
        if listing.total is not None:
            self._totals[shard] = listing.total
            if self._in_pages:
                _check_size(part.asked, len(rows.raw), listing.total)
        part.take(part.asked, rows, more=bool(listing.more))
        self._go_on(part)

    def blocks(self) -> list[tuple[Block, Rows]]:
        """The rows of each block; fewer than asked where the shard ends."""
        return [(part.block, part.rows()) for part in self._parts.values()]

    @property
    def more(self) -> bool:
        """Whether a shard has rows behind its block, as far as it said so."""
        return any(part.more for part in self._parts.values())

    def _go_on(self, part: "_Part") -> None:
        """Ask for what the block still lacks; again from the row before, to see that nothing moved."""
        start, count = part.rest
        total = self._totals.get(part.block.shard)
        past_end = total is not None and 0 < start >= total
        if part.ended or past_end:
            part.asked = None
            return
        first, many = self._dialect.cover(start, count)
        if part.got:
            again, so_many = self._dialect.cover(start - 1, None if count is None else count + 1)
            if so_many is None or again + so_many > start:
                first, many = again, so_many
        part.asked = Block(part.block.shard, first, many)


def _check_size(asked: Block, given: int, total: int) -> None:
    """An application whose pages are shorter than its rule says would seem to end early."""
    if asked.count is not None and given < min(asked.count, total - asked.start):
        raise BrokenReplyError("a shard gave fewer rows than asked for, and says that it has more")


class _Part:
    """One block, piece by piece."""

    __slots__ = ("_raw", "_samples", "_whole", "asked", "block", "ended", "got", "more")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.asked: Block | None = None
        self.ended = False
        self.got = 0
        self.more = False
        self._raw: list[msgspec.Raw] = []
        self._samples: list[Rows] = []
        self._whole: Rows | None = None

    @property
    def rest(self) -> tuple[int, int | None]:
        block = self.block
        return block.start + self.got, None if block.count is None else block.count - self.got

    def take(self, asked: Block, rows: Rows, *, more: bool) -> None:
        self.ended = asked.count is None or len(rows.raw) < asked.count
        if asked == self.block and not self.got:
            self._whole, self.got, self.more, self.ended = rows, len(rows.raw), more, True
            return
        start, count = self.rest
        before = start - asked.start
        if self.got and before > 0 and (len(rows.raw) < before or bytes(rows.raw[before - 1]) != bytes(self._raw[-1])):
            raise ChangedError
        fresh = rows.raw[before:] if count is None else rows.raw[before : before + count]
        self.more = more or before + len(fresh) < len(rows.raw)
        self.got += len(fresh)
        self.ended = self.ended or self.got == self.block.count
        self._raw += fresh
        self._samples.append(rows)

    def rows(self) -> Rows:
        """The pieces as one list, in the white space of the application."""
        if self._whole is not None:
            return self._whole
        return Rows(self._raw, join(self._raw, self._samples)) if self._samples else _NO_ROWS
