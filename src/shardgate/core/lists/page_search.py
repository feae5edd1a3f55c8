"""Which rows of which shard to read next, until those that hold a page are read.

A shallow page is read plainly: the first offset + limit rows of each shard hold it, whatever shard its rows are on. For
a deep page, small blocks find where it begins on each shard (selection.py). How many requests a block takes depends on
the application's pages (blocks.py).

Holds: the rows that are read last hold the page, exactly. Rows that changed between two requests are noticed.
Never: does IO, or writes a query.
"""

from collections.abc import Callable, Mapping, Sequence

from shardgate.core.contracts import Dialect, Listing, Page, Waymark
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import Rows
from shardgate.core.lists.blocks import BlocksInPieces, WholeBlocks, read
from shardgate.core.lists.cut_short import Suspects, suspects
from shardgate.core.lists.expected import expected
from shardgate.core.lists.selection import BLOCK_ROWS_MAX, ROUNDS_MAX, Block, Selection
from shardgate.core.lists.tables import Tables
from shardgate.core.paging.parameters import ROWS_MAX
from shardgate.core.topology import ShardId

# Reading so many rows of each shard costs less than two more rounds that find where a page begins.
PLAIN_ROWS_MAX = 500
# A list that changed more often than this is read in one round, however deep the page.
CHANGES_MAX = 2

Rank = Callable[[Sequence[tuple[Block, Rows]]], Tables]


def is_deep(page: Page) -> bool:
    """Whether it may be worth searching for where the page begins."""
    return page.limit is not None and page.offset > max(page.limit, PLAIN_ROWS_MAX)


class PageSearch:
    """One page being searched for."""

    __slots__ = (
        "_changes",
        "_dialect",
        "_expectations",
        "_given_max",
        "_guess",
        "_is_total",
        "_likely",
        "_page",
        "_reading",
        "_selection",
        "_shards",
        "_sizing",
        "_suspects",
        "_wrong",
        "totals",
    )

    def __init__(
        self,
        dialect: Dialect,
        page: Page,
        shards: Sequence[ShardId],
        guess: Mapping[ShardId, int] | None = None,
        *,
        near: tuple[Waymark | None, Waymark | None] = (None, None),
        is_total: bool = True,
        likely: bool = False,
    ) -> None:
        """`guess`: how many rows of each shard stand before the page, learned from an earlier one; it may be wrong.

        `near`: places of the list before and behind the page, learned likewise.

        `is_total`: no two rows are equal in the order; otherwise no page is searched for. `likely`: of a page near the
        beginning, too, each shard is asked only for the rows that it probably has.
        """
        self._is_total = is_total
        self._likely = likely and len(shards) > 1
        self._dialect = dialect
        self._page = page
        self._shards = shards
        self._changes = 0
        is_whole = guess is not None and set(guess) == set(shards) and sum(guess.values()) == page.offset
        self._guess = guess if is_whole else None
        below, above = near
        self._expectations = expected(shards, min(page.offset, ROWS_MAX), below, above) if below or above else None
        self._wrong = False
        self._given_max = 0
        self.totals: dict[ShardId, int] = {}
        """The sizes that shards have stated."""
        self._selection = self._select()
        self._sizing = self._selection is not None and dialect.past_end is not None
        self._suspects: Suspects | None = None
        self._reading = self._read()

    @property
    def narrowing(self) -> bool:
        """Whether the begin of the page is unknown: of the rows that are read next only the sort keys matter."""
        return self._selection is not None and not self._selection.narrow_enough

    @property
    def plain(self) -> bool:
        """Whether the page is read in one round, without a search."""
        return self._selection is None

    @property
    def is_one_round(self) -> bool:
        """Whether one request to each shard gives the rows, as they are wanted."""
        return self.plain and isinstance(self._reading, WholeBlocks)

    @property
    def was_wrong(self) -> bool:
        """Whether what earlier pages taught has led to rows that do not hold the page."""
        return self._wrong

    @property
    def searched(self) -> bool:
        """Whether it was not known where the page begins."""
        return self._selection is not None and self._guess is None

    def ahead(self) -> Sequence[Block]:
        """The rows to ask for after those of `wanted`, whatever these are: all can be asked for at once."""
        if self._selection is None or self._sizing or self.asks_on or not isinstance(self._reading, WholeBlocks):
            return ()
        return self._selection.ahead()

    @property
    def more(self) -> bool:
        """Whether a shard said that it has rows behind those that were read."""
        return self._reading.more

    def cost(self) -> str:
        """How many calls and rows of each shard the page takes, at best and at worst."""
        page = self._page
        if page.limit is None:
            return "cost of each shard: 1 call, for all its rows"
        if self._selection is None:
            return f"cost of each shard: {self._pieces(page.offset + page.limit)}, for {page.offset + page.limit} rows"
        known = f"1 call for {page.limit + 1} rows where an earlier page ended here"
        usual = f"{self._selection.usual} where rows are divided by a hash"
        return f"cost of each shard: {known}; {usual}; never more than {ROUNDS_MAX + 1} rounds while no rows change"

    def _pieces(self, rows: int) -> str:
        most = self._request_max
        return "1 call" if most is None or rows <= most else f"{-(-rows // most)} calls"

    def wanted(self) -> Sequence[Block]:
        """The rows to ask for next; none: all are read."""
        return self._reading.wanted() if self._suspects is None else self._suspects.wanted

    @property
    def asks_on(self) -> bool:
        """Whether shards that gave fewer rows than asked for are asked whether they have more."""
        return self._suspects is not None and bool(self._suspects.wanted)

    def take(self, shard: ShardId, listing: Listing) -> None:
        """Take in a shard's rows. Raises BrokenReplyError, ChangedError."""
        if self._suspects is not None:
            self._suspects.take(shard, listing)
            return
        if listing.total is not None:
            self.totals[shard] = listing.total
        self._reading.take(shard, listing)

    def advance(self, rank: Rank) -> tuple[Tables, int] | None:
        """The rows that hold the page, and how many of them stand before it; None: more must be read first.

        Raises ChangedError, BrokenReplyError, OrderBrokenError.
        """
        while not self.wanted():
            if self._sizing:
                self._sizing = False
                self._reading = self._read()
                continue
            blocks = self._reading.blocks()
            if self._suspects is None:
                told, most = self._reading.told, self._given_max
                self._suspects = suspects(self._dialect, blocks, self.totals, told, given_max=most)
                if self._suspects is not None:
                    return None
            tables = rank(blocks)
            if self._selection is None:
                return tables, self._page.offset
            if self.narrowing:
                self._selection.take(tables.keys())
            elif (skip := self._selection.skip(tables.keys())) is not None:
                return tables, skip
            else:
                self._missed()
            if isinstance(self._reading, WholeBlocks):  # each block is one reply
                self._given_max = max(self._given_max, *[len(rows.raw) for _, rows in blocks])
            self._reading = self._read()
        return None

    def begin_again(self) -> None:
        """Rows changed between two requests: begin anew. After several times read in one round, which is consistent.

        Raises BrokenReplyError where the application's pages do not allow that.
        """
        if self._guess is not None:
            self._missed()
        else:
            self._changes += 1
        if self._changes > CHANGES_MAX and (self._request_max is not None or self._suspects is not None):
            page, most = self._page, self._request_max
            log = f"rows moved in {self._changes} searches for offset {page.offset}"
            if most is not None:
                log += f"; one reply gives {most} rows"
            raise BrokenReplyError("the list changes faster than the application's pages let it be read", log=log)
        self._selection = self._select()
        self._reading = self._read()

    def _missed(self) -> None:
        """The rows do not hold the page: what was learned of the list is wrong, or its rows are not spread evenly."""
        self._wrong = self._wrong or self._guess is not None or self._expectations is not None
        self._guess = self._expectations = None

    def _select(self) -> Selection | None:
        """The search for a deep page; None where reading all rows before the page costs less."""
        page = self._page
        if page.limit is None or not self._is_total:
            return None
        most = self._request_max
        # No list has rows behind ROWS_MAX, and larger numbers are too large for the estimates.
        offset, limit = min(page.offset, ROWS_MAX), min(page.limit, ROWS_MAX)
        if self._likely and limit and offset <= PLAIN_ROWS_MAX and self._changes <= CHANGES_MAX:
            return Selection(self._shards, offset, limit, self._guess, BLOCK_ROWS_MAX, self._expectations)
        if page.offset <= page.limit:
            return None
        if page.offset <= (PLAIN_ROWS_MAX if most is None else min(PLAIN_ROWS_MAX, most)):
            return None
        if self._changes > CHANGES_MAX and most is None:
            return None
        wide = BLOCK_ROWS_MAX if most is None else most  # no more than one reply gives
        return Selection(self._shards, offset, limit, self._guess, min(wide, BLOCK_ROWS_MAX), self._expectations)

    @property
    def _request_max(self) -> int | None:
        """The most rows that one reply gives; None: any number."""
        return self._dialect.cover(0, None)[1]

    def _read(self) -> WholeBlocks | BlocksInPieces:
        self._suspects = None
        return read(self._dialect, self._next_blocks(), self.totals)

    def _next_blocks(self) -> Sequence[Block]:
        page = self._page
        if self._sizing:
            return [Block(shard, 0, 1) for shard in self._shards]
        if self._selection is not None:
            return self._selection.blocks() if self.narrowing else self._selection.page_blocks()
        count = page.limit
        if count is not None and count < ROWS_MAX:  # ROWS_MAX means all; more could be too large a number for a shard
            count += page.offset
        return [Block(shard, 0, count) for shard in self._shards]
