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
    """The member of the body with the number: `amount`."""
    of: str
    """The member of a part with all that it needs: `price`."""
    less: str | None = None
    """The member of a part with what it has already: `paid`."""
    unless: tuple[str, ...] = ()
    """Members of the body that only a change of one part can have: `[voucher_code]`. A body with one of them is not
    shared."""


class PartsChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a change reaches all parts of an entity."""

    read: str
    """The path where a part can be read: `/orders/{id}`. The parts are read before they are changed."""
    already: tuple[int, ...] = (409,)
    """The statuses by which a shard says, when the change is repeated after a lost reply, that its part has it
    already."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not. All parts get the same value."""
    share: Share | None = None
    """A number of the body that is shared among the parts."""
    undo: Action | None = None
    """The call that takes the change back from a part, when a later part refuses."""


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
    `basic.username`, `claim.vendor`. Of a list, those that are present must agree."""
    locate: str
    """The name of the locator chain that finds the key's shard."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator chain → property of the reply whose value now lives on this shard: `{event: id}` on a create."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it does not hold the key."""
    upgrade: tuple[str, ...] = ("websocket",)
    """The protocols that a client may switch to, with the shard (RFC 9110 section 7.8)."""
    unknown: WhenUnknown | None = None
    """What to do when the request has no key, or no shard owns it. `ask`: any shard, which refuses in the application's
    words. `refuse`: the gateway refuses. Default: `ask` for reads, `refuse` for changes."""
    parts: AnyMerger | None = None
    """How the replies become one, where several shards may have a part of what the key names: a merge of the kind
    `entity` or `list`."""
    change: PartsChange | None = None
    """How a change reaches all parts."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""


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
    """How repeated requests of this operation are handled."""


class Prune(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a filter names keys."""

    locate: str
    """The name of the locator chain that finds the shards of the keys."""
    separator: str | None = ","
    """What stands between two keys; `null`: the parameter holds one key."""


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
    """How the replies become one."""
    prune: Mapping[str, str | Prune] = msgspec.field(default_factory=dict)
    """Query parameter, `claim.NAME` or `path.NAME` → the locator chain of the keys in it. Only the shards that own one
    of these keys are asked."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator chain → property of each row whose value lives on the row's shard. Only the list's `tie` is read:
    `{event: id}`."""


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
    """`strict`: the change is on all shards, or is taken back and reported (SG2009, or the refusal of the shard that
    refused). `eventual`: a shard that is down gets it when it returns; meanwhile the reply is 202."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not. All shards get the same value: `{id:
    hex}`."""
    check: str | None = None
    """The path where the result can be seen once the change was made: `/v3/categories/{id}`. It is read when a reply
    was lost."""
    repeat: bool | None = None
    """Sending the change twice is the same as sending it once. Default: true for PUT and DELETE (RFC 9110 section
    9.2.2)."""
    already: tuple[int, ...] | None = None
    """The statuses by which a shard says, when the change is repeated, that it was made before. Default: `[404, 410]`
    for DELETE, `[409]` for others."""
    undo: Action | None = None
    """The call that takes the change back from one shard. `strict` needs it."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""


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
    """The name of the directory's space: for `shardgate split`, the table of the tenants."""
    tenant: str = "id"
    """The property of the reply that names the new tenant."""
    key: str | tuple[str, ...] | None = None
    """Where the request names the tenant. Two creates of one name go to one shard, so that the application refuses the
    second."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """Members of the body that the gateway fills where the client does not. An assigned id is then the tenant's
    name."""
    check: str | None = None
    """The path where the new tenant can be seen: `/v3/vendors/{key}`. It is read when a reply was lost, if the request
    or the gateway gave the tenant a name."""
    policy: AnyPolicy = LeastTenants()
    """How the shard is chosen."""
    pinned_by: str | None = None
    """A key of the request, such as `body.country`, that `pinned` looks up."""
    pinned: Mapping[str, ShardId] = msgspec.field(default_factory=dict)
    """Value of that key → the shard of these tenants, whatever the policy says: `{PT: lisbon}`."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""


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
    """A key of the request, such as `body.vendor_id`. Where the request has it, one shard owns all items, and the
    request is relayed to that shard."""
    whole_locate: str | None = None
    """The name of the locator chain of `whole_key`."""
    unknown: WhenUnknown | None = None
    """What to do when there are no items, or no shard owns one. `ask`: any shard, which refuses in the application's
    words. `refuse`: the gateway refuses. Default: `ask` with `mode: read`, else `refuse`."""
    items: str = ""
    """The member of the body with the items. Empty: the body is the list."""
    key: str
    """The member of an item that says whose it is."""
    locate: str
    """The name of the locator chain that finds the shard of an item's key."""
    into: str | None = None
    """The member of the reply with the items, one for each item of the request. Default: as `items`."""
    mode: Literal["read", "independent", "all_or_none"] = "read"
    """`read`: nothing is changed, and every shard that owns an item must answer. `independent`: each part succeeds or
    fails by itself; an item of a failed part is `{status, problem}` in the reply. `all_or_none`: all parts or none,
    with `undo`, and with `confirm` where there is something to confirm."""
    items_max: int | None = None
    """The most items that the application accepts. A longer list goes to one shard, which refuses it."""
    position: str | None = None
    """How a refusal says which item it means: `items.{n}` where the first is `items.0`. A shard counts the items of its
    own part; with this, the client reads the position in its own request."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it does not hold an item."""
    sum: tuple[str, ...] = ()
    """Numbers beside the items that are added up."""
    assign: Mapping[str, IdForm] = msgspec.field(default_factory=dict)
    """With `all_or_none`: members of the body that the gateway fills where the client does not. All parts get the same
    value."""
    check: str | None = None
    """With `all_or_none`: the path where the result can be seen once the change was made."""
    repeat: bool = False
    """With `all_or_none`: sending the change twice is the same as sending it once."""
    already: tuple[int, ...] = (409,)
    """With `all_or_none`: the statuses by which a shard says, when the change is repeated, that it was made before."""
    confirm: Action | None = None
    """With `all_or_none`: the call that goes to all shards once all have accepted."""
    undo: Action | None = None
    """With `all_or_none`: the call that takes the change back from one shard. It is needed."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator chain → property of the reply whose value now lives on this shard."""
    parts: Parts | None = None
    """With `all_or_none`: what is made is one entity in parts, known by what `learn` names. This says how the replies
    become one."""
    idempotency: Idempotency = Idempotency()
    """How repeated requests of this operation are handled."""


Rule = One | AnyShard | Gather | Every | Place | Divide
