"""shardgate.yaml and what it names → everything that the gateway needs, or every mistake at once.

Holds: nothing is served from a configuration with a mistake in it.
"""

import os
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path

import msgspec

from shardgate.config.clients import read_bounds, read_clients
from shardgate.config.effects import check_effects
from shardgate.config.environment import overridden
from shardgate.config.openapi import Application, written_in
from shardgate.config.otlp import MetricsPush, read_otlp
from shardgate.config.places import Document, read_document
from shardgate.config.plugins import put_plugins
from shardgate.config.priorities import read_classes
from shardgate.config.schema import AccessLogConfig, Config, CursorsConfig
from shardgate.config.shards import beside, read_shards
from shardgate.core.clients.classes import PriorityClass
from shardgate.core.clients.load import ClientBounds
from shardgate.core.clients.terms import ClientTerms
from shardgate.core.cursors.seal import SECRET_CHARACTERS_MIN, Seal
from shardgate.core.hosts import PostgresUrl, no_place, postgres_url
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.route import PathReading, Routes
from shardgate.core.routes.template import check_template, names_in
from shardgate.core.rulebook.build import build_routes
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.document import Rulebook
from shardgate.core.rulebook.document import read_document as read_openapi
from shardgate.core.rulebook.references import IN_DOCUMENT
from shardgate.core.topology import Shard, TlsFiles
from shardgate.core.wire.cookie_jar import COOKIE_NAME, CookieJar
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
    directory: Path | PostgresUrl | None
    store: Path | PostgresUrl | None
    """Where the journal, the idempotency keys and the placements are."""
    admin: tuple[str, int] | None = None
    access_log: AccessLogConfig | None = None
    push: MetricsPush | None = None
    """Where metrics are pushed to."""
    tls: TlsFiles | None = None
    trusted: TrustedProxies = TrustedProxies()
    clients: ClientTerms | None = None
    file: Path = Path()
    """The configuration itself."""
    jar: CookieJar | None = None
    """The cookies that each shard sets for itself."""
    classes: tuple[PriorityClass, ...] = ()
    """Of requests, the most important first; empty: there are none."""
    document: Document | None = None
    written_at: Mapping[str, str] = {}
    """The rules that stand elsewhere than in `rules` → where: `openapi.paths…`."""

    @property
    def class_names(self) -> list[str]:
        """The names of the priority classes."""
        return [each.name for each in self.classes]

    @property
    def variables(self) -> list[str]:
        """The variables of the environment that gave fields of the configuration."""
        return [] if self.document is None else self.document.variables

    def named(self, mistake: Mistake) -> Mistake:
        """A mistake that was found later: it names the variable that gave what is wrong, and not its value."""
        variable = None if self.document is None else self.document.variable(mistake.path)
        if self.document is None or variable is None:
            return mistake
        told = self.document.told(mistake.problem, mistake.path)
        return msgspec.structs.replace(mistake, path=variable, problem=told)

    def place_of(self, path: str) -> str:
        """The file, the line and the path of a dotted path, as a mistake has them."""
        if self.document is None:
            return path
        at = _where_written(Mistake(path, "", ""), self.written_at).path
        if at.startswith(IN_DOCUMENT):
            # The lines of the application's document are not known: only a mistake is worth the seconds of its reader.
            return written_in(at.removeprefix(IN_DOCUMENT), self.config.openapi or "")
        return self.document.place(at)


class ConfigError(Exception):
    """A configuration with mistakes; the message lists them all."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        lines = [f"{m.path}: {m.problem}\n    → {m.cure}" for m in mistakes]
        super().__init__("\n".join(lines))


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Loaded:
    """Read a configuration. Raises ConfigError with all of its mistakes, each with its place and its cure.

    `environment`: its variables `SHARDGATE_…` win over the fields of the file.
    """
    document, config, mistakes = _written(path, environment)
    wrong = {re.split(r"[.\[]", mistake.path)[0] for mistake in mistakes}
    shards = read_shards(config, path, mistakes)
    host, port = _address_of("listen", config.listen, "127.0.0.1:8080", mistakes) or ("", 0)
    admin = _address_of("admin", config.admin, "127.0.0.1:9901", mistakes) if config.admin is not None else None
    access_log = None if "access_log" in wrong else _access_log(config.access_log, path.parent, mistakes)
    push = None if "otlp" in wrong else read_otlp(config.otlp, path.parent, environment, mistakes)
    trusted = _trusted(config, mistakes)
    given = config.tls
    tls = TlsFiles(*beside(path, given.certificate, given.key, given.client_ca)) if given is not None else None
    seal = Seal((b"",), 0) if "cursors" in wrong else _seal(config, path, mistakes)
    application = Application(path.parent / config.openapi) if config.openapi is not None else None
    book = _rulebook(config, path, application, seal, mistakes)
    routes = _routes(config, book, mistakes)
    unreadable = [*_check_places(config)]
    mistakes += unreadable
    directory, store = _store_places(config, path.parent)
    if isinstance(directory, Path) and not directory.is_file() and not unreadable:
        mistakes.append(
            Mistake("directory", f"{directory} does not exist", "run `shardgate split`, or correct the path")
        )
    mistakes += _check_store(routes, store, directory)
    mistakes += _check_override(config.method_override_header)
    mistakes += _check_bases(shards, book)
    mistakes += _check_cookies(config, routes)
    told = {mistake.path for mistake in mistakes}  # what is wrong anyway is told once
    mistakes += [each for each in check_effects(config, shards, routes, document) if each.path not in told]
    clients = None if "clients" in wrong else read_clients(config, path.parent, routes, store, mistakes)
    bounds = read_bounds(config, mistakes) if "clients" not in wrong else ClientBounds(1, 1, 1)
    classes = () if "clients" in wrong else read_classes(config, routes, mistakes)
    if mistakes:
        written = [_where_written(mistake, book.places) for mistake in mistakes]
        raise ConfigError(_placed(document, written, application))
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
        push,
        tls,
        trusted,
        clients,
        file=path,
        jar=_jar(config, shards, seal),
        classes=classes,
        document=document,
        written_at=book.places,
    )


def _written(path: Path, environment: Mapping[str, str]) -> tuple[Document, Config, list[Mistake]]:
    """What is written, with the mistakes that its other sections can be read beside. Raises ConfigError."""
    if not path.exists():
        cure = "name another with `-c FILE` or SHARDGATE_CONFIG; docs/tutorial.md shows how to begin one"
        raise ConfigError([Mistake(str(path), "there is no such file", cure)])
    document, mistakes = read_document(path)
    if mistakes:
        raise ConfigError(mistakes)
    document = overridden(document, environment, mistakes)
    config: Config | None = convert_all(document.data, Config, "", mistakes)
    if config is None:
        raise ConfigError(_placed(document, mistakes))
    return document, config, mistakes


def _routes(config: Config, book: Rulebook, mistakes: list[Mistake]) -> Routes:
    routes, more = build_routes(
        book,
        config.shards,
        method_override=config.method_override,
        trailing_slash=config.trailing_slash == "optional",
        method_override_header=config.method_override_header,
        method_override_member=config.method_override_member,
        paths=PathReading(config.path_case, config.encoded_slash),
    )
    mistakes += more
    if not routes.routes and not mistakes:
        mistakes.append(Mistake("rules", "there is no operation", "name the `openapi` document, or write `rules`"))
    return routes


def _store_places(config: Config, folder: Path) -> tuple[Path | PostgresUrl | None, Path | PostgresUrl | None]:
    """Where the directory is, and where the store is. A store in PostgreSQL has a directory, too."""

    def place(text: str) -> Path | PostgresUrl:
        return postgres_url(text) or folder / text

    directory = place(config.directory) if config.directory else None
    store = place(config.store) if config.store else directory
    if directory is None and isinstance(store, PostgresUrl):
        directory = store
    return directory, store


def _check_places(config: Config) -> Iterator[Mistake]:
    """Texts that name no place. They may have a password, and are not shown."""
    for field in ("directory", "store"):
        text: str = getattr(config, field) or ""
        url = postgres_url(text)
        if problem := no_place(text) if url is None else url.mistake:
            problem, _, cure = problem.partition(". " if url is None else ": ")
            yield Mistake(field, problem, cure[:1].lower() + cure[1:])


def _check_store(
    routes: Routes, store: Path | PostgresUrl | None, directory: Path | PostgresUrl | None
) -> list[Mistake]:
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
            cure = "name the `directory`, and no other `store`; or one `store: postgresql://…`"
            mistakes.append(Mistake(name, f"the directory records {rule.recorded}, in the same store", cure))
    return mistakes


def _check_bases(shards: Mapping[str, Shard], book: Rulebook) -> Iterator[Mistake]:
    """A path that both a shard and the document's servers have would be asked for twice over."""
    for shard in shards.values():
        below = f"{shard.base}/"
        name = next((each for each in book.unbased if each.partition(" ")[2].startswith(below)), None)
        if shard.base and name is not None:
            problem = f"its path {shard.base} is in the document's servers, too: {name} would be asked of it below both"
            yield Mistake(f"shards.{shard.id}", problem, "take it away here, or write `openapi_base: ''`")


def _check_cookies(config: Config, routes: Routes) -> Iterator[Mistake]:
    names = () if config.cookies is None else config.cookies.jar
    if config.cookies is not None and not names:
        yield Mistake(
            "cookies.jar", "it names no cookie", "write the cookies' names: `[sessionid]`; or remove `cookies`"
        )
    for number, name in enumerate(names):
        if not COOKIE_NAME.fullmatch(name):
            yield Mistake(f"cookies.jar[{number}]", f"{name!r} is no name of a cookie", "write it as `sessionid`")
    for route in routes.routes:
        if route.rule is None:
            continue
        if route.rule.cookies == "jar" and not names:
            cure = "add `cookies: {jar: [sessionid]}` to the configuration, or write `first`"
            yield Mistake(f"rules.{route.name}.cookies", "there is no jar", cure)
        for field, sources in route.rule.key_fields():
            if kept := [source for source in sources if source.partition(".")[2] in names and source[:7] == "cookie."]:
                problem = f"{kept[0]!r} is different on each shard: it is one of `cookies.jar`"
                yield Mistake(
                    f"rules.{route.name}.{field}", problem, "take another place of the key, or out of the jar"
                )


def _jar(config: Config, shards: Mapping[str, Shard], seal: Seal | None) -> CookieJar | None:
    if config.cookies is None:
        return None
    return CookieJar(config.cookies.jar, shards, () if seal is None else seal.secrets)


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


def _rulebook(
    config: Config, path: Path, application: Application | None, seal: Seal | None, mistakes: list[Mistake]
) -> Rulebook:
    book = Rulebook({}, {}, {}, {}, {}, {})
    if application is not None:
        data, unreadable = application.root()
        mistakes += unreadable
        book = read_openapi(data, mistakes, application.read, _openapi_base(config, mistakes))
    _add_rules(book, config, mistakes)
    book.locators.update(config.locators)
    book.dialects.update(config.dialects)
    for section, names in (("locators", config.locators), ("dialects", config.dialects)):
        book.places |= {f"{section}.{name}": f"{section}.{name}" for name in names}
    book.seal = seal
    put_plugins(book, path.parent, mistakes)
    return book


def _openapi_base(config: Config, mistakes: list[Mistake]) -> str | None:
    """The path that the configuration puts before the document's; None: the document says it."""
    base = config.openapi_base
    if base is None:
        return None
    if base and (found := [*check_template(base)] if base.startswith("/") else ["it is no path"]):
        problem = found[0] if isinstance(found[0], str) else found[0].problem
        mistakes.append(Mistake("openapi_base", problem, "write it as `/v3`, or as an empty text for no path"))
        return ""
    return base.rstrip("/")


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
    secrets = _secrets(config.cursors, path.parent, mistakes)
    client = config.cursors.client
    if client is None:
        jwt = None if config.clients is None else config.clients.jwt
        client = () if jwt is None else (f"claim.{jwt.client}",)
    return Seal(secrets, config.cursors.lifetime_s, client)


def _secrets(given: CursorsConfig, folder: Path, mistakes: list[Mistake]) -> tuple[bytes, ...]:
    """Those that sign; none that is too short to be one."""
    where = "cursors.secret_file" if given.secret_env is None else "cursors.secret_env"
    if (given.secret_file is None) == (given.secret_env is None):
        mistakes.append(Mistake("cursors", "the secrets must stand in one place", "name `secret_file` or `secret_env`"))
        return (b"",)
    if given.secret_env is not None:
        raw = os.environb.get(given.secret_env.encode(), b"")
    else:
        file = folder / (given.secret_file or "")
        try:
            raw = file.read_bytes()
        except OSError as error:
            mistakes.append(Mistake(where, f"{file} cannot be read: {error.strerror}", _MAKE_ONE))
            return (b"",)
    secrets = tuple(line.strip() for line in raw.splitlines() if line.strip())
    if not secrets or min(map(len, secrets)) < SECRET_CHARACTERS_MIN:
        problem = f"a secret has at least {SECRET_CHARACTERS_MIN} characters, one a line"
        mistakes.append(Mistake(where, problem, _MAKE_ONE))
    return secrets or (b"",)


def _where_written(mistake: Mistake, places: Mapping[str, str]) -> Mistake:
    """A mistake of a rule that stands in the application's document has its place there."""
    names = [name for name in places if f"{mistake.path}.".startswith(f"rules.{name}.")]
    name = max(names, key=len, default=None)
    if name is None:
        return mistake
    return msgspec.structs.replace(mistake, path=places[name] + mistake.path.removeprefix(f"rules.{name}"))


def _placed(document: Document, mistakes: list[Mistake], application: Application | None = None) -> list[Mistake]:
    """The same mistakes in the order of their lines, each with the file and the line of what is at fault."""
    placed: list[tuple[str, int, Mistake]] = []
    for mistake in dict.fromkeys(mistakes):  # a rule for two methods has each of its mistakes twice
        path = mistake.path.removeprefix(IN_DOCUMENT)
        if application is None or path == mistake.path:
            file, line, place = "", document.line(path), document.place(path)
        else:
            file, line, place = path.rpartition("\0")[0] or " ", application.line(path), application.place(path)
        told = document.told(mistake.problem, mistake.path)
        placed.append((file, line, msgspec.structs.replace(mistake, path=place, problem=told)))
    return [mistake for _, _, mistake in sorted(placed, key=lambda entry: entry[:2])]
