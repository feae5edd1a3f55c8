"""Where the pages of one request's list begin on each shard: what earlier pages taught (positions.py), and what it
teaches.

Never: takes what was learned for true. The search compares the rows.
"""

from collections.abc import Mapping, Sequence

from shardgate.core.contracts import Dialect, Page, PageMemory, Waymark
from shardgate.core.http import Request
from shardgate.core.lists.page_search import PageSearch, is_deep
from shardgate.core.lists.tables import Tables
from shardgate.core.topology import ShardId

_Known = tuple[Mapping[ShardId, int] | None, tuple[Waymark | None, Waymark | None]]


class Places:
    """The places of one list, as far as they are remembered."""

    __slots__ = ("_dialect", "_page", "_pages", "_request")

    def __init__(self, dialect: Dialect, request: Request, page: Page, pages: PageMemory | None) -> None:
        """`pages`: None where nothing is remembered."""
        self._dialect = dialect
        self._request = request
        self._page = page
        self._pages = pages

    def known(self, searched: Page) -> _Known:
        """How many rows of each shard stand before the page, if it is known; or else the nearest places."""
        pages = self._pages
        if pages is None or not is_deep(searched):
            return None, (None, None)
        guess = pages.recall(self._listed, searched.offset)
        return guess, (None, None) if guess is not None else pages.near(self._listed, searched.offset)

    @property
    def are_kept(self) -> bool:
        """Whether it is worth remembering where the next page begins: it is deep."""
        offset, limit = self._page.offset, self._page.limit
        return self._pages is not None and is_deep(Page(offset + (limit or 0), limit, (), None))

    def learn(self, search: PageSearch, tables: Tables, ranked: Sequence[int], skip: int, end: int) -> None:
        """Remember where the page began, if it was searched for, and where the next one begins."""
        pages, listed = self._pages, self._listed
        if pages is None:
            return
        if search.was_wrong:
            pages.forget(listed, self._page.offset)
        positions = tables.starts()
        for n in ranked[:skip]:
            positions[tables.owners[n]] += 1
        if search.searched and len(ranked) > skip:
            pages.learn(listed, self._page.offset, positions)
        if len(ranked) > end:
            for n in ranked[skip:end]:
                positions[tables.owners[n]] += 1
            self.passed(positions)

    def passed(self, positions: Mapping[ShardId, int]) -> None:
        """Remember that the next page begins behind so many rows of each shard."""
        if self._pages is not None:
            self._pages.learn(self._listed, self._page.offset + (self._page.limit or 0), positions)

    @property
    def _listed(self) -> str:
        return self._dialect.unpaged(self._request)
