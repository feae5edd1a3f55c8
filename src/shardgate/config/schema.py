"""The YAML, one Struct a section; names one for one. No other default exists than here."""

from typing import Annotated, Any, Literal

import msgspec

from shardgate.core.changes.idempotency import CLIENT_FIELDS
from shardgate.core.clients.period import Window
from shardgate.core.limits import WORKERS_MAX, Limits, Timeouts
from shardgate.core.replicas.settings import Failover, HealthCheck, ReplicaGuards
from shardgate.core.wire.coding import Compress


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Certificate and key of the listener, in PEM; they are read again when they change."""

    certificate: str
    """A PEM file with the certificate and its chain."""
    key: str | None = None
    """A PEM file with the key. Default: the certificate's file has it, too."""
    client_ca: str | None = None
    """A PEM file with the authority that must have signed the clients' certificates. Without it, clients need no
    certificate."""


class ReplicaConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several instances that serve the same shard."""

    url: str
    """`http://host:port` or `https://host:port`."""
    weight: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Its share of the calls, relative to the other replicas'."""
    zone: str | None = None
    """Where it runs. Replicas in the gateway's own `zone` are asked first."""
    write: bool = True
    """`false`: it follows another replica, and gets reads only."""


class DiscoveryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replicas that DNS names, as the service discovery of Amazon ECS and headless services of Kubernetes do. They are
    looked up again when the answer holds no longer (every 1 to 30 s); while there is no answer, those that are known
    stay."""

    dns: str | None = None
    """`http://north.shards.local:8000`: each address of this name (A and AAAA records) is a replica at this port."""
    srv: str | None = None
    """`http://_http._tcp.north.shards.local`: each SRV record of this name is a replica, with the record's port, weight
    and priority."""


class ResolverConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked for replicas that DNS names."""

    servers: tuple[str, ...] = ()
    """Addresses of DNS servers: `[10.0.0.2, "10.0.0.3:5353"]`. Empty: those of the system, with its search list."""


class ShardConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a shard is served."""

    url: str | None = None
    """`http://host:port` or `https://host:port`. No two shards may have the same. With a path, `http://host:port/app`,
    the shard is asked below it; clients do not see it."""
    replicas: tuple[Any, ...] | DiscoveryConfig = ()
    """Instead of `url`: the URLs of several instances that serve the same data, or the fields of a replica each; or
    `dns` or `srv`, where DNS names them. One that fails is noticed by nobody: reads are retried at another one."""
    health: HealthCheck | None = None
    """How each replica, or the one instance at `url`, is asked whether it can serve. Without it, only its calls say
    so."""
    guards: ReplicaGuards = ReplicaGuards()
    """Retries, hedges, and when a replica is left out. A shard with one instance has a breaker alone: `{panic_percent:
    0}`."""
    failover: Failover | None = None
    """How requests for one key wait while the shard cannot be reached: `{wait_s: 5}`. Null: they get 503 (SG2001) at
    once."""
    alias: str | None = None
    """The name that clients may read, where a reply says which shard is missing. Default: the shard's own name."""
    ca: str | None = None
    """A PEM file with the authority that has signed the certificate of an `https` shard. Default: the authorities that
    the system knows."""
    certificate: str | None = None
    """A PEM file with the certificate that the gateway shows to a shard that asks for one."""
    key: str | None = None
    """The key of that certificate."""
    server_name: str | None = None
    """The name in the shard's certificate. Default: the host of its URL."""


class AccessLogConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The access log."""

    to: str
    """`stdout`, `stderr`, or the path of a file."""
    query: bool = False
    """Write what stands behind the `?`, too. Personal data may stand there."""
    mask: tuple[str, ...] = ()
    """Further parameters whose values are masked: `[passport_no]`. Case and separators do not matter. Those that look
    like secrets (`api_key`, `password`, `code`, `sig`, …) always are."""
    sample: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """The fraction of the requests that is written: 0.1 is every tenth. Failures are always written."""


class OtlpConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where metrics are pushed to, by OTLP over HTTP (OpenTelemetry)."""

    url: str
    """The receiver of metrics: `http://127.0.0.1:4318/v1/metrics`. Default of the path: `/v1/metrics`."""
    every_s: Annotated[float, msgspec.Meta(ge=1, le=3600)] = 60
    """How often."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 10
    """How long the receiver may take for each of its steps."""
    headers_env: str | None = None
    """The environment variable with header fields that the receiver wants: `name=value,name=value`. They are
    secrets."""
    headers_file: str | None = None
    """Instead of a variable: a file with them."""
    attributes: dict[str, str] = {}
    """What is said of this gateway: `{deployment.environment.name: staging}`. By itself it says `service.name`
    (`shardgate`), `service.version`, and the host's name as `service.instance.id`: give each gateway of one host
    another."""
    ca: str | None = None
    """A PEM file with the authority that has signed the certificate of an `https` receiver. Default: the authorities
    that the system knows."""


class CursorsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the cursors that this gateway gives are signed with."""

    secret_file: str | None = None
    """A file with one secret of 32 characters or more a line (`umask 077; openssl rand -hex 32 > FILE`). The first
    signs; all are accepted."""
    secret_env: str | None = None
    """Instead of a file: the environment variable with the secrets, one a line."""
    lifetime_s: Annotated[int, msgspec.Meta(ge=1)] = 86_400
    """How long a cursor can be used."""
    client: tuple[str, ...] | None = None
    """The header fields, cookies (`cookie.session`) or claims (`claim.sub`) that say who the client is: a cursor that
    was given to one client is refused from another. They must stay the same when a token is renewed. Default: the claim
    of `clients.jwt.client`, where tokens are verified; else `[]`: a cursor is good for anybody."""


class CookiesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cookies that each shard sets for itself, and understands alone."""

    jar: tuple[str, ...]
    """Their names: `[sessionid, csrftoken]`. A client has one cookie of each name, which holds the values of all
    shards; each shard is sent its own. Signed with the secrets of `cursors`, where there are any."""


class IdempotencyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Idempotency-Key is kept."""

    expires_s: Annotated[float, msgspec.Meta(gt=0)] = 86_400
    """How long a key is remembered."""
    client: tuple[str, ...] = CLIENT_FIELDS
    """The header fields, claims such as `claim.sub`, or cookies such as `cookie.session`, that say who the client is:
    all of them must agree. Keys of different clients are different keys. Empty: all clients share their keys."""


class JournalConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the journal is kept."""

    kept_s: Annotated[float, msgspec.Meta(gt=0)] = 7 * 86_400
    """How long a change that is over can still be looked at."""


class ApplicationCopyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The application's own export and import of one tenant, instead of the copy of its rows. Each is a command or a
    URL. In both, `{tenant}`, `{shard}` and `{instance}` stand for the tenant, the name of the shard, and the address of
    its instance; in a command `{file}` stands for the file that is written or read."""

    export_command: tuple[str, ...] = ()
    """A command on the machine of `shardgate move` that writes the tenant into the file: `[./manage.py, export,
    "{tenant}", "{file}"]`. Its environment has `MOVE_TENANT`, `MOVE_SHARD`, `MOVE_INSTANCE`, `MOVE_DATABASE` (the
    URL of the shard's database) and `MOVE_FILE`."""
    export_url: str | None = None
    """Instead: a GET of this URL answers 200 with the tenant: `{instance}/admin/tenants/{tenant}`."""
    import_command: tuple[str, ...] = ()
    """A command that reads the file into the target, with the ids that the rows have."""
    import_url: str | None = None
    """Instead: a POST of what was exported to this URL answers 200, 201 or 204 when all is stored."""
    headers: dict[str, str] = {}
    """Header fields of these requests: `{Authorization: Bearer …}`."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=10)] = 8.0
    """How long the import may take, together with an export that must be made again as the tenant has changed since.
    Changes of the tenant wait so long, and lists while it is imported."""
    export_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 600.0
    """How long the first export may take. Nothing waits for it."""


class MovementsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the data is divided, and the database of each shard: `shardgate move` needs both."""

    tenant: str
    """The table whose rows are the tenants, as `shardgate split --tenant`."""
    by: str | None = None
    """The column of that table that names a tenant in the directory. Default: its primary key."""
    space: str | None = None
    """The directory's space of the tenants. Default: the name of the table."""
    reference: tuple[str, ...] = ()
    """The tables that every shard has whole."""
    empty: tuple[str, ...] = ()
    """The tables that belong to no tenant, and whose rows stay on their shard."""
    links: tuple[str, ...] = ()
    """Foreign keys that the databases do not declare: `orders.shop=shops.id`."""
    local_ids: tuple[str, ...] = ()
    """The tables whose ids the databases count and nobody outside of a shard knows: those of several shards may be
    equal. A movement after which two shards would give equal ids of another table is refused."""
    application: ApplicationCopyConfig | None = None
    """The application's own export and import take the copy's place."""
    databases: dict[str, str] = {}
    """Shard → URL of its database: `{north: sqlite:///north.db}`. A password is better given by the variable
    `SHARDGATE_DATABASE_NORTH`, which wins."""


class ForwardedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How trusted proxies say who their client is."""

    header: Literal["X-Forwarded-For", "Forwarded"] = "X-Forwarded-For"
    """The form that the proxies write. `X-Forwarded-For`: the chain of addresses, with the scheme in
    `X-Forwarded-Proto`. `Forwarded` (RFC 7239): both in one field. What comes in the other form is not believed."""
    also: tuple[Literal["X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"], ...] = ()
    """Further fields that the proxies set, and that shards are to be sent."""


class WordsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A refusal as the application itself would say it."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)]
    """The status of the reply."""
    body: Any = ""
    """A mapping or a list is written as compact JSON, a text as it stands."""
    content_type: str = "application/json"
    """The media type of the body."""
    fields: dict[str, str] = {}
    """Other header fields. A 401 also gets `WWW-Authenticate` if it is not among them."""
    under: dict[str, "WordsConfig"] = {}
    """The beginning of a path → other words for what is below it."""


class JwtConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How access tokens are verified; exactly one of the four places of keys."""

    algorithms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """The algorithms that are accepted, all for one kind of key: `[RS256]`. A token by another is refused, whatever it
    says of itself."""
    key_env: str | None = None
    """The environment variable with the secret, or with a public key in PEM."""
    key_file: str | None = None
    """A file with secrets, one a line, all accepted; or with a public key in PEM."""
    jwks_file: str | None = None
    """A file with a JWKS."""
    jwks_url: str | None = None
    """The URL of a JWKS: `https://…`."""
    refresh_s: Annotated[float, msgspec.Meta(ge=1)] = 300
    """How often the keys at `jwks_url` are fetched again."""
    issuer: str | None = None
    """What the claim `iss` must be. Default: it is not looked at."""
    audience: str | tuple[str, ...] = ()
    """What the claim `aud` must name. Of a list, one is enough."""
    leeway_s: Annotated[float, msgspec.Meta(ge=0, le=300)] = 0
    """How far the clocks may be apart."""
    client: str = "sub"
    """The claim that says who the client is."""


class QuotaConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many calls each client may make."""

    calls: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    """How many calls a client may make in each period."""
    window: Window = "month"
    """The period: a calendar month, day or hour in UTC."""
    headers: bool = False
    """Replies say how much is left, in `RateLimit` and `RateLimit-Policy`."""
    flush_s: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 5
    """How often the counts are written into the store. What was counted since may be lost in a crash."""
    spent: WordsConfig | None = None
    """The application's own words for 429. Default: SG1023, with `Retry-After`."""


class BoundsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one client may take up of each worker. Beyond it 429 (SG1027), at once, with `Retry-After`."""

    by: str = "address"
    """What tells clients apart. `address`: where they connect from; behind a trusted proxy, the address that the proxy
    names; of IPv6 the first 64 bits. `token`: the claim `jwt.client` of a verified token. `claim.NAME`: another claim.
    Without a verified token the address counts, as it always does for connections and uploads."""
    connections_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Open connections; those of trusted proxies are not counted. Default: half of `limits.client_connections_max`."""
    requests_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Requests under way. Default: half of `limits.requests_in_flight_max`."""
    uploads_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Bodies on their way, other than those that came with their head. Default: half of
    `limits.requests_in_flight_max`."""
    rate_per_s: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Requests a second. Default: any number."""
    burst: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Requests at once, after a pause. Default: those of two seconds."""


class ClassMatchConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What puts a request into a priority class: all that is said here."""

    claim: dict[str, tuple[str, ...]] = {}
    """Claim of a verified token → its values, of which one is enough: `{tier: [gold, platinum]}`."""
    header: dict[str, tuple[str, ...]] = {}
    """Header field → its values, as they are written: `{X-Tier: [gold]}`. It counts only where it comes from one of
    `trusted_proxies`, and once: the proxy must set it, and remove what its client has sent."""
    header_from: Literal["proxies", "anyone"] = "proxies"
    """`anyone`: the field counts whoever sends it, so that every client chooses its class."""
    operations: tuple[str, ...] = ()
    """Operations: `[POST /orders, "ANY /octo/**"]`; the last one is every operation at `/octo` and below it."""


class ClassConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A priority class of requests."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    """As metrics name it."""
    match: tuple[ClassMatchConfig, ...] = ()
    """What puts a request into it: one of these is enough. Empty: the class has what no other one has."""


class ClientsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may call, and how often."""

    jwt: JwtConfig | None = None
    """How tokens are verified. Without it, that is the application's business alone."""
    bounds: BoundsConfig = BoundsConfig()
    """What one client may take up of each worker."""
    unverified: Literal["refuse", "pass"] = "refuse"
    """What becomes of a request without a good token. `refuse`: 401 (SG1022). `pass`: it goes on to the application,
    without claims and without being counted."""
    refused: WordsConfig | None = None
    """The application's own words for that 401. Default: SG1022."""
    open: tuple[str, ...] = ()
    """Operations that need no token and are not counted: `[POST /oauth/token, GET /health]`."""
    quota: QuotaConfig | None = None
    """How many calls each client may make. Without it: any number."""
    classes: tuple[ClassConfig, ...] = ()
    """Priority classes, the most important first: while a worker has more to do than it can, the last one is refused
    first. A request is of the first class that has it. One class has no `match`. Empty: all are alike."""
    operators: dict[str, tuple[str, ...]] = {}
    """Claim of a verified token → the values that make its client an operator: `{roles: [support]}`. An operator may
    aim a read at one shard, and see where the rows of a list came from."""
    binding: tuple[str, ...] = ()
    """Claims that bind a client to the keys in them: `[vendor]`. Where a rule reads `claim.vendor`, a request that
    names another key, or has no such claim, gets 403 (SG1029), and a list is narrowed to the claim's shards. Without
    it, a claim counts only where the request names no key."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """shardgate.yaml."""

    shards: dict[str, Any]
    """Name → URL (`http://host:port` or `http://host:port/path`), or the fields of a shard. At least one is needed."""
    zone: str | None = None
    """Where this gateway runs: `eu-west-1a`. Replicas of the same zone are asked first."""
    resolver: ResolverConfig = ResolverConfig()
    """Who is asked for replicas that DNS names."""
    listen: str = "127.0.0.1:8080"
    """Where clients connect. `serve --listen` wins over it."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=WORKERS_MAX)] = 0
    """The number of processes; 0: one for each core. `serve --workers` wins over it."""
    tls: TlsConfig | None = None
    """With it, the listener speaks TLS."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of proxies in front (`[10.0.0.0/8]`). They are believed when they say who their client is; the gateway
    passes that on, with the proxy's own address appended."""
    forwarded: ForwardedConfig = ForwardedConfig()
    """In which header fields trusted proxies say who their client is."""
    cookies: CookiesConfig | None = None
    """Cookies that each shard sets for itself; null: a cookie is good for all shards."""
    compress: Compress | None = None
    """Pack replies for clients that accept gzip. Without it, only what shards have packed is packed."""
    admin: str | None = None
    """Where operators get `/metrics`, `/healthz` and `/readyz`: `127.0.0.1:9901`. Without it: nowhere."""
    admin_hosts: tuple[str, ...] = ()
    """The names by which operators reach that address: `[metrics.internal]`. A request whose `Host` is another name is
    refused (SG1028), since a web page could let its own name lead there. Addresses, the names of loopback and the host
    in `admin` need no mention."""
    access_log: bool | str | AccessLogConfig = False
    """Where to write the access log: `stdout`, `stderr`, a file, or the fields of a log. `off`: no log. (YAML reads
    `off` as false.)"""
    otlp: OtlpConfig | None = None
    """Where metrics are pushed to. Without it: nowhere."""
    openapi: str | None = None
    """The application's OpenAPI document (Swagger 2.0, OpenAPI 3.0 to 3.2), JSON or YAML. Its operations, and their
    `x-shardgate`, are read; also from files beside it that its paths refer to by `$ref`."""
    openapi_base: str | None = None
    """The path that stands before each path of the document: `/v3`. Empty: none. Default: the path of its `servers`, or
    its `basePath`."""
    directory: str | None = None
    """The file with the directory (tenant → shard), as `shardgate split` wrote it; or a URL, as for `store`. Changes to
    it are seen within a second."""
    store: str | None = None
    """The file with the journal, idempotency keys, placements and counted calls. It is made where it does not exist.
    Default: the `directory`. Several gateways share one in PostgreSQL, 14 or newer: `postgresql://user@host/database`,
    as libpq reads it, with several hosts and `sslmode` where they are wanted; it has the directory, too
    ([several gateways](../howto/several-gateways.md))."""
    method_override: str | None = None
    """The query parameter by which a POST says that it is a PUT, PATCH, DELETE or GET. A list that is asked for so is
    refused (SG1019). Without it, a POST whose parameter `_method` names a method that another rule serves is refused
    (SG1019). `ignored`: the application reads no method there."""
    method_override_header: str | None = None
    """The header field by which it says so: `X-HTTP-Method-Override`, `X-HTTP-Method` or `X-Method-Override`. Without
    it, a request in which one of these names another method is refused (SG1019). `ignored`: the application reads none
    of them, and neither does the gateway."""
    method_override_member: str | None = None
    """The member of a JSON body, or field of a form (URL-encoded or `multipart/form-data`), by which a POST says that
    it is a PUT, PATCH, DELETE or GET: `_method`. All bodies of POSTs are then held until they are whole. A list that is
    asked for so is refused (SG1019) unless its rule says `by_post`. Of an application that reads it in forms alone (as
    Rack and Symfony do), a POST in JSON with such a member is routed by that method all the same, and the application
    takes it for a POST. Without it, a POST whose member `_method` names a method that another rule serves is refused
    (SG1019), in chunks or not, as far as its body has at most 64 KiB: a longer one may be sent on before it is whole.
    `ignored`: the application reads no method there."""
    deadline_header: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] | None = None
    """The header field by which a client says in how many milliseconds it must be answered: `X-Request-Timeout-Ms`.
    Then the request ends with 504 (SG2003). Shards are sent the same field, with what is left."""
    trailing_slash: Literal["optional", "distinct"] = "optional"
    """`optional`: `/events/` is `/events`. `distinct`: it is another path."""
    path_case: Literal["ignored", "distinct"] | None = None
    """What the case of letters means in a path. `ignored`: `/Events` is `/events`, as in Express and ASP.NET.
    `distinct`: it is another path. Default: another path, and refused (SG1003) where it would be served by the rule of
    a subtree (`ANY /**`), and `/events` has a rule of its own."""
    encoded_slash: Literal["refuse", "value"] = "refuse"
    """What `%2F` in a path means. `refuse`: some applications read it as a slash between two segments; it is refused
    (SG1003) where that makes a difference. `value`: the application reads it as a part of the segment, as most do that
    match a path before they decode it: `/projects/group%2Fproject`."""
    raw_query: Literal["encode", "refuse"] = "encode"
    """What is done with a query that has characters which must be percent-encoded (RFC 3986 section 3.4): `|`, `"`,
    `<`, `>`, `^`, `{`, `}`, a backslash, a backtick or bytes outside of ASCII. `encode`: shards are sent it encoded,
    which means the same. `refuse`: 400 (SG1001)."""
    request_trailers: Literal["drop", "pass"] = "drop"
    """`pass`: trailer fields of a request that streams go on to the shard, except for those that may change what it
    means. Some applications take trailers for header fields."""
    locators: dict[str, Any] = {}
    """Name → chain of locators. They are added to those of the document."""
    dialects: dict[str, Any] = {}
    """Name → dialect. They are added to those of the document."""
    cursors: CursorsConfig | None = None
    """What the cursors of lists are signed with. Dialects of the kind `cursor` need it."""
    rules: dict[str, Any] = {}
    """`GET /path/{id}` → its rule. They are added to `x-shardgate` in the document, and win over it. `GET|PUT /x` is
    for both methods, `ANY /x` for every method, `ANY /admin/**` for `/admin` and every path below it."""
    unserved: dict[str, str] = {}
    """`POST /path` → why this gateway does not serve it. It is answered by 501 (SG1014), and nothing is sent to a
    shard."""
    limits: Limits = Limits()
    """Bounds on memory, connections and bodies."""
    timeouts: Timeouts = Timeouts()
    """Bounds on time."""
    clients: ClientsConfig | None = None
    """Who may call, how often, and what one client may take up. Without it, tokens are the application's business
    alone."""
    idempotency: IdempotencyConfig = IdempotencyConfig()
    """How idempotency keys are kept."""
    journal: JournalConfig = JournalConfig()
    """How the journal is kept."""
    movements: MovementsConfig | None = None
    """What `shardgate move` must know of the application's databases. The gateway itself does not use it."""
    accepted_risks: dict[str, str] = {}
    """Number of a warning → why it does not matter here: `{SGA10: "only operators reach this network"}`. `shardgate
    check` then leaves it out."""
