"""A rule: how one operation is served. Tagged by `rule`; its fields are what `x-shardgate` says in the
application's document."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from shardgate.core.merge import AnyMerger

Outcome = Literal["ask", "refuse"]

KEY_SOURCES = ("path", "query", "header", "body", "form", "basic")
"""The places in a request that a key can be read from (plan/key.py reads them)."""


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
    `basic.username`. Several: those that are present must agree."""
    locate: str
    """The locator chain, by its name."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator → property of the reply whose value now lives on this shard, e.g. `{event: id}` on a create."""
    not_here: tuple[int, ...] = (404,)
    """The statuses by which an instance says that it does not hold the key."""
    upgrade: tuple[str, ...] = ("websocket",)
    """The protocols that a client may switch to, with the shard (RFC 9110 section 7.8)."""
    unknown: Outcome | None = None
    """No key, or nobody owns it: `ask` any shard (the application then refuses as it always does) or `refuse`.
    By default reads ask; changes are refused, since an application might take them on the wrong shard."""


class AnyShard(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="rule",
    tag="any",
):
    """Any healthy shard answers: the data is the same everywhere."""


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
    """Query parameter → the locator chain of the keys that it names. Only their owners are asked; several parameters
    narrow together."""
    learn: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Locator → property of each row; only the list's tie-breaker is read."""


Rule = One | AnyShard | Gather
