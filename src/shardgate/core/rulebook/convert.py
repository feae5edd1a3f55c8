"""Plain data → typed values, with every mistake that is in it: what is wrong, where, and what to write.

msgspec stops at the first mistake. So what is wrong is repaired, as well as it can be guessed, and the rest is tried
again, until nothing is wrong.

Holds: what comes back after a mistake is only good for finding more mistakes.
"""

from typing import Any, Final

import msgspec

from shardgate.core.routes.mistakes import Mistake, near
from shardgate.core.rulebook.complaints import Complaint, changed, read_complaint, replaced, worded, written
from shardgate.core.rulebook.shape import example_of, fields_of, tags_of, value_at, words_of
from shardgate.core.rulebook.words import meant, page_of, renamed_field

ABSENT: Final = "\0"
"""Stands for a text that is missing, so that the rest can be checked: say nothing of it."""


def convert_all(value: Any, kind: Any, path: str, mistakes: list[Mistake]) -> Any:
    """Convert plain data to a typed value; each thing that is wrong in it becomes a mistake.

    Returns None where nothing can be made of it.
    """
    told: set[tuple[str, str]] = set()
    while True:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            complaint = read_complaint(str(error), value, kind)
        mistake, repaired = _judge(complaint, path)
        if (mistake.path, mistake.problem) not in told:
            mistakes.append(mistake)
        told.add((mistake.path, mistake.problem))
        if repaired is None or repaired == value:
            return None
        value = repaired


def _judge(complaint: Complaint, path: str) -> tuple[Mistake, Any]:
    """The mistake, and the value without it; None where there is none."""
    problem = complaint.problem
    place = path + written(complaint.steps)
    if "unknown field" in problem:
        return _unknown_field(complaint, place)
    if "missing required field" in problem:
        return _missing_field(complaint, place)
    if problem.startswith("Invalid name"):
        cure = "put the name in quotes"
        return Mistake(place.lstrip("."), worded(problem), cure), changed(complaint.value, complaint.steps, _named)
    if problem.startswith(("Invalid enum value", "Invalid value")):
        return _unknown_word(complaint, place)
    place = place.lstrip(".")
    cure = f"write it as {page_of(place)} says"
    return Mistake(place, worded(problem), cure), _without(complaint)


def _unknown_field(complaint: Complaint, place: str) -> tuple[Mistake, Any]:
    field, there = complaint.field, value_at(complaint.value, complaint.steps)
    types = complaint.types(complaint.steps)
    fields = [*fields_of(types), *(tag for tag in tags_of(types))]
    new = renamed_field(field, fields)
    wanted = new or near(field, [name for name in fields if name not in there])
    if new is not None:
        cure = f"write `{new}`: {field!r} is its old name"
    elif wanted is not None:
        cure = f"did you mean `{wanted}`?"
    else:
        cure = f"remove it; there are: {', '.join(fields)}" if fields else "remove it: nothing can be written here"

    def repaired(entries: dict[str, Any]) -> dict[str, Any]:
        rest = {name: entry for name, entry in entries.items() if name != field}
        # A name with a backtick is cut short in the complaint: then there is no such entry.
        return rest if wanted is None or wanted in rest or field not in entries else {**rest, wanted: entries[field]}

    mistake = Mistake(f"{place}.{field}".lstrip("."), f"unknown field `{field}`", cure)
    return mistake, changed(complaint.value, complaint.steps, repaired)


def _missing_field(complaint: Complaint, place: str) -> tuple[Mistake, Any]:
    field, place = complaint.field, place.lstrip(".")
    types = complaint.types(complaint.steps)
    problem = f"it lacks the field `{field}`"
    if (tags := tags_of(types).get(field)) is not None:
        cure = f"add it: `{field}:` and one of {', '.join(tags)}"
        return Mistake(place, problem, cure), _without(complaint)
    known = fields_of(types).get(field)
    repaired = None
    if known is not None:
        added = {field: example_of([known.type], ABSENT)}
        repaired = changed(complaint.value, complaint.steps, lambda entries: {**entries, **added})
    return Mistake(place, problem, f"add it; {page_of(f'{place}.{field}')} says what it means"), repaired


def _unknown_word(complaint: Complaint, place: str) -> tuple[Mistake, Any]:
    *outer, last = complaint.steps or [""]
    word = value_at(complaint.value, complaint.steps)
    words = words_of(complaint.types(complaint.steps))
    tags = [] if words else tags_of(complaint.types(outer, {})).get(str(last), [])
    field = next((step for step in reversed(complaint.steps) if isinstance(step, str)), "")
    wanted, cure = meant(field, word, words or tags)
    mistake = Mistake(place.lstrip("."), f"unknown word {word!r}", cure)
    if wanted is not None:
        return mistake, replaced(complaint.value, complaint.steps, wanted)
    if words:
        return mistake, _without(complaint)
    return mistake, _without(msgspec.structs.replace(complaint, steps=outer))


def _without(complaint: Complaint) -> Any:
    """The value without the part at fault: removed, or, where something must be there, an example instead."""
    if not complaint.steps:
        return None
    *outer, last = complaint.steps
    types = complaint.types(outer)
    field = fields_of(types).get(str(last))
    if isinstance(last, str) and (field is None or not field.required):
        return changed(complaint.value, outer, lambda entries: {n: e for n, e in entries.items() if n != last})
    try:
        example = example_of(complaint.types(complaint.steps, None), ABSENT)
    except ValueError:
        return None
    return replaced(complaint.value, complaint.steps, example)


def _named(entries: dict[Any, Any]) -> dict[str, Any]:
    return {name: entry for name, entry in entries.items() if isinstance(name, str)}
