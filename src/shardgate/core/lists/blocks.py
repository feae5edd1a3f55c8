"""Blocks of rows read from shards, by as many requests as the application's pages need.

Most blocks take one request. Where the application limits the size of a page, a block takes several, one after the
other. Where it numbers its pages, a request gives rows around the block too, which are cut off.

Holds: a block that took several requests has no gap and no row twice. Each request repeats the last row of the one
before; where the row differs, rows have moved (ChangedError). Pages of a fixed size cannot repeat a row: there the size
of the list must stay the same.
Never: does IO, or asks for rows behind the end that a shard has stated.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shardgate.core.contracts import Dialect, Listing
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import Rows, cut, join
from shardgate.core.lists.selection import Block, ChangedError
from shardgate.core.paging.bounds import check_whole, too_many
from shardgate.core.topology import ShardId

NOT_ASKED: Final = Rows([], b"[]")
"""The rows of a shard that was asked for none: they show nothing of how the application writes."""


def read(dialect: Dialect, blocks: Sequence[Block], totals: Mapping[ShardId, int]) -> "WholeBlocks | BlocksInPieces":
    """Start to read a round's blocks, at most one of each shard. `totals`: the sizes that shards have stated."""
    if dialect.past_end is None and dialect.cover(0, None) == (0, None):
        return WholeBlocks(blocks)
    return BlocksInPieces(dialect, blocks, totals)


class WholeBlocks:
    """One request for each block: the application gives any rows, and as many as are asked for. The hot path."""

    __slots__ = ("_blocks", "_rows", "told")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._rows: dict[ShardId, Rows] = {}
        self.told: dict[ShardId, bool] = {}
        """Whether shards have rows behind their blocks, where they said it."""

    @property
    def more(self) -> bool:
        """Whether a shard has rows behind its block, as far as it said so."""
        return True in self.told.values()

    def wanted(self) -> Sequence[Block]:
        """The rows to ask for next; none: all is read."""
        return () if self._rows else self._blocks

    def take(self, shard: ShardId, listing: Listing) -> None:
        """Take in a shard's rows. Raises BrokenReplyError."""
        self._rows[shard] = cut(listing.rows)
        if listing.more is not None:
            self.told[shard] = listing.more

    def blocks(self) -> list[tuple[Block, Rows]]:
        """The rows of each block; fewer than asked where the shard ends."""
        return [(block, self._rows[block.shard]) for block in self._blocks]


class BlocksInPieces:
    """As many requests for each block as it takes."""

    __slots__ = ("_dialect", "_in_pages", "_pieces", "_totals", "told")

    def __init__(self, dialect: Dialect, blocks: Sequence[Block], totals: Mapping[ShardId, int]) -> None:
        self._dialect = dialect
        self._in_pages = dialect.cover(0, None)[1] is not None
        self._totals = dict(totals)
        self.told: dict[ShardId, bool] = {}
        """Whether shards have rows behind those of their last reply, where they said it."""
        self._pieces = {block.shard: _Pieces(block) for block in blocks}
        for pieces in self._pieces.values():
            self._go_on(pieces)

    def wanted(self) -> Sequence[Block]:
        """The rows to ask for next, of each shard whose block is not read; none: all is read."""
        return [pieces.requested for pieces in self._pieces.values() if pieces.requested is not None]

    def take(self, shard: ShardId, listing: Listing) -> None:
        """Take in a shard's rows. Raises BrokenReplyError, ChangedError."""
        pieces = self._pieces[shard]
        if pieces.requested is None:
            raise BrokenReplyError("a shard gave a list that it was not asked for", log="its block was read already")
        rows = cut(listing.rows)
        if listing.total is not None:
            if pieces.repeats_nothing and self._totals.get(shard) != listing.total:
                raise ChangedError
            self._totals[shard] = listing.total
            if self._in_pages:
                _check_size(pieces.requested, len(rows.raw), listing.total)
        elif self._dialect.past_end == "last":
            # Behind its end the shard would give its last rows again.
            raise BrokenReplyError(
                "a shard's list states no size", log="the rule says `past_end: last`, which needs the size"
            )
        if listing.more is not None:
            self.told[shard] = listing.more
        pieces.take(pieces.requested, rows, more=bool(listing.more))
        self._go_on(pieces)

    def blocks(self) -> list[tuple[Block, Rows]]:
        """The rows of each block; fewer than asked where the shard ends."""
        return [(pieces.block, pieces.rows()) for pieces in self._pieces.values()]

    @property
    def more(self) -> bool:
        """Whether a shard has rows behind its block, as far as it said so."""
        return any(pieces.more for pieces in self._pieces.values())

    def _go_on(self, pieces: "_Pieces") -> None:
        """Ask for the rows that the block still lacks, and for the row before them, to see that nothing moved."""
        start, count = pieces.rest
        total = self._totals.get(pieces.block.shard)
        past_end = total is not None and 0 < start >= total
        if pieces.ended or past_end:
            pieces.requested = None
            return
        first, many = self._dialect.cover(start, count)
        if pieces.got:
            again, so_many = self._dialect.cover(start - 1, None if count is None else count + 1)
            if so_many is None or again + so_many > start:
                first, many = again, so_many
        pieces.requested = Block(pieces.block.shard, first, many)


def _check_size(requested: Block, given: int, total: int) -> None:
    """A shard whose pages are shorter than the rule says would seem to end early. Raises BrokenReplyError."""
    if requested.count is not None and given < min(requested.count, total - requested.start):
        log = f"asked for {requested.count} rows from row {requested.start} on, found {given}; it states {total} in all"
        raise BrokenReplyError(
            "a shard gave fewer rows than asked for, and says that it has more",
            where=f"row {requested.start + given}, counted from 0",
            log=f"{log}; is limit_max larger than the application's own?",
        )


class _Pieces:
    """One block, piece by piece."""

    __slots__ = ("_raw", "_samples", "_size", "_whole", "block", "ended", "got", "more", "requested")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.requested: Block | None = None
        self.ended = False
        self.got = self._size = 0
        self.more = False
        self._raw: list[msgspec.Raw] = []
        self._samples: list[Rows] = []
        self._whole: Rows | None = None

    @property
    def rest(self) -> tuple[int, int | None]:
        block = self.block
        return block.start + self.got, None if block.count is None else block.count - self.got

    @property
    def repeats_nothing(self) -> bool:
        """Whether the request goes on behind the rows that were read, without one of them."""
        return bool(self.got) and self.requested is not None and self.requested.start == self.rest[0]

    def take(self, requested: Block, rows: Rows, *, more: bool) -> None:
        if requested.count is not None and len(rows.raw) > requested.count:
            raise too_many(requested.count, len(rows.raw))
        self.ended = requested.count is None or len(rows.raw) < requested.count
        if requested == self.block and not self.got:
            self._whole, self.got, self.more, self.ended = rows, len(rows.raw), more, True
            return
        start, count = self.rest
        before = start - requested.start
        if self.got and before > 0 and (len(rows.raw) < before or bytes(rows.raw[before - 1]) != bytes(self._raw[-1])):
            raise ChangedError
        if self.got and not before and rows.raw and bytes(rows.raw[0]) == bytes(self._raw[-1]):
            raise ChangedError
        fresh = rows.raw[before:] if count is None else rows.raw[before : before + count]
        self.more = more or before + len(fresh) < len(rows.raw)
        self.got += len(fresh)
        self._size += len(rows.body)
        check_whole(self.got, self._size)
        self.ended = self.ended or self.got == self.block.count
        self._raw += fresh
        self._samples.append(rows)

    def rows(self) -> Rows:
        """The pieces as one list, in the white space of the application."""
        if self._whole is not None:
            return self._whole
        if not self._raw:
            return next((rows for rows in self._samples if not rows.raw), NOT_ASKED)
        return Rows(self._raw, join(self._raw, self._samples))
