"""Where pages ended, so that the next one is found at once: whoever reads page after page pays one round for each.

A position is a guess like any other: the page that it leads to is compared with the row before it on each shard, and
is exact or begun anew (selection.py). So it may be forgotten, out of date, or another client's.

Holds: bounded; the oldest entries leave first.
"""

from collections.abc import Mapping

from shardgate.core.topology import ShardId

Positions = Mapping[ShardId, int]
"""How many rows of each shard stand before a page."""


class PagePositions:
    """One table for all lists. One a worker."""

    __slots__ = ("_pages", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._pages: dict[tuple[str, int], Positions] = {}

    def recall(self, listed: str, offset: int) -> Positions | None:
        """Where this page of a list begins; None: nobody has come near it."""
        return self._pages.get((listed, offset))

    def learn(self, listed: str, offset: int, positions: Positions) -> None:
        """Here the page at this offset begins."""
        if len(self._pages) >= self._size and (listed, offset) not in self._pages:
            del self._pages[next(iter(self._pages))]
        self._pages[listed, offset] = positions
