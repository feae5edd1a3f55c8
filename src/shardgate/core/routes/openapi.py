"""The application's OpenAPI document and the overlay → Routes, with every mistake that is in them.

`x-shardgate` on an operation is its rule, written by the team that adds the endpoint; at the document's root it
may hold `locators` and `dialects` by name. The overlay says the same for applications that cannot be touched, and wins.

Holds: an operation without a rule is a mistake: the gateway does not guess how data is divided.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from shardgate.core.contracts import Locator
from shardgate.core.cursors.seal import Seal
from shardgate.core.dialect import AnyDialect
from shardgate.core.dialect.cursor import Cursor
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.locate import AnyLocator
from shardgate.core.locate.probe import Probe
from shardgate.core.merge.listed import Listed
from shardgate.core.routes.change_mistakes import check_write, has_words_on_keys, key_fields
from shardgate.core.routes.mistakes import Mistake, convert_all
from shardgate.core.routes.route import Filter, Route, Routes
from shardgate.core.routes.rule import KEY_SOURCES, Divide, Gather, One, Prune, Rule

IN_DOCUMENT = "openapi: "
"""Begins the path of a mistake that stands in the application's document."""

_VARIABLE = re.compile(r"\{[^{}]+\}")
_SEALED = {str(kind.__struct_config__.tag) for kind in get_args(AnyDialect) if "seal" in kind.__struct_fields__}
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Plain = dict[str, Any]
"""A mapping as YAML or JSON gives it."""


class Rulebook(msgspec.Struct):
    """What rules are made from, as it was written: operations from the document, the rest from document and overlay."""

    operations: dict[str, str]
    """`GET /v3/events` → operationId."""
    rules: dict[str, Plain]
    places: dict[str, str]
    """`GET /v3/events` → where its rule stands."""
    locators: Plain
    dialects: Plain
    unserved: dict[str, str]
    seal: Seal | None = None
    """What signs the cursors of dialects that need it."""


class _Root(msgspec.Struct, forbid_unknown_fields=True):
    locators: Plain = {}
    dialects: Plain = {}


def read_document(document: Plain, mistakes: list[Mistake]) -> Rulebook:
    """The operations of an OpenAPI document, with their rules."""
    root = convert_all(document.get("x-shardgate", {}), _Root, f"{IN_DOCUMENT}x-shardgate", mistakes) or _Root()
    paths = convert_all(document.get("paths", {}), dict[str, dict[str, Any]], f"{IN_DOCUMENT}paths", mistakes)
    book = Rulebook({}, {}, {}, dict(root.locators), dict(root.dialects), {})
    for path, item in (paths or {}).items():
        for method in _METHODS:
            if not isinstance(operation := item.get(method), dict):
                continue
            name = f"{method.upper()} {path}"
            book.operations[name] = operation.get("operationId", name)
            if "x-shardgate" in operation:
                book.rules[name] = operation["x-shardgate"]
                book.places[name] = f"{IN_DOCUMENT}paths.{path}.{method}.x-shardgate"
    return book


def build_routes(
    book: Rulebook, *, method_override: str | None, trailing_slash: bool, method_override_header: str | None = None
) -> tuple[Routes, list[Mistake]]:
    """Every operation as a route, and all mistakes at once."""
    mistakes: list[Mistake] = []
    locators = {
        name: chain for name, config in book.locators.items() if (chain := _chain(name, config, mistakes)) is not None
    }
    routes = [route for name in book.operations if (route := _route(name, book, locators, mistakes)) is not None]
    mistakes += [
        Mistake(f"unserved.{name}", "no such operation", _nearest(name, book.operations))
        for name in book.unserved
        if name not in book.operations
    ]
    mistakes += _twins(routes)
    return Routes(tuple(routes), method_override, method_override_header, trailing_slash), mistakes


def _route(
    name: str, book: Rulebook, locators: Mapping[str, tuple[Locator, ...]], mistakes: list[Mistake]
) -> Route | None:
    method, _, template = name.partition(" ")
    operation = book.operations[name]
    if name in book.unserved:
        return Route(method, template, operation, None, unserved=book.unserved[name])
    if name not in book.rules:
        cure = "add `x-shardgate` to it in the document, or an entry under `rules`, or list it under `unserved`"
        mistakes.append(Mistake(f"rules.{name}", "the operation has no rule", cure))
        return None
    place = book.places[name]
    if any("{" in segment and not _VARIABLE.fullmatch(segment) for segment in template.split("/")):
        cure = "list it under `unserved`, or give the variable a segment of its own"
        mistakes.append(Mistake(place, f"{template} has a variable that is only a part of its segment", cure))
        return None
    written = _with_dialect(book.rules[name], book.dialects, place, mistakes)
    written = _with_seal(written, book.seal, place, mistakes)
    before = len(mistakes)
    rule: Rule | None = convert_all(written, Rule, place, mistakes)
    if rule is None:
        return None
    complete = len(mistakes) == before
    _check_names(rule, template, place, book.locators, mistakes)
    if isinstance(rule, Gather):
        mistakes += _check_method(rule, method, place)
    if complete:
        mistakes += _check_order(rule, place)
        mistakes += check_write(rule, method, place)
    if len(mistakes) > before:
        return None
    chain = locators.get(rule.locate, ()) if isinstance(rule, One | Divide) else ()
    whole = locators.get(rule.whole_locate or "", ()) if isinstance(rule, Divide) else ()
    keyed = has_words_on_keys(rule)
    filters = _filters(rule, locators)
    space = _parts_space(rule)
    return Route(
        method,
        template,
        operation,
        rule,
        chain,
        whole,
        keyed=keyed,
        filters=filters,
        parts_space=space,
        ages=_ages(rule),
    )


def _filters(rule: Rule, locators: Mapping[str, tuple[Locator, ...]]) -> tuple[Filter, ...]:
    if not isinstance(rule, Gather):
        return ()
    found = []
    for parameter, given in rule.prune.items():
        how = given if isinstance(given, Prune) else Prune(locate=given)
        chain = locators.get(how.locate, ())
        shown = how.locate in rule.learn
        kind, _, name = parameter.partition(".")
        claim, variable = name if kind == "claim" else "", name if kind == "path" else ""
        found.append(Filter(parameter, how.separator, how.locate, chain, shown, _anchors(rule), claim, variable))
    return tuple(found)


def _parts_space(rule: Rule) -> str | None:
    """The space of what may be in parts; None: nothing is."""
    if isinstance(rule, One):
        return rule.locate if rule.parts is not None or rule.change is not None else None
    parts = rule.merge.parts if isinstance(rule, Gather) and isinstance(rule.merge, Listed) else None
    return None if parts is None else parts.locate


def _ages(rule: Rule) -> bool:
    dialect = rule.merge.dialect if isinstance(rule, Gather) and isinstance(rule.merge, Listed) else None
    return isinstance(dialect, Cursor)


def _anchors(rule: Gather) -> tuple[str, ...]:
    """The parameters whose row is looked for on the shards, wherever it is."""
    dialect = rule.merge.dialect if isinstance(rule.merge, Listed) else None
    if not isinstance(dialect, IdCursor) or dialect.row is None:
        return ()
    return tuple(name for name in (dialect.after, dialect.before) if name is not None)


def _filtered(rule: Gather) -> dict[str, str]:
    """Parameter → the name of its locator."""
    return {name: given.locate if isinstance(given, Prune) else given for name, given in rule.prune.items()}


def _check_names(
    rule: Rule,
    template: str,
    place: str,
    names_of_locators: Mapping[str, object],
    mistakes: list[Mistake],
) -> None:
    names = list(rule.learn) if isinstance(rule, One | Gather | Divide) else []
    if isinstance(rule, Gather):
        mistakes += [
            Mistake(f"{place}.prune.{parameter}", f"no locator is named {name!r}", _nearest(name, names_of_locators))
            for parameter, name in _filtered(rule).items()
            if name not in names_of_locators
        ]
        for parameter in rule.prune:
            if parameter.startswith("path."):
                mistakes += _check_source(parameter, template, f"{place}.prune.{parameter}")
    if isinstance(rule, One | Divide):
        names.append(rule.locate)
    if isinstance(rule, Divide) and rule.whole_locate is not None:
        names.append(rule.whole_locate)
    for field, sources in key_fields(rule):
        if not sources:
            mistakes.append(Mistake(f"{place}.{field}", "there is no place of a key", "add one, like `path.id`"))
        for source in sources:
            mistakes += _check_source(source, template, f"{place}.{field}")
    mistakes += [
        Mistake(f"{place}.locate", f"no locator is named {name!r}", _nearest(name, names_of_locators))
        for name in names
        if name not in names_of_locators
    ]


def _check_method(rule: Gather, method: str, place: str) -> list[Mistake]:
    """A gather reads; a POST does where its dialect says so."""
    posted = isinstance(rule.merge, Listed) and rule.merge.dialect.posted
    if posted and method != "POST":
        cure = "name another dialect, or write the operation as POST"
        return [Mistake(f"{place}.merge.dialect", f"it reads the page from a body, which a {method} has not", cure)]
    if not posted and method not in {"GET", "HEAD"}:
        cure = "serve it by `one` or `any`, list it under `unserved`; or, if it only reads, name a dialect `search`"
        return [Mistake(f"{place}.rule", f"a gather reads, and {method} does not", cure)]
    return []


def _check_order(rule: Rule, place: str) -> list[Mistake]:
    """What a list is sorted by, and what it teaches, must be there."""
    if not isinstance(rule, Gather) or not isinstance(rule.merge, Listed):
        return []
    merge = rule.merge
    wanted = {key.removeprefix("-") for key in merge.default_order} | {merge.tie}
    return [
        Mistake(f"{place}.merge.keys", f"the sort key {key!r} has no type", f"add `{key}: text`")
        for key in sorted(wanted - set(merge.keys))
    ] + [
        Mistake(f"{place}.learn.{name}", f"{member!r} is not what rows are told apart by", f"write {merge.tie!r}")
        for name, member in rule.learn.items()
        if member != merge.tie
    ]


def _check_source(source: str, template: str, place: str) -> list[Mistake]:
    kind, _, name = source.partition(".")
    if kind not in KEY_SOURCES:
        return [
            Mistake(
                place,
                f"{source!r} is no place of a key",
                f"start it with one of {', '.join(KEY_SOURCES)}",
            )
        ]
    if kind == "basic" and name not in {"username", "client_id"}:
        return [Mistake(place, f"{source!r} names nothing", "write `basic.username` or `basic.client_id`")]
    if not name:
        return [Mistake(place, f"{source!r} names nothing", f"write it as `{kind}.` and a name")]
    if kind == "path" and f"{{{name}}}" not in template:
        return [Mistake(place, f"the path has no variable {name!r}", f"take one of {template}")]
    return []


def _chain(name: str, config: Any, mistakes: list[Mistake]) -> tuple[Locator, ...] | None:
    chain: tuple[AnyLocator, ...] | None
    chain = convert_all(config, tuple[AnyLocator, ...], f"locators.{name}", mistakes)
    if chain == ():
        mistakes.append(Mistake(f"locators.{name}", "the chain is empty", "add `- kind: directory`"))
    mistakes += [
        Mistake(
            f"locators.{name}[{number}].path",
            f"{locator.path!r} is no path with a key in it: it would be found everywhere, or nowhere",
            "write it as `/events/{key}`",
        )
        for number, locator in enumerate(chain or ())
        if isinstance(locator, Probe) and not (locator.path.startswith("/") and "{key}" in locator.path)
    ]
    return chain


def _with_dialect(rule: Plain, dialects: Plain, place: str, mistakes: list[Mistake]) -> Plain:
    """A dialect may be given by its name."""
    for member in ("merge", "parts"):
        merge = rule.get(member) if isinstance(rule, dict) else None
        name = merge.get("dialect") if isinstance(merge, dict) else None
        if not isinstance(merge, dict) or not isinstance(name, str):
            continue
        if name not in dialects:
            cure = _nearest(name, dialects)
            mistakes.append(Mistake(f"{place}.{member}.dialect", f"no dialect is named {name!r}", cure))
        rule = {**rule, member: {**merge, "dialect": dialects.get(name, {"kind": "offset"})}}
    return rule


def _with_seal(rule: Plain, seal: Seal | None, place: str, mistakes: list[Mistake]) -> Plain:
    """A dialect that signs its cursors is given what it signs with."""
    merge = rule.get("merge") if isinstance(rule, dict) else None
    dialect = merge.get("dialect") if isinstance(merge, dict) else None
    if not isinstance(merge, dict) or not isinstance(dialect, dict) or dialect.get("kind") not in _SEALED:
        return rule
    if "seal" in dialect:
        mistakes.append(Mistake(f"{place}.merge.dialect.seal", "it is not written here", "write `cursors`"))
    if seal is None:
        cure = "add `cursors: {secret_file: cursor.secret}`, the same secret for every worker and every gateway"
        mistakes.append(Mistake(f"{place}.merge.dialect", "its cursors are signed, and there is no secret", cure))
    return {**rule, "merge": {**merge, "dialect": {**dialect, "seal": seal or Seal((b"",), 0)}}}


def _twins(routes: list[Route]) -> list[Mistake]:
    """Two templates that differ only in the names of their variables are one path."""
    shapes: dict[str, str] = {}
    mistakes = []
    for route in routes:
        segments = ["{}" if s.startswith("{") else s for s in route.template.split("/")]
        shape = f"{route.method} {'/'.join(segments).rstrip('/')}"
        name = f"{route.method} {route.template}"
        if shape in shapes:
            problem = f"it is the same path as {shapes[shape]}"
            mistakes.append(Mistake(f"rules.{name}", problem, "remove one of the two"))
        shapes[shape] = name
    return mistakes


def _nearest(name: str, names: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    near = get_close_matches(name, list(names), 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(sorted(names)) or 'none'}"
