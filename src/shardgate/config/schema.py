"""The YAML, one Struct a section; names one for one. No other default exists than here."""

from typing import Annotated, Any, Literal

import msgspec

from shardgate.core.limits import Limits, Timeouts


class ShardConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a shard is served."""

    url: str
    alias: str | None = None
    """The name that clients may read, in a reply that says which shard is missing; by default the shard's own."""


class IdempotencyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Idempotency-Key is kept."""

    expires_s: Annotated[float, msgspec.Meta(gt=0)] = 86_400
    """How long a key is remembered."""
    client: tuple[str, ...] = ("Authorization",)
    """The header fields that say who the client is: keys of different clients are different keys."""


class JournalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the journal is kept."""

    kept_s: Annotated[float, msgspec.Meta(gt=0)] = 7 * 86_400
    """How long a change that is over can still be looked at."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """shardgate.yaml."""

    shards: dict[str, Any]
    """Shard → its URL, or a ShardConfig; each is read by itself, so that a mistake names its shard."""
    listen: str = "127.0.0.1:8080"
    workers: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Processes; 0: one a core."""
    openapi: str | None = None
    """The application's OpenAPI document (JSON or YAML), beside this file."""
    directory: str | None = None
    """The store with the directory (tenant → shard), as `shardgate split` writes it."""
    store: str | None = None
    """The store with the journal, idempotency keys and placements; by default the directory's."""
    method_override: str | None = None
    """The query parameter by which a POST says that it is another method."""
    method_override_header: str | None = None
    """The header by which it says so."""
    trailing_slash: Literal["optional", "distinct"] = "optional"
    locators: dict[str, Any] = {}
    dialects: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    """`GET /path` → its rule: adds to `x-shardgate` in the document, and wins over it."""
    unserved: dict[str, str] = {}
    """`POST /path` → why this gateway does not serve it."""
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    idempotency: IdempotencyConfig = IdempotencyConfig()
    journal: JournalConfig = JournalConfig()
