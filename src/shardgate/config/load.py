"""shardgate.yaml and what it names → everything that the gateway needs, or every mistake at once.

Holds: nothing is served from a configuration with a mistake in it.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path

import msgspec

from shardgate.config.clients import read_bounds, read_clients
from shardgate.config.places import Document, read_document
from shardgate.config.plugins import put_plugins
from shardgate.config.schema import AccessLogConfig, Config
from shardgate.config.shards import beside, read_shards
from shardgate.core.clients.load import ClientBounds
from shardgate.core.clients.terms import ClientTerms
from shardgate.core.cursors.seal import SECRET_CHARACTERS_MIN, Seal
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import Routes
from shardgate.core.routes.template import names_in
from shardgate.core.rulebook.build import build_routes
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import IN_DOCUMENT, Rulebook
from shardgate.core.rulebook.document import read_document as read_openapi
from shardgate.core.topology import Shard, TlsFiles
from shardgate.core.wire.forwarded import TrustedProxies
from shardgate.core.wire.request_fields import METHOD_OVERRIDES


class Loaded(msgspec.Struct, frozen=True):
    """A configuration without a mistake."""

    config: Config
    routes: Routes
    shards: dict[str, Shard]
    bounds: ClientBounds
    """Of each client."""
    host: str
    port: int
    directory: Path | None
    store: Path | None
    """Where the journal, the idempotency keys and the placements are."""
    admin: tuple[str, int] | None = None
    access_log: AccessLogConfig | None = None
    tls: TlsFiles | None = None
    trusted: TrustedProxies = TrustedProxies()
    clients: ClientTerms | None = None
    file: Path = Path()
    """The configuration itself."""
    document: Document | None = None
    written_at: Mapping[str, str] = {}
    """The rules that stand elsewhere than in `rules` → where: `openapi.paths…`."""

    def place_of(self, path: str) -> str:
        """The file, the line and the path of a dotted path, as a mistake has them."""
        if self.document is None:
            return path
        at = _where_written(Mistake(path, "", ""), self.written_at).path
        if at.startswith(IN_DOCUMENT):
            # The lines of the application's document are not known: only a mistake is worth the seconds of its reader.
            return f"{self.config.openapi}: {at.removeprefix(IN_DOCUMENT)}"
        return self.document.place(at)


class ConfigError(Exception):
    """A configuration with mistakes; the message lists them all."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        lines = [f"{m.path}: {m.problem}\n    → {m.cure}" for m in mistakes]
        super().__init__("\n".join(lines))


def load(path: Path) -> Loaded:
    """Read a configuration. Raises ConfigError with all of its mistakes, each with its place and its cure."""
    if not path.exists():
        cure = "name another with `-c FILE` or SHARDGATE_CONFIG; docs/tutorial.md shows how to begin one"
        raise ConfigError([Mistake(str(path), "there is no such file", cure)])
    document, mistakes = read_document(path)
    if mistakes:
        raise ConfigError(mistakes)
    config: Config | None = convert_all(document.data, Config, "", mistakes)
    if config is None:
        raise ConfigError(_placed(document, mistakes))
    wrong = {re.split(r"[.\[]", mistake.path)[0] for mistake in mistakes}
    shards = read_shards(config, path, mistakes)
    host, port = _address_of("listen", config.listen, "127.0.0.1:8080", mistakes) or ("", 0)
    admin = _address_of("admin", config.admin, "127.0.0.1:9901", mistakes) if config.admin is not None else None
    access_log = None if "access_log" in wrong else _access_log(config.access_log, path.parent, mistakes)
    trusted = _trusted(config, mistakes)
    tls = None
    if config.tls is not None:
        tls = TlsFiles(*beside(path, config.tls.certificate, config.tls.key, config.tls.client_ca))
    seal = Seal((b"",), 0) if "cursors" in wrong else _seal(config, path, mistakes)
    book = _rulebook(config, path, seal, mistakes)
    routes, more = build_routes(
        book,
        config.shards,
        method_override=config.method_override,
        trailing_slash=config.trailing_slash == "optional",
        method_override_header=config.method_override_header,
        method_override_member=config.method_override_member,
        path_case=config.path_case,
    )
    mistakes += more
    if not routes.routes and not mistakes:
        mistakes.append(Mistake("rules", "there is no operation", "name the `openapi` document, or write `rules`"))
    directory = path.parent / config.directory if config.directory else None
    if directory is not None and not directory.is_file():
        mistakes.append(
            Mistake("directory", f"{directory} does not exist", "run `shardgate split`, or correct the path")
        )
    store = path.parent / config.store if config.store else directory
    mistakes += _check_store(routes, store, directory)
    mistakes += _check_override(config.method_override_header)
    clients = None if "clients" in wrong else read_clients(config, path.parent, routes, store, mistakes)
    bounds = read_bounds(config, mistakes) if "clients" not in wrong else ClientBounds(1, 1, 1)
    if mistakes:
        written = [_where_written(mistake, book.places) for mistake in mistakes]
        raise ConfigError(_placed(document, written, path.parent / config.openapi if config.openapi else None))
    return Loaded(
        config,
        routes,
        shards,
        bounds,
        host,
        port,
        directory,
        store,
        admin,
        access_log,
        tls,
        trusted,
        clients,
        file=path,
        document=document,
        written_at=book.places,
    )


def _check_store(routes: Routes, store: Path | None, directory: Path | None) -> list[Mistake]:
    """What must be written down needs a place, and what is placed a directory."""
    mistakes = []
    for route in routes.routes:
        rule, name = route.rule, f"rules.{route.name}"
        if rule is None:
            continue
        if store is None and rule.needs_store:
            cure = "name a `store`, a file beside this one; it is made where it does not exist"
            mistakes.append(Mistake(name, "the gateway must write down what it does, and there is no store", cure))
        if rule.recorded is not None and (directory is None or store != directory):
            cure = "name the `directory`, and no other `store`"
            mistakes.append(Mistake(name, f"the directory records {rule.recorded}, in the same file", cure))
    return mistakes


def _check_override(header: str | None) -> Iterator[Mistake]:
    if header is not None and header.lower() not in (*METHOD_OVERRIDES, "ignored"):
        known = ", ".join(METHOD_OVERRIDES)
        yield Mistake("method_override_header", f"{header!r} is not known", f"take one of {known}, or `ignored`")


def _trusted(config: Config, mistakes: list[Mistake]) -> TrustedProxies:
    networks = []
    for number, name in enumerate(config.trusted_proxies):
        try:
            networks.append(ip_network(name))
        except ValueError as error:
            cure = "write it as `10.0.0.0/8` or `::1`"
            mistakes.append(Mistake(f"trusted_proxies[{number}]", str(error), cure))
    also = tuple(name.lower().encode() for name in config.forwarded.also)
    return TrustedProxies(tuple(networks), config.forwarded.header == "Forwarded", also)


def parse_listen(text: str) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8080` or `[::1]:8080`; None where it is no such thing."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        return None
    return host.strip("[]"), int(port)


def _address_of(name: str, text: str, example: str, mistakes: list[Mistake]) -> tuple[str, int] | None:
    address = parse_listen(text)
    if address is None:
        mistakes.append(Mistake(name, f"{text!r} is no address", f"write it as `{example}`"))
    return address


def _access_log(given: bool | str | AccessLogConfig, folder: Path, mistakes: list[Mistake]) -> AccessLogConfig | None:
    if given is False or given == "off":
        return None
    if given is True or (isinstance(given, str) and not given):
        mistakes.append(Mistake("access_log", "it does not say where to", "write `stdout`, or the path of a file"))
        return None
    wanted = AccessLogConfig(to=given) if isinstance(given, str) else given
    if wanted.to in {"stdout", "stderr"}:
        return wanted
    file = folder / wanted.to
    if file.is_dir() or not file.parent.is_dir():
        problem = f"{file} cannot be written" if file.is_dir() else f"{file.parent} does not exist"
        mistakes.append(Mistake("access_log", problem, "name a file in a folder that exists, or `stdout`"))
    return msgspec.structs.replace(wanted, to=str(file))


def _rulebook(config: Config, path: Path, seal: Seal | None, mistakes: list[Mistake]) -> Rulebook:
    book = Rulebook({}, {}, {}, {}, {}, {})
    if config.openapi is not None:
        document, unreadable = read_application(path.parent / config.openapi)
        mistakes += unreadable
        book = read_openapi(document, mistakes)
    _add_rules(book, config, mistakes)
    book.locators.update(config.locators)
    book.dialects.update(config.dialects)
    for section, names in (("locators", config.locators), ("dialects", config.dialects)):
        book.places |= {f"{section}.{name}": f"{section}.{name}" for name in names}
    book.seal = seal
    put_plugins(book, path.parent, mistakes)
    return book


def _add_rules(book: Rulebook, config: Config, mistakes: list[Mistake]) -> None:
    """The rules of the configuration; a name may stand for several operations (`GET|PUT /events/{id}`)."""
    written: dict[str, str] = {}
    for section, given in (("rules", config.rules), ("unserved", config.unserved)):
        for name, rule in given.items():
            for each in names_in(name):
                place = f"{section}.{name}"
                if (before := written.setdefault(f"{section}.{each}", place)) != place:
                    problem = f"{each} is also in {before.partition('.')[2]!r}"
                    mistakes.append(Mistake(place, problem, "name each method of a path once"))
                if section == "unserved":
                    book.unserved[each] = rule
                    continue
                book.operations.setdefault(each, each)
                book.rules[each] = rule
                book.places[each] = place


_MAKE_ONE = "write one: `(umask 077; openssl rand -hex 32 > cursor.secret)`"
_LIFETIME_S_MAX = 10 * 366 * 86_400


def _seal(config: Config, path: Path, mistakes: list[Mistake]) -> Seal | None:
    if config.cursors is None:
        return None
    if config.cursors.lifetime_s > _LIFETIME_S_MAX:
        cure = f"write at most {_LIFETIME_S_MAX}, which is ten years"
        mistakes.append(Mistake("cursors.lifetime_s", "no cursor lives so long", cure))
    file = path.parent / config.cursors.secret_file
    try:
        secrets = tuple(line.strip() for line in file.read_bytes().splitlines() if line.strip())
    except OSError as error:
        problem = f"{file} cannot be read: {error.strerror}"
        mistakes.append(Mistake("cursors.secret_file", problem, _MAKE_ONE))
        return Seal((b"",), 0)
    if not secrets or min(map(len, secrets)) < SECRET_CHARACTERS_MIN:
        problem = f"a secret has at least {SECRET_CHARACTERS_MIN} characters, one a line"
        mistakes.append(Mistake("cursors.secret_file", problem, _MAKE_ONE))
    client = config.cursors.client
    if client is None:
        jwt = None if config.clients is None else config.clients.jwt
        client = () if jwt is None else (f"claim.{jwt.client}",)
    return Seal(secrets, config.cursors.lifetime_s, client)


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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {}, [Mistake("openapi", f"{path} is not a JSON object: {error}", "write the document again")]


def _where_written(mistake: Mistake, places: Mapping[str, str]) -> Mistake:
    """A mistake of a rule that stands in the application's document has its place there."""
    names = [name for name in places if f"{mistake.path}.".startswith(f"rules.{name}.")]
    name = max(names, key=len, default=None)
    if name is None:
        return mistake
    return msgspec.structs.replace(mistake, path=places[name] + mistake.path.removeprefix(f"rules.{name}"))


def _placed(document: Document, mistakes: list[Mistake], openapi: Path | None = None) -> list[Mistake]:
    """The same mistakes in the order of their lines, each with the file and the line of what is at fault."""
    application = document
    if openapi is not None and any(mistake.path.startswith(IN_DOCUMENT) for mistake in mistakes):
        # Read once more, JSON too, as YAML: only that reader knows lines, and only a mistake is worth its seconds.
        application = read_document(openapi)[0]
    placed = []
    for mistake in dict.fromkeys(mistakes):  # a rule for two methods has each of its mistakes twice
        is_inside = mistake.path.startswith(IN_DOCUMENT)
        where, path = application if is_inside else document, mistake.path.removeprefix(IN_DOCUMENT)
        placed.append((is_inside, where.line(path), msgspec.structs.replace(mistake, path=where.place(path))))
    return [mistake for _, _, mistake in sorted(placed, key=lambda entry: entry[:2])]
