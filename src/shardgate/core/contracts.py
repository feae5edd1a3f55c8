"""What a locator, a merger and a dialect must do. To extend the gateway, read this first.

A strategy is a frozen msgspec Struct tagged by `kind`. Its fields are its configuration, their types its validation,
and their docstrings its reference. To add one, write the file and add its class to the table in the room's
`__init__.py`.

Holds: nothing here waits. "Not known" is a value (UNKNOWN), and so is "ask the shards" (AskAll).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Literal, Protocol

import msgspec

from shardgate.core.errors import ShardgateError
from shardgate.core.http import Reply, Request
from shardgate.core.topology import ShardId, Topology

Outcome = Reply | ShardgateError
"""How a call to a shard ended: with its reply, or with the reason why there is none."""


class Strategy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """The base of every strategy: a value that is its own configuration."""


class Unknown(Enum):
    """A locator does not know the key (the next of the chain is asked); a dialect cannot read the page."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class ManyKeys(Protocol):
    """How one request for a list asks a shard which of many keys it has."""

    @property
    def rows_max(self) -> int | None:
        """How many rows one reply has at most, where that is known: a reply with fewer is whole."""

    def groups(self, keys: Sequence[str]) -> tuple[list[list[str]], list[str]]:
        """The keys as they are asked for together, and those that must be asked for alone."""

    def target(self, keys: Sequence[str]) -> bytes:
        """The request target that asks for these keys."""

    def shown(self, body: bytes) -> Iterable[str | None]:
        """The key of each row of a reply; None where a row has none. Raises BrokenReplyError."""


class AskAll(msgspec.Struct, frozen=True):
    """Only the shards know: ask each for this path. The one that has it owns the key."""

    path: str
    """With `{key}` filled in."""
    bulk: ManyKeys | None = None
    """How to ask for many keys at once; None: they are asked for one by one."""


class KeyMemory(Protocol):
    """What earlier replies taught: key → shard, in named spaces. Bounded."""

    def recall(self, space: str, key: str) -> ShardId | Unknown:
        """The only shard whose reply has shown this key."""

    def learn(self, space: str, key: str, shard: ShardId) -> None:
        """This shard's reply showed this key. Where another's did before, the key is disputed, and not recalled."""

    def learn_rows(self, space: str, rows: Sequence[tuple[str, ShardId]]) -> None:
        """The same for the keys of many rows, each with its shard."""

    def learn_copy(self, space: str, key: str, shard: ShardId) -> None:
        """This shard's reply showed this key, which other shards may have, too: each of them will do."""

    def settle(self, space: str, key: str, shard: ShardId) -> None:
        """All shards were asked, and this one alone has the key."""

    def forget(self, space: str, key: str) -> None:
        """Forget the key: the shard does not have it any more, or none has."""

    def is_disputed(self, space: str, key: str) -> bool:
        """Whether several shards have shown this key."""

    def entries(self) -> list[tuple[str, str]]:
        """The space and the key of everything that is known."""


class Known(msgspec.Struct, frozen=True):
    """What is known when a request is planned: one epoch's topology, and what earlier replies taught."""

    topology: Topology
    memory: KeyMemory
    pages: "PageMemory | None" = None


class Locator(Protocol):
    """Which shard holds this key?"""

    def locate(self, space: str, key: str, known: Known) -> ShardId | AskAll | Unknown:
        """The shard, or how to find it; never waits. `space` is the name of the locator chain."""


Waymark = tuple[int, Mapping[ShardId, int]]
"""An offset of a merged list, and how many rows of each shard stand before it."""


class PageMemory(Protocol):
    """What earlier pages taught: where the next ones begin. Bounded."""

    def recall(self, listed: str, offset: int) -> Mapping[ShardId, int] | None:
        """How many rows of each shard stand before the page at this offset of a list; None: unknown."""

    def learn(self, listed: str, offset: int, positions: Mapping[ShardId, int]) -> None:
        """Remember how many rows of each shard stand before the page at this offset of a list."""

    def near(self, listed: str, offset: int) -> tuple[Waymark | None, Waymark | None]:
        """The nearest places of a list that are known: not behind an offset, and behind it."""

    def forget(self, listed: str, offset: int) -> None:
        """Forget the places around an offset: they led to a wrong page."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """What a merge is given besides the request: the time, the topology's epoch, and what is remembered."""

    at_s: float = 0.0
    """The time, in seconds since 1970: cursors are dated by it."""
    epoch: int = 0
    """The epoch of the topology."""
    pages: PageMemory | None = None
    """Where earlier pages began; None: it is not remembered."""
    parted: Mapping[str, Sequence[ShardId]] = {}
    """The keys of the list's entities that are in parts → the shards that may have a part."""
    left_out: Collection[str] = ()
    """The aliases of the shards that the list lacks: a cursor for another page of it must say so."""


NO_MOMENT: Final = Moment()


class Page(msgspec.Struct, frozen=True):
    """The page of a list that a request asks for: rows [offset, offset + limit) in an order."""

    offset: int
    limit: int | None
    """None: to the end."""
    order: tuple[tuple[str, bool], ...]
    """Sort keys, most significant first, each with whether it descends; empty: the list's default order."""
    fields: tuple[str, ...] | None
    """The properties asked for; None: all."""
    is_last: bool = False
    """The last page is asked for, whichever that is; the offset is then 0."""


NO_PAGE: Final = Page(0, None, (), None)
"""Stands for a page that cannot be read."""


class Listing(msgspec.Struct, frozen=True, gc=False):
    """What one shard's reply says: its rows, and what it states about its list."""

    rows: bytes
    """The JSON array, as it stands in the body."""
    total: int | None = None
    """The size of the filtered list; None: not stated."""
    more: bool | None = None
    """Whether there are rows behind these; None: not stated."""
    before: bool | None = None
    """Whether there are rows before these; None: not stated."""
    next: str | None = None
    """The shard's own cursor behind these rows; None: not stated."""
    extra: bytes = b""
    """What else of the reply the dialect needs to write the merged page."""
    document: Any = None
    """The object (`JsonObject`) that the rows stand in; None: they stand in none."""


NO_ROWS: Final = Listing(b"[]", 0, more=False, before=False)
"""What a shard says that has nothing for a list."""


class Merged(msgspec.Struct, frozen=True):
    """A merged page, for the dialect to write as one instance would."""

    request: Request
    page: Page
    rows: bytes
    """The JSON array."""
    shown: int
    """How many rows the array has."""
    total: int | None
    """The size of the whole list; None: not stated."""
    more: bool
    """Whether there are rows behind the page."""
    reply: Reply
    """A shard's reply: everything that is not about the rows is taken from it."""
    extras: tuple[bytes, ...] = ()
    """`Listing.extra` of each reply that has one."""
    before: bool | None = None
    """Whether there are rows before a page that a cursor places; None: its offset says so."""
    behind: bool | None = None
    """The same of rows behind it; `more` is then about the direction of the request. None: `more` says so."""

    @property
    def is_none(self) -> bool:
        """Whether it is the first page of a list without rows: then each shard's is the same."""
        if self.total is None:
            others = self.more or self.page.offset or self.before or self.behind
            return not (self.shown or others) and self.page.limit != 0
        return self.total == 0 and not self.page.offset

    @property
    def known(self) -> int | None:
        """The size of the whole list: stated, or as its last page shows it; None: not known."""
        if self.total is not None or self.more or self.before or self.behind or self.page.limit == 0:
            return self.total
        return self.page.offset + self.shown if self.shown or not self.page.offset else None

    @property
    def size(self) -> int:
        """The rows of a whole page, at least 1; where all rows are asked for, as many as there are."""
        if self.page.limit is not None:
            return self.page.limit or 1
        return max(1, self.shown if self.total is None else self.total)


Streamable = Literal["never", "with_total", "always"]
"""Whether the merged reply's head can be written before the rows have arrived, from the heads of the shards' replies:
never; where these state the size of the list; always. The body of a dialect that can is the bare JSON array."""


PastEnd = int | Literal["last"] | None
"""What an application does with a page behind the last row: refuse it by this status; give the `last` page; None: give
an empty one."""


class Dialect(Protocol):
    """How an application pages, sorts and counts its lists: reads the page that a client asks for, writes the requests
    to shards, takes the rows out of the replies, and writes the merged page. Most derive from `Parameters`."""

    @property
    def posted(self) -> bool:
        """Whether the list is asked for by POST, with the page in the body."""

    @property
    def streamable(self) -> Streamable:
        """Whether the head of the merged reply can be written before the rows have arrived."""

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""

    @property
    def past_end(self) -> PastEnd:
        """What the application does with a page behind the last row."""

    def read(self, request: Request) -> Page | Unknown:
        """The page that a client asks for; UNKNOWN where a value cannot be read."""

    def problem(self, request: Request) -> str:
        """Why `read` gave UNKNOWN: the parameter, its value, and what would be accepted."""

    def unpaged(self, request: Request) -> str:
        """The list that a request is about, whichever page of it: its path and query without the page."""

    def cover(self, start: int, count: int | None) -> tuple[int, int | None]:
        """The rows (first, how many) of one request that gives row `start` and as many of the `count` as it can.

        An application with numbered pages may give rows before `start` too; one with a largest page may give fewer.
        """

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """The target and body of a request to a shard: the client's, with this page (as `cover` gave it) and these
        properties."""

    def open(self, reply: Reply) -> Listing:
        """The rows in a shard's reply, and what it states about its list. Never decodes a row."""

    def sizes(self, replies: Sequence[Reply]) -> list[int | None] | None:
        """What each reply states as the size of its list, where its body is the list and it says no more: then `open`
        needs not be asked. None: it says more, or another part of it is the list."""

    def refused(self, reply: Reply, total: int) -> Reply:
        """A shard's refusal of a page behind the end, with the size of the whole list where it states one."""

    def close(self, merged: Merged) -> Reply:
        """The merged reply: a shard's, around the merged rows, with every number and link of the page made anew."""


class Ask(msgspec.Struct, frozen=True):
    """One call that a merge needs: this target of this shard. It only reads, also where it is a POST."""

    shard: ShardId
    target: bytes
    body: bytes = b""
    method: bytes = b"GET"


def method_of(request: Request) -> bytes:
    """The method of a merge's calls: POST for a POST, also for one that names a GET in its body; else GET (a HEAD needs
    what a GET gives)."""
    return b"POST" if request.sent_method == b"POST" else b"GET"


def as_it_came(request: Request, shards: Sequence[ShardId]) -> list[Ask]:
    """The client's own request to each shard, for the shards to refuse."""
    method = method_of(request)
    body = request.body if method == b"POST" else b""
    return [Ask(shard, request.target, body, method) for shard in shards]


class Merging(Protocol):
    """One request's merge under way: says what to ask, and takes the replies, until it has the merged one."""

    def asks(self) -> Sequence[Ask]:
        """The first calls to make."""

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """Take in the replies to the last asks. Returns the merged reply, or what to ask next."""

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """Once the reply is merged: the keys of its rows, each with the shard that has it."""

    def explain(self) -> Sequence[str]:
        """How the replies are merged, in sentences."""


class Merger(Protocol):
    """Makes one reply of many."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start the merge of one request over these shards."""

    def describe(self) -> str:
        """The merge in one line, for `explain` and `routes`."""
