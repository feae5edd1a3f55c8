"""What msgspec says is wrong, taken apart: the problem, the place, and the types that may be there.

msgspec says `Expected `int`, got `str` - at `$.limits[...].a[0]``, where `[...]` is any entry of a mapping.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import inspect

from shardgate.core.rulebook.shape import Step, Steps, type_of, types_at, value_at

_PLACE = re.compile(r"(.*) - at `(key` in `)?\$(.*)`", re.DOTALL)
_STEP = re.compile(r"\[(\.\.\.|\d+)\]|\.([^.\[]+)")
_ANY: Final = object()
"""msgspec does not say which entry of a mapping it means."""


class Fault(msgspec.Struct):
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
        value = self.value if instead is ... else replaced(self.value, steps, instead)
        return types_at(self.whole, value, steps)


def read_fault(text: str, value: Any, kind: Any) -> Fault:
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
    return Fault(problem, steps, type_of(kind), value)


def _pinned(value: Any, kind: Any, steps: list[Any], text: str) -> list[Any]:
    """Which entry of a mapping is at fault: the one that alone gives the same error."""
    position = steps.index(_ANY)
    entries = value_at(value, steps[:position])
    for name, entry in entries.items():
        alone = replaced(value, steps[:position], {name: entry})
        try:
            msgspec.convert(alone, kind)
        except msgspec.ValidationError as error:
            if str(error) == text:
                return [*steps[:position], name, *steps[position + 1 :]]
    return steps[:position]


def written(steps: Steps) -> str:
    """A place as people write it: `.limits.a[0]`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def changed(value: Any, steps: Steps, change: Callable[[Any], Any]) -> Any:
    """A copy of the value, changed at a place."""
    if not steps:
        return change(value)
    step, *rest = steps
    if isinstance(value, dict):
        return {name: changed(entry, rest, change) if name == step else entry for name, entry in value.items()}
    return [changed(entry, rest, change) if number == step else entry for number, entry in enumerate(value)]


def replaced(value: Any, steps: Steps, instead: Any) -> Any:
    """A copy of the value, with something else at a place."""
    return changed(value, steps, lambda _: instead)


_IN_WORDS: Final = {
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "true or false",
    "`null`": "nothing",
    "`array`": "a list",
    "`object`": "a mapping",
}


def worded(problem: str) -> str:
    """What msgspec says, in the words of a reader of YAML."""
    problem = problem.replace(" | ", "` or `")
    for said, word in _IN_WORDS.items():
        problem = problem.replace(said, word)
    return problem[:1].lower() + problem[1:]
