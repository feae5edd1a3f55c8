"""Plain data to typed values, with every mistake that is in it: what is wrong, where, and what to do."""

from typing import Any, get_args

import msgspec

from shardgate.core.changes.placing import AnyPolicy
from shardgate.core.dialect import AnyDialect
from shardgate.core.locate import AnyLocator
from shardgate.core.merge import AnyMerger
from shardgate.core.routes.rule import Rule


class Mistake(msgspec.Struct, frozen=True):
    """What is wrong, where, and what to do."""

    path: str
    problem: str
    cure: str


def convert_all(value: Any, kind: Any, path: str, mistakes: list[Mistake]) -> Any:
    """Convert plain data to a typed value; each thing that is wrong in it becomes a mistake.

    msgspec stops at the first mistake, so that the part at fault is taken out and the rest is tried again: what comes
    back may lack it, and is there to look for more mistakes in; None where nothing could be made of it.
    """
    told: set[str] = set()  # a field that was taken out as wrong, or stands there by a wrong name, is not missed too
    while True:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            problem, place = _split(str(error))
            if "[...]" in place:
                place = _pinned(value, kind, place, str(error))
            named = f".{problem.split('`')[1]}" if " field `" in problem else ""
            missing = "missing required field" in problem
            if not (missing and told & {place, place + named}):
                where = f"{path}{place}{'' if missing else named}".lstrip(".")
                mistakes.append(Mistake(where, _worded(problem), _cure(problem, where)))
            told.add(place)
            value = _without(value, place, problem)
            if value is None:
                return None


def _split(text: str) -> tuple[str, str]:
    """What msgspec says is wrong, and where: `expected … - at `$.a[0].b``, or `- at `key` in `$.a`` of a name."""
    problem, found, place = text.partition(" - at `key` in `$")
    if found:
        return "Invalid name, it is no text", place.rstrip("`")
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


_WORDS = {
    "conflict": ("refuse", "first", "last"),
    "winner": ("first", "last", "highest", "lowest"),
    "lists": ("refuse", "join", "union"),
    "type": ("text", "number", "decimal", "boolean", "time"),
    "nulls": ("first", "last"),
    "unknown": ("ask", "refuse"),
    "unverified": ("refuse", "pass"),
    "window": ("month", "day", "hour"),
    "repeated": ("refuse", "first", "last"),
    "mode": ("strict", "eventual", "read", "independent", "all_or_none"),
    "trailing_slash": ("optional", "distinct"),
    "request_trailers": ("drop", "pass"),
    "header": ("X-Forwarded-For", "Forwarded"),
    "also": ("X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix"),
    "limit_over": ("cut", "refuse"),
    "next_is": ("cursor", "link"),
    "at_end": ("null", "absent", "empty"),
    "restore": ("changed", "a list of properties"),
    "rels": ("first", "prev", "self", "next", "last"),
}


def _cure(problem: str, where: str) -> str:
    if "enum value" in problem:
        field = where.rpartition(".")[2].partition("[")[0]
        return f"take one of: {', '.join(_WORDS.get(field, _WORDS['type']))}"
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
    elif where.endswith("policy.kind"):
        strategies = AnyPolicy
    else:
        strategies = AnyLocator if where.startswith("locators.") else AnyMerger
    return [str(each.__struct_config__.tag) for each in get_args(strategies) or (strategies,)]


_IN_WORDS = {
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    "`null`": "nothing",
    "`array`": "a list",
    "`object`": "a mapping",
    "Object contains ": "",
    "Object missing required field": "it lacks the field",
    "Invalid enum value": "unknown word",
    "Invalid value": "unknown word",
}


def _worded(problem: str) -> str:
    """What msgspec says, in the words of one who writes YAML."""
    problem = problem.replace(" | ", "` or `")
    for said, word in _IN_WORDS.items():
        problem = problem.replace(said, word)
    return problem[:1].lower() + problem[1:]


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
