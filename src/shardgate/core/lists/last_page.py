"""A page that only the size of the list tells: the last one, by a word of the client or behind the end of the list.

The first page, or the page that was asked for, is read first. It tells the size; then the last page is read, as if the
client had named its number.

Holds: a shard is never asked for a page behind its own end, which it would move to its own last page.
Never: guesses a size. Where the application does not state it, the request is refused.
"""

from collections.abc import Callable, Mapping, Sequence

from shardgate.core.contracts import Ask
from shardgate.core.errors import UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.lists.merging import ListMerging
from shardgate.core.paging.links import with_values
from shardgate.core.paging.parameters import Parameters
from shardgate.core.topology import ShardId


class LastPageMerging:
    """One request's list under way."""

    __slots__ = ("_begin", "_dialect", "_merging", "_request", "_seeks")

    def __init__(self, dialect: Parameters, request: Request, begin: Callable[[Request], ListMerging]) -> None:
        """`begin` merges a page whose number is known."""
        self._dialect = dialect
        self._request = request
        self._begin = begin
        self._merging = begin(request)
        self._seeks = True

    def asks(self) -> Sequence[Ask]:
        """The first calls."""
        return self._merging.asks()

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round. Raises as ListMerging, and UnreadablePageError."""
        merging = self._merging
        outcome = merging.take(replies)
        page, total = merging.page, merging.total
        if not self._seeks:
            return outcome
        if isinstance(outcome, Reply):
            if not page.is_last or outcome.status not in self._dialect.accepted:
                return outcome
            if total is None:
                raise UnreadablePageError("the last page is not known: the application does not state the list's size")
        elif self._dialect.past_end != "last" or not merging.is_past_end or total is None:
            return outcome  # a word for the last page says nothing of numbers behind the end
        number, first = self._dialect.last_page(total, page.limit)
        if isinstance(outcome, Reply) and first == 0:
            return outcome
        self._seeks = False
        place = self._dialect.page or self._dialect.offset
        query = with_values(self._dialect.respelled(self._request.query), {place: str(number)})
        target = f"{self._request.path}?{query}".encode()
        self._merging = self._begin(self._request.asking(query=query, target=target))
        return self._merging.asks()

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._merging.learned()

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if not self._merging.page.is_last and self._dialect.past_end != "last":
            return self._merging.explain()
        which = "the last page is asked for" if self._merging.page.is_last else "a page behind the end is the last one"
        return [*self._merging.explain(), f"{which}: the size of the list, which is read first, tells which it is"]
