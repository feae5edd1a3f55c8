"""Rules about who a client is: tokens, keys that clients name themselves, and what the log keeps of them."""

from collections.abc import Iterator, Sequence

from shardgate.audit.network import is_public, shared_network
from shardgate.audit.rule import Danger
from shardgate.config.load import Loaded
from shardgate.config.schema import AccessLogConfig

_CLAIM = "claim."
_CLIENTS_OWN = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "content-encoding",
        "content-language",
        "content-type",
        "expect",
        "from",
        "host",
        "idempotency-key",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "origin",
        "prefer",
        "priority",
        "range",
        "referer",
        "te",
        "traceparent",
        "user-agent",
        "x-requested-with",
    }
)
"""Fields that every client sends (RFC 9110 section 10.1 and others), and that proxies pass on as they came."""


def changes_of_anybody(loaded: Loaded) -> Iterator[Danger]:
    """SGA20."""
    knows_clients = loaded.clients is not None or (loaded.tls is not None and loaded.tls.ca is not None)
    journaled = [route.name for route in loaded.routes.routes if route.rule is not None and route.rule.needs_store]
    if journaled and not knows_clients and is_public(loaded):
        yield Danger("listen", f"everybody can make the gateway write to its journal, by {_some(journaled)}")


def quotas_without_tokens(loaded: Loaded) -> Iterator[Danger]:
    """SGA21."""
    if loaded.clients is not None and loaded.clients.passes and loaded.clients.quota is not None:
        yield Danger("clients.unverified", "a client that leaves its token out is not counted")


def tokens_for_others(loaded: Loaded) -> Iterator[Danger]:
    """SGA22."""
    if loaded.clients is not None and loaded.clients.tokens.source.kind in {"jwks_url", "jwks_file"}:
        missing = [
            name
            for name, value in (
                ("audience", loaded.clients.tokens.audience),
                ("issuer", loaded.clients.tokens.issuer),
            )
            if not value
        ]
        if missing:
            yield Danger("clients.jwt", f"no {' and no '.join(missing)} is asked for")


def replies_for_everybody(loaded: Loaded) -> Iterator[Danger]:
    """SGA23."""
    if not loaded.config.idempotency.client:
        yield Danger("idempotency.client", "all clients share their idempotency keys")


def claims_that_the_request_overrides(loaded: Loaded) -> Iterator[Danger]:
    """SGA24."""
    binding: Sequence[str] = getattr(loaded.config.clients, "binding", ())
    for route in loaded.routes.routes:
        for field, sources in route.rule.key_fields() if route.rule is not None else ():
            loose = [each for each in sources if each.startswith(_CLAIM) and each.removeprefix(_CLAIM) not in binding]
            others = [each for each in sources if not each.startswith(_CLAIM)]
            if loose and others:
                said = f"where the request has {' or '.join(others)}, the token's {' and '.join(loose)} does not count"
                yield Danger(f"rules.{route.name}.{field}", said)


def classes_that_clients_choose(loaded: Loaded) -> Iterator[Danger]:
    """SGA25."""
    for number, each in enumerate(loaded.classes):
        fields = {name for match in each.matches if not match.claims for name, _ in match.headers}
        own = fields & _CLIENTS_OWN
        if any(match.from_anyone for match in each.matches):
            said = f"every client can send the header fields of the class {each.name!r}"
        elif own:
            said = f"proxies pass `{min(own)}`, by which the class {each.name!r} is known, on as the client sent it"
        elif fields and (network := shared_network(loaded)) is not None:
            said = (
                f"whatever connects from {network}, one of `trusted_proxies`, may set `{min(fields)}`, by which the"
                f" class {each.name!r} is known"
            )
        else:
            continue
        yield Danger(f"clients.classes[{number}]", said)


def queries_in_the_log(loaded: Loaded) -> Iterator[Danger]:
    """SGA30."""
    if loaded.access_log is not None and loaded.access_log.query:
        written = isinstance(loaded.config.access_log, AccessLogConfig)
        yield Danger("access_log.query" if written else "access_log", "the access log keeps the queries of all clients")


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
