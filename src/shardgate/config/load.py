"""shardgate.yaml and what it names → everything that the gateway needs, or every mistake at once.

Holds: nothing is served from a configuration with a mistake in it.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from shardgate.config.places import Document, read_document
from shardgate.config.schema import Config, ShardConfig
from shardgate.core.locate.hashed import Hash
from shardgate.core.locate.prefix import Prefix
from shardgate.core.routes.mistakes import Mistake, convert_all
from shardgate.core.routes.openapi import IN_DOCUMENT, Rulebook, build_routes
from shardgate.core.routes.openapi import read_document as read_openapi
from shardgate.core.routes.route import Routes
from shardgate.core.routes.rule import Place
from shardgate.core.routes.write_mistakes import needs_store
from shardgate.core.topology import Shard
from shardgate.core.wire.request_head import METHOD_OVERRIDES
from shardgate.core.writes.placing import Weighted


class Loaded(msgspec.Struct, frozen=True):
    """A configuration without a mistake."""

    config: Config
    routes: Routes
    shards: dict[str, Shard]
    host: str
    port: int
    directory: Path | None
    store: Path | None
    """Where the journal, the idempotency keys and the placements are."""


class ConfigError(Exception):
    """A configuration with mistakes; the message lists them all."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        lines = [f"{m.path}: {m.problem}\n    → {m.cure}" for m in mistakes]
        super().__init__("\n".join(lines))


def load(path: Path) -> Loaded:
    """Read a configuration. Raises ConfigError with all of its mistakes, each with its place and its cure."""
    document, mistakes = read_document(path)
    if mistakes:
        raise ConfigError(mistakes)
    config: Config | None = convert_all(document.data, Config, "", mistakes)
    if config is None:
        raise ConfigError(_placed(document, mistakes))
    shards = _shards(config, mistakes)
    host, port = _listen(config, mistakes)
    book = _rulebook(config, path, mistakes)
    routes, more = build_routes(
        book,
        method_override=config.method_override,
        trailing_slash=config.trailing_slash == "optional",
        method_override_header=config.method_override_header,
    )
    mistakes += more
    if not routes.routes and not mistakes:
        mistakes.append(Mistake("rules", "there is no operation", "name the `openapi` document, or write `rules`"))
    mistakes += _unknown_shards(routes, config.shards)
    mistakes += _unknown_places(routes, config.shards)
    directory = path.parent / config.directory if config.directory else None
    if directory is not None and not directory.is_file():
        mistakes.append(
            Mistake("directory", f"{directory} does not exist", "run `shardgate split`, or correct the path")
        )
    store = path.parent / config.store if config.store else directory
    mistakes += _check_store(routes, config, store, directory)
    if mistakes:
        raise ConfigError(_placed(document, mistakes, path.parent / config.openapi if config.openapi else None))
    return Loaded(config, routes, shards, host, port, directory, store)


def _check_store(routes: Routes, config: Config, store: Path | None, directory: Path | None) -> list[Mistake]:
    """What must be written down needs a place, and what is placed a directory."""
    mistakes = []
    for route in routes.routes:
        rule, name = route.rule, f"rules.{route.method} {route.template}"
        if store is None and needs_store(rule):
            cure = "name a `store`, a file beside this one; it is made where it does not exist"
            mistakes.append(Mistake(name, "what it does must be written down, and there is no store", cure))
        if isinstance(rule, Place) and (directory is None or store != directory):
            cure = "name the `directory`, and no other `store`"
            mistakes.append(Mistake(name, "a new tenant is recorded in the directory, in the same file", cure))
    header = config.method_override_header
    if header is not None and header.lower() not in METHOD_OVERRIDES:
        known = ", ".join(METHOD_OVERRIDES)
        mistakes.append(Mistake("method_override_header", f"{header!r} is not known", f"take one of {known}"))
    return mistakes


def _shards(config: Config, mistakes: list[Mistake]) -> dict[str, Shard]:
    shards: dict[str, Shard] = {}
    for name, given in config.shards.items():
        entry: ShardConfig | None
        entry = ShardConfig(url=given) if isinstance(given, str) else _entry(name, given, mistakes)
        if entry is None:
            continue
        address = _address(entry.url)
        if address is None:
            cure = "write it as `http://host:port`"
            mistakes.append(Mistake(f"shards.{name}", f"{entry.url!r} is no address of a shard", cure))
            continue
        twin = next((shard.id for shard in shards.values() if (shard.host, shard.port) == address), None)
        if twin is not None:
            cure = "give each shard an instance of its own"
            mistakes.append(
                Mistake(f"shards.{name}", f"{entry.url!r} is {twin} already: its rows would count twice", cure)
            )
        shards[name] = Shard(name, *address, entry.alias or name)
    if not config.shards:
        mistakes.append(Mistake("shards", "there is no shard", "add `north: http://127.0.0.1:8101`"))
    return shards


def _address(text: str) -> tuple[str, int] | None:
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:  # a port beyond 65535, an unclosed bracket
        return None
    if url.scheme != "http" or not url.hostname or url.path not in {"", "/"} or url.query or "@" in url.netloc:
        return None
    return url.hostname, port or 80


def _entry(name: str, given: object, mistakes: list[Mistake]) -> ShardConfig | None:
    entry: ShardConfig | None = convert_all(given, ShardConfig, f"shards.{name}", mistakes)
    return entry


def parse_listen(text: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8080` or `[::1]:8080`; None where it is no such thing."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        return None
    return host.strip("[]"), int(port)


def _listen(config: Config, mistakes: list[Mistake]) -> tuple[str, int]:
    address = parse_listen(config.listen)
    if address is None:
        mistakes.append(Mistake("listen", f"{config.listen!r} is no address", "write it as `127.0.0.1:8080`"))
        return "", 0
    return address


def _rulebook(config: Config, path: Path, mistakes: list[Mistake]) -> Rulebook:
    book = Rulebook({}, {}, {}, {}, {}, {})
    if config.openapi is not None:
        document, unreadable = read_application(path.parent / config.openapi)
        mistakes += unreadable
        book = read_openapi(document, mistakes)
    for name, rule in config.rules.items():
        method, _, template = name.partition(" ")
        if not method.isupper() or not template.startswith("/"):
            mistakes.append(Mistake(f"rules.{name}", "it is no operation", "write it as `GET /events/{id}`"))
            continue
        book.operations.setdefault(name, name)
        book.rules[name] = rule
        book.places[name] = f"rules.{name}"
    book.locators.update(config.locators)
    book.dialects.update(config.dialects)
    book.unserved.update(config.unserved)
    return book


def read_application(path: Path) -> tuple[dict[str, object], list[Mistake]]:
    """An OpenAPI document. JSON is read as JSON: a large one takes YAML's reader seconds."""
    if path.suffix != ".json":
        document, mistakes = read_document(path)
        return document.data, [Mistake("openapi", f"{m.path}: {m.problem}", m.cure) for m in mistakes]
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object]), []
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}"
        return {}, [Mistake("openapi", problem, "check the path; the application's own command writes the document")]
    except msgspec.DecodeError as error:
        return {}, [Mistake("openapi", f"{path} is not a JSON object: {error}", "write the document again")]


def _unknown_shards(routes: Routes, shards: Mapping[str, object]) -> list[Mistake]:
    """Locators that pin keys to shards must name shards that exist."""
    pins = [locator for route in routes.routes for locator in route.locators if isinstance(locator, Hash | Prefix)]
    names = {shard for locator in pins for shard in locator.pinned()}
    cure = f"there are: {', '.join(shards)}"
    return [Mistake("locators", f"no shard is named {name!r}", cure) for name in sorted(names - set(shards))]


def _unknown_places(routes: Routes, shards: Mapping[str, object]) -> list[Mistake]:
    """Rules that put tenants on shards must name shards that exist."""
    cure = f"there are: {', '.join(shards)}"
    found = []
    for route in routes.routes:
        if isinstance(rule := route.rule, Place):
            weighed = tuple(rule.policy.weights) if isinstance(rule.policy, Weighted) else ()
            found += [(route, name) for name in (*rule.pinned.values(), *weighed) if name not in shards]
            if isinstance(rule.policy, Weighted) and not any(rule.policy.weights.get(name, 1.0) > 0 for name in shards):
                found.append((route, "any with a weight"))
    return [
        Mistake(f"rules.{route.method} {route.template}", f"no shard is named {name!r}", cure) for route, name in found
    ]


def _placed(document: Document, mistakes: list[Mistake], openapi: Path | None = None) -> list[Mistake]:
    """The same mistakes, each with the file and the line of what is at fault."""
    application = None
    placed = []
    for mistake in mistakes:
        place, where = mistake.path, document
        if place.startswith(IN_DOCUMENT) and openapi is not None:
            # Read once more, JSON too, as YAML: only that reader knows lines, and only a mistake is worth its seconds.
            application = application or read_document(openapi)[0]
            place, where = place.removeprefix(IN_DOCUMENT), application
        placed.append(msgspec.structs.replace(mistake, path=where.find(place)))
    return placed
