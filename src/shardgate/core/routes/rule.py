"""A rule: how one operation is served. Tagged by `rule`; its fields are what `x-shardgate` says in the
application's document."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from shardgate.core.changes.entry import Action
from shardgate.core.changes.idempotency import Idempotency
from shardgate.core.changes.placing import AnyPolicy, LeastTenants
from shardgate.core.merge import AnyMerger
from shardgate.core.parts.whole import Parts
from shardgate.core.topology import ShardId

IdForm = Annotated[str, msgspec.Meta(pattern=r"^(hex|uuid|.*\?{5}.*)$")]
"""What a value that the gateway assigns looks like: `hex` (32 digits), `uuid` (RFC 9562), or a text in which each `?`
becomes a random letter or digit of Crockford's base 32: `BK-?????-?????`."""

WhenUnknown = Literal["ask", "refuse"]

KEY_SOURCES = ("path", "query", "header", "body", "form", "basic", "claim")
"""The places in a request that a key can be read from (plan/key.py reads them)."""


class Share(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number of the body that is for the whole: each part gets what it lacks."""

    member: str
    """The number: `amount`. Together the parts must lack as much as it says."""
    of: str
    """The member of a part with all that it needs: `price`; and …"""
    less: str | None = None
    """… the one with what it has: `paid`."""
    unless: tuple[str, ...] = ()
    """Members that only a change of one part can have: a body with one of them is not shared."""


class PartsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a change reaches all parts of an entity."""

    read: str
    """Where a part can be seen: `/v3/orders/{order_id}`."""
    already: tuple[int, ...] = (409,)
    """What a part answers that is asked again after its reply was lost, and has taken the change."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that must be the same for all parts."""
    share: Share | None = None
    undo: Action | None = None
    """What takes it back from a part, where a later one refuses."""


class One(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="one",
):
    """The shard that owns the key answers; its reply passes untouched."""

    key: str | tuple[str, ...]
    """Where the key is: `path.id`, `query.vendor`, `header.X-Vendor`, `body.vendor_id`, `form.client_id`,
    `basic.username`, `claim.vendor`. Several: those that are present must agree."""
    locate: str
    """The locator chain, by its name."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator → property of the reply whose value now lives on this shard, e.g. `{event: id}` on a create."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it does not hold the key."""
    upgrade: tuple[str, ...] = ("websocket",)
    """The protocols that a client may switch to, with the shard (RFC 9110 section 7.8)."""
    unknown: WhenUnknown | None = None
    """No key, or nobody owns it: `ask` any shard (the application then refuses as it always does) or `refuse`.
    By default reads ask; changes are refused, since an application might take them on the wrong shard."""
    parts: AnyMerger | None = None
    """Several shards may have a part of what the key names: how their replies become one."""
    change: PartsChange | None = None
    """How a change reaches all of the parts."""
    idempotency: Idempotency = Idempotency()


class AnyShard(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="any",
):
    """Any healthy shard answers: the data is the same everywhere."""

    idempotency: Idempotency = Idempotency()


class Prune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a filter names keys."""

    locate: str
    """The locator chain, by its name."""
    separator: str | None = ","
    """What stands between two keys; null: a parameter has one."""


class Gather(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="gather",
):
    """Every shard that the filters leave answers; the replies are merged."""

    merge: AnyMerger
    prune: Mapping[str, str | Prune] = msgspec.field(default_factory=dict)
    """Query parameter, or `claim.vendor` → the locator chain of the keys that it names. Only their owners are asked;
    several narrow together."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator → property of each row; only the list's tie-breaker is read."""


class Every(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="every",
):
    """Every shard takes the change, in one order for all changes of this kind."""

    mode: Literal["strict", "eventual"] = "strict"
    """`strict`: on all shards, or taken back. `eventual`: a shard that is down gets it on its return; 202 meanwhile."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not: an id must be the same everywhere."""
    check: str | None = None
    """Where the thing can be seen once the change was made: `/v3/categories/{id}`."""
    repeat: bool | None = None
    """Making the change twice is the same as making it once; by default so for PUT and DELETE (RFC 9110, 9.2.2)."""
    already: tuple[int, ...] | None = None
    """What a repeated change is answered that was made before; by default 404 and 410 for DELETE, 409 for others."""
    undo: Action | None = None
    """What takes it back from one shard; `strict` needs it."""
    idempotency: Idempotency = Idempotency()


class Place(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="place",
):
    """A new tenant is put on a shard; the directory knows before the client does."""

    space: str
    """The directory's space."""
    tenant: str = "id"
    """The property of the reply that names the new tenant."""
    key: str | tuple[str, ...] | None = None
    """Where the request names the tenant: two creates of one name go to one shard, which refuses the second."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    check: str | None = None
    """Where the new tenant can be seen: `/v3/vendors/{id}`. Needed to tell the outcome of a create whose reply is lost,
    with a name that the request or the gateway gave."""
    policy: AnyPolicy = LeastTenants()
    pinned_by: str | None = None
    """A key of the request, like `body.country`, …"""
    pinned: Mapping[str, ShardId] = msgspec.field(default_factory=dict)
    """… of which some values have their shard, whatever the policy says."""
    idempotency: Idempotency = Idempotency()


class Divide(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="divide",
):
    """Each item of the body goes to its owner, one call a shard; the replies' items come back in the input's order."""

    whole_key: str | tuple[str, ...] | None = None
    """A key of the request, like `body.vendor_id`: where it is there, one shard owns all items, …"""
    whole_locate: str | None = None
    """… found by this locator chain."""
    unknown: WhenUnknown | None = None
    """No items, or nobody owns one: `ask` any shard, which refuses, or `refuse`; by default a read asks."""
    items: str = ""
    """The member of the body with the items; empty: the body is the list."""
    key: str
    """The member of an item that says whose it is."""
    locate: str
    into: str | None = None
    """The member of the reply with the items; by default that of the request."""
    mode: Literal["read", "independent", "all_or_none"] = "read"
    """`read`: every part is needed, nothing changes. `independent`: each part succeeds or fails by itself.
    `all_or_none`: all parts or none, with `undo`, and `confirm` where there is something to confirm."""
    items_max: int | None = None
    """The most items that the application takes; a longer list is left for it to refuse."""
    position: str | None = None
    """How a refusal says which item it means: `items.{n}` where the first is `items.0`. A shard counts the items of its
    part, the client those of its request."""
    not_here: tuple[int, ...] = (404,)
    sum: tuple[str, ...] = ()
    """Numbers beside the items that are added up."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    check: str | None = None
    repeat: bool = False
    already: tuple[int, ...] = (409,)
    confirm: Action | None = None
    undo: Action | None = None
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    parts: Parts | None = None
    """`all_or_none` makes one entity in parts, known by what `learn` names: how the replies become one."""
    idempotency: Idempotency = Idempotency()


Rule = One | AnyShard | Gather | Every | Place | Divide
