"""Plain data → typed values, with every mistake that is in it: what is wrong, where, and what to write.

msgspec stops at the first mistake. So what is wrong is repaired, as well as it can be guessed, and the rest is tried
again, until nothing is wrong.

Holds: what comes back after a mistake is only good for finding more mistakes.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import inspect

from shardgate.core.routes.mistakes import Mistake, near
from shardgate.core.rulebook.shape import (
    Step,
    Steps,
    example_of,
    fields_of,
    tags_of,
    type_of,
    types_at,
    value_at,
    words_of,
)
from shardgate.core.rulebook.words import meant, page_of, renamed_field

ABSENT: Final = "\0"
"""Stands for a text that is missing, so that the rest can be checked: say nothing of it."""

_PLACE = re.compile(r"(.*) - at `(key` in `)?\$(.*)`", re.DOTALL)
_STEP = re.compile(r"\[(\.\.\.|\d+)\]|\.([^.\[]+)")
_ANY: Final = object()
"""msgspec does not say which entry of a mapping it means."""


class _Fault(msgspec.Struct):
    """What msgspec says is wrong first."""

    problem: str
    steps: list[Step]
    whole: inspect.Type
    value: Any
    """The whole value."""

    @property
    def field(self) -> str:
        """The field that the problem names: `Object contains unknown field `x``."""
        return self.problem.split("`")[1]

    def types(self, steps: Steps, instead: Any = ...) -> list[inspect.Type]:
        """The types that may be at a place, for what stands there or for another value."""
        value = self.value if instead is ... else _changed(self.value, steps, lambda _: instead)
        return types_at(self.whole, value, steps)


def convert_all(value: Any, kind: Any, path: str, mistakes: list[Mistake]) -> Any:
    """Convert plain data to a typed value; each thing that is wrong in it becomes a mistake.

    Returns None where nothing can be made of it.
    """
    told: set[str] = set()
    while True:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            fault = _fault(str(error), value, kind)
        mistake, repaired = _judge(fault, path)
        if mistake.path not in told:
            mistakes.append(mistake)
        told.add(mistake.path)
        if repaired is None or repaired == value:
            return None
        value = repaired


def _judge(fault: _Fault, path: str) -> tuple[Mistake, Any]:
    """The mistake, and the value without it; None where there is none."""
    problem = fault.problem
    place = path + _written(fault.steps)
    if "unknown field" in problem:
        return _unknown_field(fault, place)
    if "missing required field" in problem:
        return _missing_field(fault, place)
    if problem.startswith("Invalid name"):
        cure = "put the name in quotes"
        return Mistake(place.lstrip("."), _worded(problem), cure), _changed(fault.value, fault.steps, _named)
    if problem.startswith(("Invalid enum value", "Invalid value")):
        return _unknown_word(fault, place)
    place = place.lstrip(".")
    cure = f"write it as {page_of(place)} says"
    return Mistake(place, _worded(problem), cure), _without(fault)


def _unknown_field(fault: _Fault, place: str) -> tuple[Mistake, Any]:
    field, written = fault.field, value_at(fault.value, fault.steps)
    types = fault.types(fault.steps)
    fields = [*fields_of(types), *(tag for tag in tags_of(types))]
    new = renamed_field(field, fields)
    wanted = new or near(field, [name for name in fields if name not in written])
    if new is not None:
        cure = f"write `{new}`: {field!r} is its old name"
    elif wanted is not None:
        cure = f"did you mean `{wanted}`?"
    else:
        cure = f"remove it; there are: {', '.join(fields)}" if fields else "remove it: nothing can be written here"

    def repaired(entries: dict[str, Any]) -> dict[str, Any]:
        rest = {name: entry for name, entry in entries.items() if name != field}
        return rest if wanted is None or wanted in rest else {**rest, wanted: entries[field]}

    mistake = Mistake(f"{place}.{field}".lstrip("."), f"unknown field `{field}`", cure)
    return mistake, _changed(fault.value, fault.steps, repaired)


def _missing_field(fault: _Fault, place: str) -> tuple[Mistake, Any]:
    field, place = fault.field, place.lstrip(".")
    types = fault.types(fault.steps)
    problem = f"it lacks the field `{field}`"
    if (tags := tags_of(types).get(field)) is not None:
        cure = f"add it: `{field}:` and one of {', '.join(tags)}"
        return Mistake(place, problem, cure), _without(fault)
    known = fields_of(types).get(field)
    repaired = None
    if known is not None:
        added = {field: example_of([known.type], ABSENT)}
        repaired = _changed(fault.value, fault.steps, lambda entries: {**entries, **added})
    return Mistake(place, problem, f"add it; {page_of(f'{place}.{field}')} says what it means"), repaired


def _unknown_word(fault: _Fault, place: str) -> tuple[Mistake, Any]:
    *outer, last = fault.steps or [""]
    word = value_at(fault.value, fault.steps)
    words = words_of(fault.types(fault.steps))
    tags = [] if words else tags_of(fault.types(outer, {})).get(str(last), [])
    field = next((step for step in reversed(fault.steps) if isinstance(step, str)), "")
    wanted, cure = meant(field, word, words or tags)
    mistake = Mistake(place.lstrip("."), f"unknown word {word!r}", cure)
    if wanted is not None:
        return mistake, _changed(fault.value, fault.steps, lambda _: wanted)
    if words:
        return mistake, _without(fault)
    return mistake, _without(msgspec.structs.replace(fault, steps=outer))


def _without(fault: _Fault) -> Any:
    """The value without the part at fault: removed, or, where something must be there, an example instead."""
    if not fault.steps:
        return None
    *outer, last = fault.steps
    types = fault.types(outer)
    field = fields_of(types).get(str(last))
    if isinstance(last, str) and (field is None or not field.required):
        return _changed(fault.value, outer, lambda entries: {n: e for n, e in entries.items() if n != last})
    try:
        example = example_of(fault.types(fault.steps, None), ABSENT)
    except ValueError:
        return None
    return _changed(fault.value, fault.steps, lambda _: example)


def _changed(value: Any, steps: Steps, change: Any) -> Any:
    """A copy of the value, changed at a place."""
    if not steps:
        return change(value)
    step, *rest = steps
    if isinstance(value, dict):
        return {name: _changed(entry, rest, change) if name == step else entry for name, entry in value.items()}
    return [_changed(entry, rest, change) if number == step else entry for number, entry in enumerate(value)]


def _named(entries: dict[Any, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in entries.items() if isinstance(name, str)}


def _fault(text: str, value: Any, kind: Any) -> _Fault:
    """Read what msgspec says: `problem - at `$.a[0][...].b``."""
    found = _PLACE.fullmatch(text)
    problem, is_key, place = (text, None, "") if found is None else found.groups()
    if is_key:
        problem = "Invalid name, it is no text"
    steps: list[Any] = [
        name if index == "" else _ANY if index == "..." else int(index) for index, name in _STEP.findall(place)
    ]
    while _ANY in steps:
        steps = _pinned(value, kind, steps, text)
    return _Fault(problem, steps, type_of(kind), value)


def _pinned(value: Any, kind: Any, steps: list[Any], text: str) -> list[Any]:
    """Which entry of a mapping is at fault: the one that alone gives the same error."""
    position = steps.index(_ANY)
    entries = value_at(value, steps[:position])
    for name in entries:
        alone = _changed(value, steps[:position], lambda entries, name=name: {name: entries[name]})
        try:
            msgspec.convert(alone, kind)
        except msgspec.ValidationError as error:
            if str(error) == text:
                return [*steps[:position], name, *steps[position + 1 :]]
    return steps[:position]


def _written(steps: Steps) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


_IN_WORDS: Final = {
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    "`null`": "nothing",
    "`array`": "a list",
    "`object`": "a mapping",
}


def _worded(problem: str) -> str:
    """What msgspec says, in the words of a reader of YAML."""
    problem = problem.replace(" | ", "` or `")
    for said, word in _IN_WORDS.items():
        problem = problem.replace(said, word)
    return problem[:1].lower() + problem[1:]
