"""A plan: the calls to make for one request. A value: it can be printed, compared, explained.

Nothing else exists than these; the planner chooses, the engine carries out.
"""

from collections.abc import Mapping, Sequence

import msgspec

from shardgate.core.body.items import Items
from shardgate.core.contracts import AskAll, Merging
from shardgate.core.http import Request
from shardgate.core.plan.prune import Pruned
from shardgate.core.routes.route import Route
from shardgate.core.routes.rule import Divide, Every, One, PartsChange, Place
from shardgate.core.topology import ShardId


class ToOne(msgspec.Struct):
    """Relay to the shard that owns the key."""

    route: Route
    shard: ShardId
    key: str
    doubted: "FindOwner | None" = None
    """What to do if the shard turns out not to hold the key: its place was only remembered."""


class ToAny(msgspec.Struct):
    """Relay to any of these shards, the first that can be reached."""

    route: Route
    shards: Sequence[ShardId]


class FindOwner(msgspec.Struct):
    """Ask every shard for this target by GET; the one that has it owns the key, and answers."""

    route: Route
    space: str
    key: str
    target: bytes
    shards: Sequence[ShardId]
    is_the_request: bool
    """The probe is the request itself: the owner's reply is the answer."""


class ToGather(msgspec.Struct):
    """Ask every shard that the filters leave, merge."""

    route: Route
    request: Request
    merging: Merging
    pruned: Pruned | None = None
    instead: Merging | None = None
    """What to do where the page does not show all that was hoped for: the same over all shards."""


class ToParts(msgspec.Struct):
    """Journal, then change every part of an entity."""

    route: Route
    rule: One
    change: PartsChange
    key: str
    shards: Sequence[ShardId]
    variables: Mapping[str, str]


class ToEvery(msgspec.Struct):
    """Journal, then change every shard."""

    route: Route
    rule: Every
    shards: Sequence[ShardId]
    variables: Mapping[str, str]


class Placement(msgspec.Struct):
    """Choose a shard for a new tenant, create it there, record it."""

    route: Route
    rule: Place
    key: str | None
    """The tenant's name in the request."""
    pinned: ShardId | None
    variables: Mapping[str, str]


class Division(msgspec.Struct):
    """Send each item to its owner."""

    route: Route
    rule: Divide
    items: Items
    places: Sequence[ShardId | AskAll | None]
    """For each item: its shard, how to ask for it, or None where nobody can own it."""
    keys: Sequence[str | None]
    variables: Mapping[str, str]


Plan = ToOne | ToAny | FindOwner | ToGather | ToEvery | ToParts | Placement | Division
