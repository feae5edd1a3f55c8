"""Sorted lists into one sorted list, a page at a time.

Each shard is asked for the first offset + limit rows; their merge holds the page, whatever shard its rows are on.

Holds: the page is the one that an instance with all the data would give. A sort key that the client did not ask for is
asked upstream and taken out again. A page that cannot be read is passed to the shards as it is, for them to refuse.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.contracts import UNKNOWN, Ask, Page, Strategy
from shardgate.core.dialect import AnyDialect
from shardgate.core.errors import BrokenReplyError, UnreadablePageError
from shardgate.core.http import Reply, Request
from shardgate.core.limits import LEARNED_ROWS_MAX
from shardgate.core.order import KeyConfig, Order, Ranking, SortKey, sort_key
from shardgate.core.refusals import unite
from shardgate.core.rows import Rows, cut, join, without
from shardgate.core.topology import ShardId


class Listed(Strategy, frozen=True, tag="list"):
    """One list out of many, in one order."""

    dialect: AnyDialect
    keys: Mapping[str, KeyConfig]
    """The properties that rows can be sorted by."""
    default_order: tuple[str, ...] = ("id",)
    """The order without a parameter; `-name` descends."""
    tie: str = "id"
    """The unique property that the application ends every order with."""

    def begin(self, request: Request, shards: Sequence[ShardId]) -> "ListedMerging":
        """Start the merge of one request."""
        return ListedMerging(self, request, shards)

    def describe(self) -> str:
        """The merge in one line."""
        return f"list, by {', '.join(self.default_order)} or any of {', '.join(self.keys)}"

    def order(self, page: Page) -> Order | None:
        """The total order of a page; None where it names a property that is no sort key."""
        order = page.order or tuple((name.removeprefix("-"), name.startswith("-")) for name in self.default_order)
        names = [name for name, _ in order]
        if len(set(names)) < len(names) or not all(name in self.keys for name in names):
            return None
        return order if self.tie in names else (*order, (self.tie, False))


class ListedMerging:
    """One request's list under way."""

    __slots__ = ("_added", "_order", "_page", "_request", "_rule", "_shards", "_shown")

    def __init__(self, rule: Listed, request: Request, shards: Sequence[ShardId]) -> None:
        page = rule.dialect.read_page(request.query)
        order = None if page is UNKNOWN else rule.order(page)
        self._rule = rule
        self._request = request
        self._shards = shards
        self._page = Page(0, None, (), None) if page is UNKNOWN or order is None else page
        self._order = order
        self._added = self._missing_fields()
        self._shown: list[tuple[str, ShardId]] = []

    def asks(self) -> Sequence[Ask]:
        """The same request to each shard: the client's own, where its page cannot be read."""
        if self._order is None:
            target = self._request.target
        else:
            page = self._first_rows(self._order)
            query = self._rule.dialect.write_query(self._request.query, page=page, fields=self._fields())
            target = (f"{self._request.path}?{query}" if query else self._request.path).encode()
        return [Ask(shard, target) for shard in self._shards]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply:
        """The merged reply.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept what the rule
        cannot read.
        """
        refusal = unite([replies[shard] for shard in self._shards])
        if refusal is not None:
            return refusal
        if self._order is None:
            raise UnreadablePageError("a paging or sorting parameter names what the rule does not know")
        tables = [cut(replies[shard].body) for shard in self._shards]
        rows = self._merged(tables, self._order)
        return self._reply(rows, tables, replies)

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._shown

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if self._order is None:
            return ["nothing: a parameter cannot be read, so the shards are left to refuse it"]
        page = self._page
        order = ", ".join(f"{name} {'down' if descends else 'up'}" for name, descends in self._order)
        end = "the end" if page.limit is None else str(page.offset + page.limit)
        said = [
            f"sorted by {order}",
            f"rows {page.offset} to {end} of the merged list are the page",
        ]
        if self._added:
            said.append(f"{', '.join(self._added)}: asked for to sort by, taken out of each row again")
        return said

    def _merged(self, tables: list[Rows], order: Order) -> list[msgspec.Raw]:
        keys: dict[str, SortKey] = {name: sort_key(self._rule.keys[name]) for name, _ in order}
        ranking = Ranking(order)
        raw: list[msgspec.Raw] = []
        owners: list[ShardId] = []
        for shard, table in zip(self._shards, tables, strict=True):
            owners += [shard] * ranking.add(table.body, keys)
            raw += table.raw
        page = self._page
        end = None if page.limit is None else page.offset + page.limit
        chosen = ranking.sorted()[page.offset : end]
        if len(chosen) <= LEARNED_ROWS_MAX:
            ties = ranking.values(self._rule.tie)
            self._shown = [(str(ties[n]), owners[n]) for n in chosen]
        return [raw[n] for n in chosen]

    def _reply(self, rows: list[msgspec.Raw], tables: list[Rows], replies: Mapping[ShardId, Reply]) -> Reply:
        if self._added:
            rows = [without(row, self._added) for row in rows]
        first = replies[self._shards[0]]
        reply = Reply(200, list(first.fields), join(rows, tables))
        totals = [self._rule.dialect.total(replies[shard]) for shard in self._shards]
        stated = [total for total in totals if total is not None]
        if not stated:
            return reply
        if len(stated) < len(totals):
            raise BrokenReplyError("some shards state the size of their list, others do not")
        return self._rule.dialect.with_total(reply, sum(stated))

    def _first_rows(self, order: Order) -> Page:
        page = self._page
        limit = None if page.limit is None else page.offset + page.limit
        return Page(0, limit, order, page.fields)

    def _fields(self) -> tuple[str, ...] | None:
        fields = self._page.fields
        return None if fields is None else (*fields, *self._added)

    def _missing_fields(self) -> tuple[str, ...]:
        fields = self._page.fields
        if fields is None or self._order is None:
            return ()
        return tuple(name for name, _ in self._order if name not in fields)
