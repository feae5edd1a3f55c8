"""The `clients` of shardgate.yaml → how tokens are verified and calls are counted; what one client may take up; and
the rules that need a token.

Never: reads a key. The room `clients` does; `shardgate check` makes it try.
"""

import re
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import msgspec

from shardgate.config.schema import ClientsConfig, Config, JwtConfig, WordsConfig
from shardgate.core.clients.load import ClientBounds
from shardgate.core.clients.terms import FAMILIES, ClientTerms, KeyPlace, KeySource, QuotaTerms, TokenTerms, Wording
from shardgate.core.errors import Words
from shardgate.core.hosts import PostgresUrl
from shardgate.core.routes.mistakes import Mistake, choose
from shardgate.core.routes.route import Route, Routes
from shardgate.core.routes.template import names_in

_FIELD_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIELD_VALUE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "trailer", "upgrade"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def read_clients(
    config: Config, folder: Path, routes: Routes, store: Path | PostgresUrl | None, mistakes: list[Mistake]
) -> ClientTerms | None:
    """Who may call, and how often; what is wrong with it is added to the mistakes."""
    given = config.clients
    if given is None or given.jwt is None:
        mistakes += _claims_of_nobody(config, routes)
        if given is not None:
            mistakes += _needs_tokens(given)
        return None
    mistakes += _unknown_operations(given, routes)
    tokens = _tokens(given.jwt, folder, mistakes)
    refused = _wording("clients.refused", given.refused, mistakes)
    quota = None
    if (wanted := given.quota) is not None:
        spent = _wording("clients.quota.spent", wanted.spent, mistakes)
        quota = QuotaTerms(wanted.calls, wanted.window, wanted.headers, wanted.flush_s, spent)
        if store is None:
            cure = "name a `store`, a file beside this one; it is made where it does not exist"
            mistakes.append(
                Mistake("clients.quota", "the gateway must write down what it counts, and there is no store", cure)
            )
    mistakes += _binding_nothing(given, routes)
    binding = frozenset(given.binding)
    return ClientTerms(tokens, given.unverified == "pass", refused, _opened(given), quota, binding, given.operators)


def read_bounds(config: Config, mistakes: list[Mistake]) -> ClientBounds:
    """What one client may take up of a worker; what is wrong with it is added to the mistakes."""
    clients = config.clients or ClientsConfig()
    given, limits = clients.bounds, config.limits
    kind, _, claim = given.by.partition(".")
    where = "clients.bounds"
    if given.by == "token":
        claim = clients.jwt.client if clients.jwt is not None else "sub"
    elif given.by != "address" and (kind != "claim" or not claim):
        cure = "take `address`, `token`, or a claim, as `claim.vendor`"
        mistakes.append(Mistake(f"{where}.by", f"{given.by!r} tells no clients apart", cure))
    if given.by != "address" and clients.jwt is None:
        cure = "add `clients: {jwt: …}`, which says how tokens are verified, or take `address`"
        mistakes.append(Mistake(f"{where}.by", f"it reads {given.by!r}, and no token is verified here", cure))
    if given.burst is not None and given.rate_per_s is None:
        mistakes.append(Mistake(f"{where}.burst", "there is no rate", "add `rate_per_s`, or remove it"))
    half = max(1, limits.requests_in_flight_max // 2)
    return ClientBounds(
        connections_max=given.connections_max or max(1, limits.client_connections_max // 2),
        requests_max=given.requests_max or half,
        uploads_max=given.uploads_max or half,
        rate_per_s=given.rate_per_s,
        burst=given.burst or max(1, ceil(2 * (given.rate_per_s or 0))),
        claim=claim,
    )


def _needs_tokens(given: ClientsConfig) -> Iterator[Mistake]:
    """What has no meaning where no token is verified."""
    for name in ("quota", "refused", "open"):
        if getattr(given, name):
            cure = "add `jwt`, which says how tokens are verified"
            yield Mistake(f"clients.{name}", "it is about verified tokens, and no token is verified here", cure)


def _tokens(given: JwtConfig, folder: Path, mistakes: list[Mistake]) -> TokenTerms:
    where = "clients.jwt"
    unknown = [name for name in given.algorithms if name not in FAMILIES]
    if unknown:
        problem = f"{unknown[0]!r} is no algorithm that tokens are verified by"
        mistakes.append(Mistake(f"{where}.algorithms", problem, f"take some of {', '.join(FAMILIES)}"))
    elif len({FAMILIES[name] for name in given.algorithms}) > 1:
        problem = "one key is not for two kinds of algorithms: a public key would be taken for a secret"
        mistakes.append(Mistake(f"{where}.algorithms", problem, "take those of one kind, like RS256 and PS256"))
    audience = (given.audience,) if isinstance(given.audience, str) else given.audience
    source = _source(given, folder, mistakes)
    return TokenTerms(given.algorithms, source, given.issuer, audience, given.leeway_s, given.client)


def _source(given: JwtConfig, folder: Path, mistakes: list[Mistake]) -> KeySource:
    named = [(kind, place) for kind in get_args(KeyPlace) if (place := getattr(given, kind)) is not None]
    if len(named) != 1:
        cure = "name one of `key_env`, `key_file`, `jwks_file` and `jwks_url`"
        mistakes.append(Mistake("clients.jwt", f"the keys must stand in one place, and {len(named)} are named", cure))
        return KeySource("key_env", "", given.refresh_s)
    kind, place = named[0]
    if kind == "jwks_url":
        mistakes += _check_url(place, given)
    elif kind != "key_env":
        place = str(folder / place)
    return KeySource(kind, place, given.refresh_s)


def _check_url(url: str, given: JwtConfig) -> Iterator[Mistake]:
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        safe = False
    if not safe:
        problem = "without TLS, anybody on the way can replace the keys, and sign tokens"
        yield Mistake("clients.jwt.jwks_url", problem, "write it with `https://`")
    if any(FAMILIES.get(name) == "oct" for name in given.algorithms):
        problem = "a secret is not fetched from a URL"
        yield Mistake("clients.jwt.jwks_url", problem, "name a `key_file` or `key_env`")


def _wording(where: str, given: WordsConfig | None, mistakes: list[Mistake]) -> Wording:
    if given is None:
        return Wording()
    places = {"": given, **given.under}
    for prefix, words in places.items():
        place = f"{where}.under.{prefix}" if prefix else where
        if prefix and (not prefix.startswith("/") or words.under):
            mistakes.append(Mistake(place, f"{prefix!r} is no beginning of a path", "write it as `/octo`"))
        for name, value in {**words.fields, "Content-Type": words.content_type}.items():
            if name.lower() in _FRAMING:
                cure = "remove it: the gateway writes it itself"
                mistakes.append(Mistake(f"{place}.fields.{name}", f"{name} says where the reply ends", cure))
            elif not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
                problem = f"{name!r} is no field of a header with this value"
                mistakes.append(Mistake(f"{place}.fields", problem, "take visible ASCII characters"))
    longest_first = sorted(places.items(), key=lambda entry: -len(entry[0]))
    return Wording(tuple((prefix, _words(words)) for prefix, words in longest_first))


def _words(given: WordsConfig) -> Words:
    named = {"Content-Type": given.content_type, **given.fields}
    fields = tuple((name.encode("ascii", "replace"), value.encode("ascii", "replace")) for name, value in named.items())
    body = given.body.encode() if isinstance(given.body, str) else msgspec.json.encode(given.body)
    return Words(given.status, fields, body)


def _opened(given: ClientsConfig) -> frozenset[str]:
    return frozenset(name for written in given.open for name in names_in(written))


def _unknown_operations(given: ClientsConfig, routes: Routes) -> Iterator[Mistake]:
    known = {route.name for route in routes.routes}
    for number, written in enumerate(given.open):
        for name in names_in(written):
            if name in known:
                continue
            yield Mistake(f"clients.open[{number}]", f"{name!r} is no operation", choose(name, known))


def _binding_nothing(given: ClientsConfig, routes: Routes) -> Iterator[Mistake]:
    """A claim that no rule reads binds nobody, whatever the configuration seems to say."""
    read = {source.removeprefix("claim.") for route in routes.routes for source in _claims_in(route)}
    for number, name in enumerate(given.binding):
        if name not in read:
            cure = f"name `claim.{name}` in the `key` or `prune` of each rule that it shall bind"
            yield Mistake(f"clients.binding[{number}]", f"no rule reads the claim {name!r}", cure)


def _claims_of_nobody(config: Config, routes: Routes) -> Iterator[Mistake]:
    """A claim is only believed in a token that was verified."""
    read = {f"rules.{route.name}": next(_claims_in(route), None) for route in routes.routes}
    identities = {"idempotency": config.idempotency.client}
    if config.cursors is not None:
        identities["cursors"] = config.cursors.client or ()
    for section, names in identities.items():
        read[f"{section}.client"] = next((name for name in names if name.startswith("claim.")), None)
    for place, source in read.items():
        if source is not None:
            problem = f"it reads {source!r}, and no token is verified here"
            yield Mistake(place, problem, "add `clients: {jwt: …}`, which says how tokens are verified")


def _claims_in(route: Route) -> Iterator[str]:
    if route.rule is None:
        return
    for _, sources in route.rule.key_fields():
        yield from (source for source in sources if source.startswith("claim."))
