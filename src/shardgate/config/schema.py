"""The YAML, one Struct a section; names one for one. No other default exists than here."""

from typing import Annotated, Any, Literal

import msgspec

from shardgate.core.clients.period import Window
from shardgate.core.limits import WORKERS_MAX, Limits, Timeouts
from shardgate.core.wire.coding import Compress


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Certificate and key of the listener, in PEM; they are read again when they change."""

    certificate: str
    key: str | None = None
    """Without it, it stands in the certificate's file."""
    client_ca: str | None = None
    """Who must have signed the clients' certificates; without it clients need none."""


class ShardConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a shard is served."""

    url: str
    alias: str | None = None
    """The name that clients may read, in a reply that says which shard is missing; by default the shard's own."""
    ca: str | None = None
    """Who signed the certificate of an `https` shard; by default the system's authorities are asked."""
    certificate: str | None = None
    """What the gateway shows a shard that wants to know who comes."""
    key: str | None = None
    server_name: str | None = None
    """The name in the shard's certificate; by default the host of its URL."""


class AccessLogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The access log."""

    to: str
    """`stdout`, `stderr`, or a file beside this one."""
    query: bool = False
    """Whether what stands behind the `?` is written; tokens and personal data may stand there."""
    sample: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """The part of the requests that is written; failures always are."""


class CursorsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the cursors that this gateway gives are signed with."""

    secret_file: str
    """One secret a line: the first signs, all are accepted."""
    lifetime_s: Annotated[int, msgspec.Meta(ge=1)] = 86_400


class IdempotencyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Idempotency-Key is kept."""

    expires_s: Annotated[float, msgspec.Meta(gt=0)] = 86_400
    """How long a key is remembered."""
    client: tuple[str, ...] = ("Authorization",)
    """The header fields, or `claim.sub`, that say who the client is: keys of different clients are different keys."""


class JournalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the journal is kept."""

    kept_s: Annotated[float, msgspec.Meta(gt=0)] = 7 * 86_400
    """How long a change that is over can still be looked at."""


class ForwardedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How trusted proxies say who their client is."""

    header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    """The one that they write; what comes in the other is their client's word."""
    also: tuple[Literal["X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"], ...] = ()
    """What they set besides, and shards are to be sent."""


class WordsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refusal as the application itself would say it."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    body: Any = ""
    """A mapping or a list is written as compact JSON, a text as it stands."""
    content_type: str = "application/json"
    fields: dict[str, str] = {}
    """Other header fields."""
    under: dict[str, "WordsConfig"] = {}
    """The beginning of a path → what is said there instead."""


class JwtConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How access tokens are verified; exactly one of the four places of keys."""

    algorithms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """`[RS256]`; all of one kind of key. A token by another is refused, whatever it says."""
    key_env: str | None = None
    """The environment variable with the secret, or with a public key in PEM."""
    key_file: str | None = None
    """A file with secrets, one a line, all accepted; or with a public key in PEM."""
    jwks_file: str | None = None
    jwks_url: str | None = None
    refresh_s: Annotated[float, msgspec.Meta(ge=1)] = 300
    """How often the keys at the URL are fetched again; a file is looked at every 5 seconds."""
    issuer: str | None = None
    audience: str | tuple[str, ...] = ()
    leeway_s: Annotated[float, msgspec.Meta(ge=0, le=300)] = 0
    """How far the clocks may be apart."""
    client: str = "sub"
    """The claim that says who the client is."""


class QuotaConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many calls each client may make."""

    calls: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    window: Window = "month"
    """A calendar month, day or hour in UTC."""
    headers: bool = False
    """Replies say how much is left: RateLimit and RateLimit-Policy."""
    flush_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 5
    """How often what was counted is written down."""
    spent: WordsConfig | None = None
    """How the application says that nothing is left; without it, SG1023."""


class ClientsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may call, and how often."""

    jwt: JwtConfig
    unverified: Literal["refuse", "pass"] = "refuse"
    """A request without a good token: refused here, or by the application, which then sees it as it came."""
    refused: WordsConfig | None = None
    """How the application says so; without it, SG1022."""
    open: tuple[str, ...] = ()
    """`POST /oauth/token`: operations that need no token, and are not counted."""
    quota: QuotaConfig | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """shardgate.yaml."""

    shards: dict[str, Any]
    """Shard → its URL, or a ShardConfig; each is read by itself, so that a mistake names its shard."""
    listen: str = "127.0.0.1:8080"
    workers: Annotated[int, msgspec.Meta(ge=0, le=WORKERS_MAX)] = 0
    """Processes; 0: one a core."""
    tls: TlsConfig | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Networks of proxies in front, who are believed when they say who their client is."""
    forwarded: ForwardedConfig = ForwardedConfig()
    compress: Compress | None = None
    """Pack replies for clients that take gzip; without it, shards do it, or nobody."""
    admin: str | None = None
    """Where operators ask for metrics and health; without it nowhere."""
    access_log: bool | str | AccessLogConfig = False
    """Where to; YAML reads `off` as false."""
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
    request_trailers: Literal["drop", "pass"] = "drop"
    """Whether trailer fields of requests go on to shards: some applications take them for header fields."""
    locators: dict[str, Any] = {}
    dialects: dict[str, Any] = {}
    cursors: CursorsConfig | None = None
    rules: dict[str, Any] = {}
    """`GET /path` → its rule: adds to `x-shardgate` in the document, and wins over it."""
    unserved: dict[str, str] = {}
    """`POST /path` → why this gateway does not serve it."""
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    clients: ClientsConfig | None = None
    """Who calls, and how often; without it, that is the application's business alone."""
    idempotency: IdempotencyConfig = IdempotencyConfig()
    journal: JournalConfig = JournalConfig()
