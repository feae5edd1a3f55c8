"""What a configuration may have at a place: fields, words, kinds. Read off the structs, never repeated by hand.

A place is a list of steps: the name of a field or of an entry, or the index of an item.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from msgspec import inspect

Step = str | int
Steps = Sequence[Step]


@lru_cache(maxsize=16)
def type_of(kind: Any) -> inspect.Type:
    """The type of a whole value."""
    return inspect.type_info(kind)


def types_at(whole: inspect.Type, value: Any, steps: Steps) -> list[inspect.Type]:
    """The types that the value at a place may have; of tagged structs only the one that the value names."""
    found = [*_alternatives(whole, value)]
    for step in steps:
        value = _step(value, step)
        found = [each for before in found for inner in _inner(before, step) for each in _alternatives(inner, value)]
    return found


def value_at(value: Any, steps: Steps) -> Any:
    """What stands at a place; None: nothing does."""
    for step in steps:
        value = _step(value, step)
    return value


def at(struct: Any, steps: Steps) -> Any:
    """What stands at a place of a struct that was read."""
    for step in steps:
        struct = struct[step] if isinstance(step, int) else getattr(struct, step)
    return struct


def fields_of(types: Sequence[inspect.Type]) -> dict[str, inspect.Field]:
    """The fields of the structs among the types, by name."""
    return {field.encode_name: field for kind in types if isinstance(kind, _STRUCTS) for field in kind.fields}


def tags_of(types: Sequence[inspect.Type]) -> dict[str, list[str]]:
    """The tagged structs among the types: the field with the tag → the tags."""
    found: dict[str, list[str]] = {}
    for kind in types:
        if isinstance(kind, inspect.StructType) and kind.tag_field is not None:
            found.setdefault(kind.tag_field, []).append(str(kind.tag))
    return found


def words_of(types: Sequence[inspect.Type]) -> list[str]:
    """The words that a value may be."""
    return [str(word) for kind in types if isinstance(kind, inspect.LiteralType) for word in kind.values]


def example_of(types: Sequence[inspect.Type], text: str) -> Any:
    """A value of the first type that one can be made of, every text in it being the one that is given.

    Raises ValueError where none can be made.
    """
    for kind in types:
        try:
            return _example(kind, text)
        except ValueError:
            continue
    raise ValueError("there is no value of this type")


_STRUCTS = (inspect.StructType, inspect.DataclassType)
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)


def _flat(kind: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(kind, inspect.Metadata):
        yield from _flat(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from _flat(each)
    else:
        yield kind


def _alternatives(kind: inspect.Type, value: Any) -> Iterator[inspect.Type]:
    """The types of a union that the value may be of."""
    for each in _flat(kind):
        tagged = isinstance(each, inspect.StructType) and each.tag_field is not None and isinstance(value, dict)
        if not tagged or value.get(each.tag_field, each.tag) == each.tag:  # type: ignore[attr-defined]
            yield each


def _inner(kind: inspect.Type, step: Step) -> Iterator[inspect.Type]:
    if isinstance(step, int):
        if isinstance(kind, _LISTS):
            yield kind.item_type
    elif isinstance(kind, inspect.DictType):
        yield kind.value_type
    elif isinstance(kind, _STRUCTS):
        yield from (field.type for field in kind.fields if field.encode_name == step)


def _step(value: Any, step: Step) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list | tuple) and step < len(value) else None
    return value.get(step) if isinstance(value, dict) else None


def _example(kind: inspect.Type, text: str) -> Any:
    made: Any
    match kind:
        case inspect.Metadata() | inspect.UnionType():
            made = example_of([*_flat(kind)], text)
        case inspect.LiteralType():
            made = kind.values[0]
        case inspect.DictType():
            made = {}
        case inspect.ListType() | inspect.VarTupleType():
            made = [_example(kind.item_type, text)] * (kind.min_length or 0)
        case inspect.StructType():
            made = {f.encode_name: _example(f.type, text) for f in kind.fields if f.required}
            made |= {} if kind.tag_field is None else {kind.tag_field: kind.tag}
        case inspect.IntType() | inspect.FloatType():
            made = max(kind.ge or 0, 0 if kind.gt is None else kind.gt + 1)
        case inspect.StrType(pattern=None) | inspect.AnyType():
            made = text
        case inspect.BoolType():
            made = False
        case inspect.NoneType():
            made = None
        case _:
            raise ValueError(f"no example is known of {kind}")
    return made
