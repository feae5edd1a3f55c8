"""What the replies of one list say besides its rows: who has none, how they are written, what stands around them.

Holds: a shard that says that it has nothing is an empty list where the rule says so, and nowhere else.
Never: decides what is asked next (rounds.py does).
"""

from collections.abc import Mapping, Sequence

from shardgate.core.contracts import NO_ROWS, Listing
from shardgate.core.errors import UpstreamError
from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject
from shardgate.core.lists.page_search import PageSearch
from shardgate.core.lists.rule import ListRule
from shardgate.core.paging.no_rows import is_bodiless, with_list
from shardgate.core.replies.totals import whole_total
from shardgate.core.topology import ShardId

_BLANK = b" \t\r\n[]nul"


class ListReplies:
    """The replies of one list, as far as they came."""

    __slots__ = (
        "_completed",
        "_documents",
        "_empty",
        "_rowless",
        "_rule",
        "_shards",
        "_with_extra",
        "as_list",
        "extras",
        "knows_empty",
        "nothing",
        "replies",
    )

    def __init__(self, rule: ListRule, shards: Sequence[ShardId]) -> None:
        self._rule = rule
        self._shards = shards
        self._empty: list[ShardId] = []
        self._rowless: set[ShardId] = set()
        self._completed: set[ShardId] = set()
        self._documents: dict[ShardId, JsonObject] = {}
        self._with_extra: set[ShardId] = set()
        self.replies: dict[ShardId, Reply] = {}
        """The last reply with a list of each shard."""
        self.extras: list[bytes] = []
        """What else of the replies the dialect needs."""
        self.nothing = Reply(200, [], b"")
        """The last reply that says that there is nothing."""
        self.as_list: bool | None = None
        """Whether the application writes this empty page as a list; None: not seen."""
        self.knows_empty = False
        """A shard was asked how it writes an empty page."""

    def read(
        self, search: PageSearch, answered: Sequence[ShardId], replies: Mapping[ShardId, Reply], *, sized: bool
    ) -> None:
        """Take in each shard's rows. Raises ChangedError, and BrokenReplyError, which then names the shard.

        `sized`: the page is to have rows.
        """
        shard: ShardId = ""
        dialect, may_lack = self._rule.dialect, bool(self._rule.not_here) or self._rule.no_rows != "list"
        asked_on = search.asks_on
        try:
            for shard in answered:
                reply = replies[shard]
                has_nothing = may_lack and self.has_nothing(reply)
                if asked_on:  # the page is made of the replies before
                    search.take(shard, NO_ROWS if has_nothing else dialect.open(reply))
                    continue
                if has_nothing:
                    self._empty.append(shard)
                    self.nothing = reply
                    search.take(shard, NO_ROWS)
                    continue
                listing = dialect.open(self._kept(shard, reply))
                if (
                    listing.total is None
                    and not listing.rows.strip(_BLANK)
                    and self._has_no_rows(listing, search, sized)
                ):
                    self._rowless.add(shard)
                self.note(shard, listing)
                search.take(shard, listing)
        except UpstreamError as error:
            error.shard = shard
            raise

    def note(self, shard: ShardId, listing: Listing) -> None:
        """Take in what stands around a shard's rows."""
        if listing.extra:
            self.extras.append(listing.extra)
            self._with_extra.add(shard)
        else:
            self._with_extra.discard(shard)
        if listing.document is not None:
            self._documents[shard] = listing.document

    def has_nothing(self, reply: Reply) -> bool:
        """Whether the shard says that it has no rows, by its status or without a body."""
        if reply.status not in self._rule.dialect.accepted:
            return reply.status in self._rule.not_here
        return self._rule.no_rows != "list" and is_bodiless(reply, self._rule.no_rows, self._rule.items)

    def listed_in(self, reply: Reply) -> Reply:
        """The reply with a list, whichever way the application writes one without rows."""
        found = with_list(reply, self._rule.no_rows, self._rule.items)
        if found is not reply:
            self.as_list = self.as_list or False
        elif not self._rule.dialect.open(reply).rows.strip(_BLANK):
            self.as_list = True
        return found

    def with_lists(self) -> Sequence[ShardId]:
        """The shards that have answered with a list, first those that wrote one; all, before any has."""
        found = [shard for shard in self._shards if shard in self.replies] or self._shards
        return sorted(found, key=self._completed.__contains__) if self._completed else found

    def shown_by(self, shards: Sequence[ShardId], *, has_rows: bool) -> ShardId:
        """The shard around whose reply the page is written: where it has rows, one that shows how those are."""
        if has_rows and self._with_extra:
            return next((shard for shard in shards if shard in self._with_extra), shards[0])
        return shards[0]

    @property
    def documents(self) -> list[JsonObject]:
        """The objects around the rows, as the shards wrote them."""
        return [self._documents[shard] for shard in self._shards if shard in self._documents]

    def total(self, totals: dict[ShardId, int]) -> int | None:
        """The size of the whole list; None: not stated. `totals`: the sizes that shards stated. Raises
        BrokenReplyError."""
        if self._rowless and totals:
            for shard in self._rowless:
                totals.setdefault(shard, 0)
        if not self._empty:
            return whole_total(totals, self._shards)
        # A shard that has nothing states no size, also where the application does.
        asked = [shard for shard in self._shards if shard not in self._empty]
        return whole_total({shard: totals[shard] for shard in asked if shard in totals}, asked)

    def _kept(self, shard: ShardId, reply: Reply) -> Reply:
        self.replies[shard] = reply
        if self._rule.no_rows == "list":
            return reply
        listed = self.replies[shard] = self.listed_in(reply)
        (self._completed.discard if listed is reply else self._completed.add)(shard)
        return listed

    def _has_no_rows(self, listing: Listing, search: PageSearch, sized: bool) -> bool:
        """Whether a shard that gives no row, and states no size, has none: it was asked from its first row on, or it
        writes `null` for the size that others state."""
        total = self._rule.members[1] if listing.document is not None and self._rule.members else None
        is_null = total is not None and listing.document.raw(total) == b"null"
        return is_null or (sized and search.plain)
