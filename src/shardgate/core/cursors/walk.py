"""A merged list whose application pages by cursors: each shard is read by its own cursors, and the rows are merged.

Two kinds of cursors build on this: the id of a row (by_id.py), and a cursor that this gateway made, which holds a
cursor of every shard (by_cursor.py).

Holds: the page is the one that an instance with all the data would give. A request whose page cannot be read is sent to
the shards as it came, for them to refuse.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from shardgate.core.contracts import NO_ROWS, Ask, Dialect, Listing, Merged, Page, as_it_came
from shardgate.core.cursors.reader import Backward, Forward, ShardPage, Start
from shardgate.core.errors import UnreadablePageError
from shardgate.core.failures.of_shard import of_shard
from shardgate.core.http import Reply, Request
from shardgate.core.json.array import Rows, cut, join, without
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import CURSOR_ROUNDS_MAX, LEARNED_ROWS_MAX
from shardgate.core.order.keyed_rows import KeyedRow, by_key, keyed
from shardgate.core.order.order import Order
from shardgate.core.paging.around import Around
from shardgate.core.paging.bounds import too_many
from shardgate.core.paging.no_rows import NoRows, is_bodiless, with_list, without_list
from shardgate.core.replies.fields import without_links_to, without_page_fields
from shardgate.core.replies.refusals import is_redirect, redirect, unite
from shardgate.core.replies.totals import whole_total
from shardgate.core.topology import ShardId


class PageNeighbours(msgspec.Struct, frozen=True):
    """The pages around a page, each by the id of a row or by a cursor; None: there is no such page."""

    previous: str | None
    """The page before it ends before this row, or is the one of this cursor."""
    next: str | None
    """The page behind it begins behind this row, or is the one of this cursor."""
    ends: tuple[bytes, bytes] | None = None
    """The tie-breakers of the first and the last row of the page, as they stand there; None: it has no row."""


class CursorDialect(Dialect, Protocol):
    """A dialect that pages by cursors."""

    @property
    def tells_more(self) -> bool:
        """Whether replies say that there are rows behind the page."""

    @property
    def fields_always(self) -> tuple[str, ...]:
        """The properties that rows show whatever properties are asked for."""

    @property
    def reversed_back(self) -> bool:
        """Whether a page before a place has its rows the other way round: the nearest row first."""

    def ask_at(self, request: Request, page: Page, fields: Sequence[str] | None, place: Start) -> tuple[bytes, bytes]:
        """As `ask`, from where the shard's list is read."""


class CursorWalk(ABC):
    """The rounds of one request. What a client's cursor means is decided by the classes that derive from it."""

    def __init__(
        self, dialect: CursorDialect, order: Order | str, page: Page, request: Request, shards: Sequence[ShardId]
    ) -> None:
        """`order`: a text says why the page cannot be read."""
        self.not_here: Sequence[int] = ()
        """The statuses by which a shard says that it has no rows."""
        self.no_rows: NoRows = "list"
        """How the application writes a list without rows."""
        self.items: str | None = None
        """The member with the rows; None: the body is the list."""
        self.fields_written: frozenset[bytes] = frozenset()
        """The fields of the reply's head that the dialect writes."""
        self.around: Around | None = None
        """What is said of the members around the rows; None: there is no object around them."""
        self._documents: list[JsonObject] = []
        self._dialect = dialect
        self._order = None if isinstance(order, str) else order
        self._problem = order if isinstance(order, str) else ""
        self._page = page
        self._request = request
        self._shards = shards
        self._streams: dict[ShardId, Forward | Backward] = {}
        self._samples: list[Rows] = []
        self._replies: list[Reply] = []
        self._totals: dict[ShardId, int] = {}
        self._empty: set[ShardId] = set()
        self._counts: dict[ShardId, int] = {}
        self._rounds = 0
        self._shown: list[tuple[str, ShardId]] = []
        self._redirected = False
        self._added = _missing_fields(self._order, page, dialect.fields_always)

    def asks(self) -> Sequence[Ask]:
        """The next request to each shard; the client's own, where its page cannot be read."""
        if not self._streams or self._redirected:
            return as_it_came(self._request, self._shards)
        wanted = [(shard, self._streams[shard]) for shard in self._wanted()]
        return [self._ask(shard, stream.place, self._rows_of(stream)) for shard, stream in wanted]

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """The merged reply, or the next round.

        Raises BrokenReplyError, OrderBrokenError, or UnreadablePageError where the shards accept a page that the rule
        cannot read.
        """
        answered = [shard for shard in self._shards if shard in replies]
        given = [replies[shard] for shard in answered]
        if self._redirected:
            return redirect(given, self._dialect.accepted, answered)
        refusal = unite(given, self._dialect.accepted, self.not_here, answered)
        if refusal is not None and is_redirect(refusal) and self._streams:
            self._redirected = True
            return self.asks()
        if refusal is not None:
            return refusal
        if self._order is None or not self._streams:
            problem = self._problem or "no shard has the row that the page begins at"
            raise UnreadablePageError(f"a paging or sorting parameter cannot be read: {problem}")
        for shard in answered:
            with of_shard(shard):
                self._open(shard, replies[shard], self._order)
        self._rounds += 1
        if self._wanted():
            if self._rounds >= CURSOR_ROUNDS_MAX:
                raise UnreadablePageError(
                    f"the page is too far into the list: it was not reached in {CURSOR_ROUNDS_MAX} rounds; "
                    "begin the list anew, or use larger pages"
                )
            return self.asks()
        return self._reply()

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """The tie-breaker of each row of the page, and the shard that the row came from."""
        return self._shown

    def explain(self) -> Sequence[str]:
        """How the page is made."""
        if self._order is None:
            return ["nothing: a parameter cannot be read, so the shards are left to refuse it"]
        lines = [f"sorted by {self._order.explained()}", f"{self._page.limit} rows of the merged list are the page"]
        if self._added:
            lines.append(f"{', '.join(self._added)}: asked for to sort by, taken out of each row again")
        return lines

    @abstractmethod
    def _reply(self) -> Reply:
        """The merged reply."""

    @abstractmethod
    def _next(self, listing: Listing, rows: Sequence[KeyedRow]) -> str | None:
        """A shard's own cursor behind one of its pages; None at the end of its list."""

    @abstractmethod
    def _note(self, shard: ShardId, listing: Listing, rows: Sequence[KeyedRow]) -> None:
        """What else a kind of cursors learns from a shard's page. Raises BrokenReplyError."""

    def _wanted(self) -> list[ShardId]:
        """The shards that must be read on: their next rows may belong to the page."""
        rows = [row for stream in self._streams.values() for row in stream.rows]
        bound = None
        if (limit := self._page.limit or 0) <= len(rows):
            rows.sort(key=by_key)
            bound = rows[limit - 1].key
        return [
            shard
            for shard, stream in self._streams.items()
            if stream.wanted and not (bound is not None and isinstance(stream, Forward) and stream.reaches(bound))
        ]

    def _chosen(self) -> tuple[list[KeyedRow], bool]:
        """The rows of the page, and whether there are more in the direction of the request."""
        streams = list(self._streams.values())
        rows = sorted((row for stream in streams for row in stream.rows), key=by_key)
        limit = self._page.limit or 0
        back = any(isinstance(stream, Backward) for stream in streams)
        chosen = rows[-limit:] if back else rows[:limit]
        if len(chosen) <= LEARNED_ROWS_MAX:
            self._shown = [(row.id, row.shard) for row in chosen]
        return chosen, len(rows) > len(chosen) or any(stream.more for stream in streams)

    def _merged(self, chosen: Sequence[KeyedRow], *, more: bool, before: bool, behind: bool) -> Merged:
        """The merged page, for the dialect to write. `more`: whether there is more in the direction of the request.

        Raises BrokenReplyError.
        """
        raw = [without(row.raw, self._added) if self._added else row.raw for row in self._in_order(chosen)]
        total = whole_total(self._totals, [shard for shard in self._shards if shard not in self._empty])
        rows = join(raw, self._samples)
        reply = self._replies[0]
        if self.around is not None:
            reply = self.around.applied(reply, self._documents, self._request.path)
        reply = without_page_fields(without_links_to(reply, self._request.path), self.fields_written)
        shown = len(chosen)
        return Merged(self._request, self._page, rows, shown, total, more, reply, before=before, behind=behind)

    def _in_order(self, chosen: Sequence[KeyedRow]) -> Sequence[KeyedRow]:
        """The rows as the page shows them."""
        is_back = self._dialect.reversed_back and any(isinstance(each, Backward) for each in self._streams.values())
        return chosen[::-1] if is_back else chosen

    def _written(self, reply: Reply, chosen: Sequence[KeyedRow]) -> Reply:
        """The merged reply as the application writes it, with rows or without. Raises BrokenReplyError."""
        if chosen or self.no_rows == "list":
            return reply
        return without_list(reply, self.no_rows, self.items)

    def _rows_of(self, stream: Forward | Backward) -> int:
        """How many rows are asked for at once."""
        most, limit = self._dialect.cover(0, None)[1], self._page.limit or 0
        return max(most or 0, limit) if stream.walking else limit

    def _ask(self, shard: ShardId, place: Start, count: int) -> Ask:
        page = self._page
        self._counts[shard] = count
        fields = None if page.fields is None else (*page.fields, *self._added)
        shard_page = msgspec.structs.replace(page, limit=count, order=self._order.by if self._order else ())
        return Ask(shard, *self._dialect.ask_at(self._request, shard_page, fields, place))

    def _listed(self, reply: Reply) -> tuple[Listing, Rows, Reply]:
        """What a reply lists, its rows, and the reply with a list, whichever way the application writes one without
        rows. NO_ROWS where it says that it has nothing. Raises BrokenReplyError."""
        listing = NO_ROWS
        if reply.status in self._dialect.accepted and not (
            self.no_rows != "list" and is_bodiless(reply, self.no_rows, self.items)
        ):
            reply = with_list(reply, self.no_rows, self.items)
            listing = self._dialect.open(reply)
        return listing, cut(listing.rows), reply

    def _open(self, shard: ShardId, reply: Reply, order: Order) -> None:
        listing, rows, reply = self._listed(reply)
        has_rows, stream = listing is not NO_ROWS, self._streams[shard]
        if self._dialect.reversed_back and rows.raw and isinstance(stream, Backward) and not stream.walking:
            rows = Rows(rows.raw[::-1], join(rows.raw[::-1], [rows]))
        asked = self._counts[shard]
        if asked and len(rows.raw) > asked:
            raise too_many(asked, len(rows.raw))
        found = keyed(order, rows, shard)
        full = len(found) >= self._counts[shard]
        self._note(shard, listing, found)
        stream.take(ShardPage(found, self._next(listing, found), listing.more, listing.before, full))
        # Pages that were only passed over are not kept: memory is bounded by the page, however far it is.
        if has_rows and len(self._replies) < len(self._shards):
            self._replies.append(reply)
            self._samples.append(rows)
            if listing.document is not None:
                self._documents.append(listing.document)
        if not has_rows:
            self._empty.add(shard)
        elif listing.total is not None:
            self._totals.setdefault(shard, listing.total)


def _missing_fields(order: Order | None, page: Page, always: Sequence[str]) -> tuple[str, ...]:
    """The properties to sort by that the client did not ask for."""
    fields = page.fields
    if order is None or fields is None:
        return ()
    return tuple(name for name in order.properties if name not in fields and name not in always)
