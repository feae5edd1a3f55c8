"""The application's OpenAPI document and the overlay → Routes, with every mistake that is in them.

`x-shardgate` on an operation is its rule, written by the team that adds the endpoint; at the document's root it
may hold
`locators` and `dialects` by name. The overlay says the same for applications that cannot be touched, and wins.

Holds: an operation without a rule is a mistake: the gateway does not guess how data is divided.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args

import msgspec

from shardgate.core.contracts import Locator
from shardgate.core.dialect import AnyDialect
from shardgate.core.locate import AnyLocator
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.listed import Listed
from shardgate.core.routes.route import Route, Routes
from shardgate.core.routes.rule import KEY_SOURCES, Gather, One, Rule

IN_DOCUMENT = "openapi: "
"""Begins the path of a mistake that stands in the application's document."""

_VARIABLE = re.compile(r"\{[^{}]+\}")
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Plain = dict[str, Any]
"""A mapping as YAML or JSON gives it."""


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong, where, and what to do."""

    path: str
    problem: str
    cure: str


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


def build_routes(book: Rulebook, *, method_override: str | None, trailing_slash: bool) -> tuple[Routes, list[Mistake]]:
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
    return Routes(tuple(routes), method_override, trailing_slash), mistakes


def convert_all(value: Any, kind: Any, path: str, mistakes: list[Mistake]) -> Any:
    """Convert plain data to a typed value; each thing that is wrong in it becomes a mistake.

    msgspec stops at the first mistake, so that the part at fault is taken out and the rest is tried again: what comes
    back may lack it, and is there to look for more mistakes in; None where nothing could be made of it.
    """
    found = False
    while True:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            problem, place = _split(str(error))
            if "[...]" in place:
                place = _pinned(value, kind, place, str(error))
            unknown = f".{problem.split('`')[1]}" if "unknown field" in problem else ""
            if not (found and "missing required field" in problem):
                where = f"{path}{place}{unknown}".lstrip(".")
                mistakes.append(Mistake(where, _lower(problem), _cure(problem, where)))
            found = True
            value = _without(value, place, problem)
            if value is None:
                return None


def _split(text: str) -> tuple[str, str]:
    """What msgspec says is wrong, and where: `expected … - at `$.a[0].b``, or `- at `key` in `$.a`` of a name."""
    problem, found, place = text.partition(" - at `key` in `$")
    if found:
        return "Invalid name: it is no text", place.rstrip("`")
    problem, _, place = text.partition(" - at `$")
    return problem, place.rstrip("`")


def _pinned(value: Any, kind: Any, place: str, text: str) -> str:
    """msgspec calls any entry of a mapping `[...]`: which one is it?"""
    before = place.partition("[...]")[0]
    entries = _part(value, _steps(before))
    for name in entries if isinstance(entries, dict) else ():
        others = [other for other in entries if other != name]
        alone = value
        for other in others:
            alone = _cut_at(alone, [*_steps(before), other])
        try:
            msgspec.convert(alone, kind)
        except msgspec.ValidationError as error:
            if str(error) == text:
                return place.replace("[...]", f".{name}", 1)
    return place


def _part(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, list):
            value = value[int(step[1:-1])]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


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
    before = len(mistakes)
    rule: Rule | None = convert_all(written, Rule, place, mistakes)
    if rule is None:
        return None
    _check_names(rule, template, place, book.locators, mistakes)
    if len(mistakes) > before:
        return None
    chain = locators.get(rule.locate, ()) if isinstance(rule, One) else ()
    return Route(method, template, operation, rule, chain)


def _check_names(
    rule: Rule,
    template: str,
    place: str,
    names_of_locators: Mapping[str, object],
    mistakes: list[Mistake],
) -> None:
    names = list(rule.learn) if isinstance(rule, One | Gather) else []
    if isinstance(rule, One):
        names.append(rule.locate)
        for source in (rule.key,) if isinstance(rule.key, str) else rule.key:
            mistakes += _check_source(source, template, f"{place}.key")
    mistakes += [
        Mistake(f"{place}.locate", f"no locator is named {name!r}", _nearest(name, names_of_locators))
        for name in names
        if name not in names_of_locators
    ]
    if isinstance(rule, Gather) and isinstance(rule.merge, Listed):
        merge = rule.merge
        mistakes += [
            Mistake(f"{place}.learn.{name}", f"{member!r} is not what rows are told apart by", f"write {merge.tie!r}")
            for name, member in rule.learn.items()
            if member != merge.tie
        ]
        wanted = {key.removeprefix("-") for key in merge.default_order} | {merge.tie}
        mistakes += [
            Mistake(f"{place}.merge.keys", f"the sort key {key!r} has no type", f"add `{key}: text`")
            for key in sorted(wanted - set(merge.keys))
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
    if not name and kind != "basic":
        return [Mistake(place, f"{source!r} names nothing", f"write it as `{kind}.` and a name")]
    if kind == "path" and f"{{{name}}}" not in template:
        return [Mistake(place, f"the path has no variable {name!r}", f"take one of {template}")]
    return []


def _chain(name: str, config: Any, mistakes: list[Mistake]) -> tuple[Locator, ...] | None:
    chain: tuple[AnyLocator, ...] | None
    chain = convert_all(config, tuple[AnyLocator, ...], f"locators.{name}", mistakes)
    if chain == ():
        mistakes.append(Mistake(f"locators.{name}", "the chain is empty", "add `- kind: directory`"))
    return chain


def _with_dialect(rule: Plain, dialects: Plain, place: str, mistakes: list[Mistake]) -> Plain:
    """A dialect may be given by its name."""
    merge = rule.get("merge") if isinstance(rule, dict) else None
    name = merge.get("dialect") if isinstance(merge, dict) else None
    if not isinstance(merge, dict) or not isinstance(name, str):
        return rule
    if name not in dialects:
        cure = _nearest(name, dialects)
        mistakes.append(Mistake(f"{place}.merge.dialect", f"no dialect is named {name!r}", cure))
        return {**rule, "merge": {**merge, "dialect": {"kind": "offset"}}}
    return {**rule, "merge": {**merge, "dialect": dialects[name]}}


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


_WORDS = {
    "type": ("text", "number", "boolean"),
    "nulls": ("first", "last"),
    "unknown": ("ask", "refuse"),
    "repeated": ("refuse", "first", "last"),
    "trailing_slash": ("optional", "distinct"),
}


def _cure(problem: str, where: str) -> str:
    if "enum value" in problem:
        return f"take one of: {', '.join(_WORDS.get(where.rpartition('.')[2], _WORDS['type']))}"
    if "Invalid name" in problem:
        return "put the name in quotes"
    if "Invalid value" in problem:
        return f"take one of: {', '.join(_tags(where))}"
    if "unknown field" in problem:
        return "remove it, or correct its name"
    if "missing required field" in problem:
        return "add it"
    return "write it as docs/configuration.md says"


def _tags(where: str) -> list[str]:
    """The words that a tag may be, by where it stands."""
    if where.endswith(".rule"):
        strategies: Any = Rule
    elif where.endswith("dialect.kind"):
        strategies = AnyDialect
    else:
        strategies = AnyLocator if where.startswith("locators.") else AnyMerger
    return [str(each.__struct_config__.tag) for each in get_args(strategies) or (strategies,)]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _without(value: Any, place: str, problem: str) -> Any:
    """A copy of the data without the part at fault; None where nothing is left to try."""
    steps = _steps(place)
    if "unknown field" in problem:
        steps.append(problem.split("`")[1])
    if not steps or "missing required field" in problem:
        return None
    return _cut_at(value, steps)


def _steps(place: str) -> list[str]:
    return [step for step in place.replace("[", ".[").split(".") if step]


def _cut_at(value: Any, steps: list[str]) -> Any:
    step, *rest = steps
    if isinstance(value, dict):
        names = list(value) if step == "[...]" else [step]
        if not any(name in value for name in names):
            return None
        if rest:
            cut = {k: _cut_at(v, rest) if k in names else v for k, v in value.items()}
            return {k: v for k, v in cut.items() if v is not None or value[k] is None}
        return {k: v for k, v in value.items() if k not in names}
    if isinstance(value, list) and step.startswith("["):
        index = int(step[1:-1]) if step[1:-1].isdigit() else -1
        if rest:
            return [_cut_at(v, rest) if n == index else v for n, v in enumerate(value)]
        return [v for n, v in enumerate(value) if n != index]
    return None
