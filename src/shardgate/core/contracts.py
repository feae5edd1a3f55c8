"""What a Locator, a Merger and a Dialect must do. To extend the house, read this first.

A strategy is a frozen msgspec Struct tagged by `kind`: its fields are its configuration, its validation and its page in
the reference. The only other edit is one line in the folder's `__init__.py`, an explicit table.

Holds: nothing here waits. *Not known* is a value (UNKNOWN), and *ask the shards* is a value (AskAll).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import ClassVar, Final, Literal, Protocol

import msgspec

from shardgate.core.errors import ShardgateError
from shardgate.core.http import Reply, Request
from shardgate.core.topology import ShardId, Topology

Outcome = Reply | ShardgateError
"""What came of a call: its reply, or why there is none."""


class Strategy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """The base of every strategy: a value that is also its own configuration."""


class Unknown(Enum):
    """This locator cannot say; the next of the chain is asked."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


class AskAll(msgspec.Struct, frozen=True):
    """Only the shards can say: ask each for this path (`{key}` filled in); the one that has it owns the key."""

    path: str


class KeyMemory(Protocol):
    """What earlier replies taught: key → shard, in named spaces, bounded."""

    def recall(self, space: str, key: str) -> ShardId | Unknown:
        """The shard that last showed this key."""

    def learn(self, space: str, key: str, shard: ShardId) -> None:
        """Remember that this shard showed this key."""

    def forget(self, space: str, key: str) -> None:
        """The shard does not have it any more."""


class Known(msgspec.Struct, frozen=True):
    """What a decision may look at: one epoch's topology, and what earlier replies taught."""

    topology: Topology
    memory: KeyMemory
    pages: "PageMemory | None" = None


class Locator(Protocol):
    """Which shard holds this key?"""

    def locate(self, space: str, key: str, known: Known) -> ShardId | AskAll | Unknown:
        """Answer from the key and from what is known; never wait. `space` is the name of the locator chain."""


class PageMemory(Protocol):
    """What earlier pages taught: where the next ones begin, bounded."""

    def recall(self, listed: str, offset: int) -> Mapping[ShardId, int] | None:
        """How many rows of each shard stand before this page of a list; None: not known."""

    def learn(self, listed: str, offset: int, positions: Mapping[ShardId, int]) -> None:
        """Here a page begins."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """When a merge begins: what a cursor is dated by."""

    at_s: float = 0.0
    """Seconds since 1970."""
    epoch: int = 0
    """The topology's."""
    pages: PageMemory | None = None
    parted: Mapping[str, Sequence[ShardId]] = {}
    """The keys of entities that are in parts, of the kind that the list is of, and who may have one."""


NO_MOMENT: Final = Moment()


class Page(msgspec.Struct, frozen=True):
    """What a client asked of a list."""

    offset: int
    limit: int | None
    """None: all there is."""
    order: tuple[tuple[str, bool], ...]
    """Sort keys, each with whether it descends; empty: the list's default order."""
    fields: tuple[str, ...] | None
    """The properties asked for; None: all."""


class Listing(msgspec.Struct, frozen=True, gc=False):
    """What a shard's reply says of its list."""

    rows: bytes
    """The JSON array, as it stands in the body."""
    total: int | None = None
    """The size of the filtered collection; None: not stated."""
    more: bool | None = None
    """Whether there are rows behind these; None: not stated."""
    before: bool | None = None
    """Whether there are rows before these; None: not stated."""
    next: str | None = None
    """The shard's own cursor behind these rows, where it writes one."""
    beside: bytes = b""
    """What else of this reply its dialect needs to tell the merged page."""


class Merged(msgspec.Struct, frozen=True):
    """A merged page, to be told as one instance would."""

    request: Request
    page: Page
    rows: bytes
    """The JSON array."""
    shown: int
    """How many rows that are."""
    total: int | None
    more: bool
    """Whether there are rows behind the page."""
    reply: Reply
    """A shard's, for all that is not about the list's rows."""
    beside: tuple[bytes, ...] = ()
    """What the dialect kept of all replies (`Listing.beside`)."""


Ahead = Literal["never", "counted", "always"]
"""Whether a dialect can tell all that stands around the rows before they have come, with the heads of the replies
alone: `counted`: where the heads state the size of the list. The body is then the JSON array and nothing else."""


class Dialect(Protocol):
    """How an application pages, sorts and counts: reads a client's page, writes what a shard is asked, takes the rows
    out of a shard's reply, and tells the merged page. Most of it is in `Parameters`, the base of those we have."""

    posted: ClassVar[bool]
    """Whether the list is asked for by POST, its page in the body."""
    ahead: ClassVar[Ahead]
    """Whether what stands around the rows is known before them."""

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses of a reply that is a list."""

    @property
    def past_end(self) -> int | None:
        """The status by which the application refuses a page behind the last row; None: it gives an empty one."""

    def read(self, request: Request) -> Page | Unknown:
        """The page that a client asks for; UNKNOWN where a value cannot be read."""

    def unpaged(self, request: Request) -> str:
        """What a list is known by: its path and query, and nothing of its page."""

    def cover(self, start: int, count: int | None) -> tuple[int, int | None]:
        """The rows (first, how many) of one request that gives row `start` and as many of the `count` as it can.

        An application that counts pages may give rows before `start` too; one with a greatest size may give fewer.
        """

    def ask(self, request: Request, page: Page, fields: Sequence[str] | None) -> tuple[bytes, bytes]:
        """What a shard is asked, as target and body: the client's, with this page, as `cover` gave it, and these
        properties."""

    def open(self, reply: Reply) -> Listing:
        """Where the rows stand in a shard's reply, and what it states of the list. Never decodes a row."""

    def refused(self, reply: Reply, total: int) -> Reply:
        """A shard's refusal of a page behind the end, telling the size of the whole list where it tells one."""

    def close(self, merged: Merged) -> Reply:
        """The merged reply: the shard's own, around the merged rows, with every number and link of a page redone."""


class Ask(msgspec.Struct, frozen=True):
    """One call to make for a merge: this target of this shard. It only reads, also where it is a POST."""

    shard: ShardId
    target: bytes
    body: bytes = b""
    method: bytes = b"GET"


def method_of(request: Request) -> bytes:
    """How the shards are asked: a HEAD needs what a GET gives."""
    return b"POST" if request.method == "POST" else b"GET"


def as_it_came(request: Request, shards: Sequence[ShardId]) -> list[Ask]:
    """The client's own request, for the shards to refuse."""
    method = method_of(request)
    body = request.body if method == b"POST" else b""
    return [Ask(shard, request.target, body, method) for shard in shards]


class Merging(Protocol):
    """One request's merge under way: says what to ask, is told what came, until it has a reply."""

    def asks(self) -> Sequence[Ask]:
        """The first calls to make."""

    def take(self, replies: Mapping[ShardId, Reply]) -> Reply | Sequence[Ask]:
        """Given the replies to the last asks: the merged reply, or what to ask next."""

    def learned(self) -> Sequence[tuple[str, ShardId]]:
        """After the reply: which keys its rows showed, and on which shard."""

    def explain(self) -> Sequence[str]:
        """How the replies are merged, in sentences."""


class Merger(Protocol):
    """One reply out of many."""

    def begin(self, request: Request, shards: Sequence[ShardId], moment: Moment = NO_MOMENT) -> Merging:
        """Start a merge over these shards."""

    def describe(self) -> str:
        """The merge in one line, for `explain` and `routes`."""
