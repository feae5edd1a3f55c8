"""Where pages ended on each shard. A client that reads page after page finds the next one in one round.

A position is only a guess: the page is compared with the row before it on each shard, and the search begins anew where
the guess was wrong (selection.py). So a position may be forgotten, out of date, or learned from another client.

Holds: bounded; the oldest entries leave first.
"""

from collections.abc import Mapping

from shardgate.core.eldest import drop_oldest
from shardgate.core.topology import ShardId

Positions = Mapping[ShardId, int]
"""How many rows of each shard stand before a page."""


class PagePositions:
    """One table for all lists; each worker has one."""

    __slots__ = ("_pages", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._pages: dict[tuple[str, int], Positions] = {}

    def recall(self, listed: str, offset: int) -> Positions | None:
        """Where the page at this offset of a list begins; None: unknown."""
        return self._pages.get((listed, offset))

    def learn(self, listed: str, offset: int, positions: Positions) -> None:
        """Remember where the page at this offset of a list begins."""
        while len(self._pages) >= self._size and (listed, offset) not in self._pages:
            drop_oldest(self._pages)  # a long list that is merged on a thread may learn at the same moment
        self._pages[listed, offset] = positions
