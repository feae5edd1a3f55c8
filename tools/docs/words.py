"""Types and default values of the configuration, as a reader of YAML knows them."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect

Link = Callable[[frozenset[type[Any]]], str]
"""The words for a struct, or for one of several structs, with a link to their table."""

_PLAIN: dict[type[inspect.Type], str] = {
    inspect.AnyType: "anything",
    inspect.CustomType: "anything",
    inspect.BoolType: "`true` or `false`",
    inspect.NoneType: "`null`",
    inspect.StrType: "text",
}
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_UNITS = ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_TIMES = ((86_400, "day"), (3600, "hour"), (60, "minute"))


def type_words(kind: inspect.Type, link: Link, *, optional: bool = False) -> str:
    """A type in words. `optional`: `null` is the default, which says no more than that the field may be left out."""
    if isinstance(kind, inspect.UnionType):
        return _union(kind, link, optional=optional)
    if isinstance(kind, inspect.StructType):
        return link(frozenset({kind.cls}))
    if isinstance(kind, _LISTS):
        return f"list of {_several(type_words(kind.item_type, link))}"
    if isinstance(kind, inspect.DictType):
        return f"mapping of {type_words(kind.key_type, link)} to {type_words(kind.value_type, link)}"
    return _plain(kind)


def default_words(field: msgspec.structs.FieldInfo) -> str:
    """The default as YAML writes it, with its unit where the name has one."""
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if value is msgspec.NODEFAULT:
        return "**required**"
    if value is None or value is msgspec.UNSET:
        return ""
    return f"`{yaml_words(value)}`{_readable(field.encode_name, value)}"


def yaml_words(value: Any) -> str:
    """A value as YAML writes it on one line."""
    plain = msgspec.to_builtins(value)
    if isinstance(value, msgspec.Struct) and value.__struct_config__.tag is None:
        return "{}"
    if isinstance(plain, dict):
        return "{" + ", ".join(f"{name}: {yaml_words(each)}" for name, each in plain.items()) + "}"
    if isinstance(plain, list | tuple):
        return "[" + ", ".join(map(yaml_words, plain)) + "]"
    if isinstance(plain, str):
        return plain or '""'
    if isinstance(plain, float) and plain.is_integer():
        return str(int(plain))
    return {True: "true", False: "false", None: "null"}.get(plain, str(plain)) if _is_word(plain) else str(plain)


def either(words: list[str]) -> str:
    """One of several, in words."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _several(words: str) -> str:
    return re.sub(r"^(whole number|number|text)\b", r"\1s", words)


def _plain(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.LiteralType):
        return either([f"`{value}`" for value in kind.values])
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return _number(kind)
    return _PLAIN[type(kind)]


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _union(kind: inspect.UnionType, link: Link, *, optional: bool) -> str:
    structs = frozenset(each.cls for each in kind.types if isinstance(each, inspect.StructType))
    others = [each for each in kind.types if not isinstance(each, inspect.StructType)]
    if optional:
        others = [each for each in others if not isinstance(each, inspect.NoneType)]
    words = [type_words(each, link) for each in others]
    if structs:
        words.append(link(structs))
    return either(words)


def _number(kind: inspect.IntType | inspect.FloatType) -> str:
    word = "whole number" if isinstance(kind, inspect.IntType) else "number"
    least = kind.ge if kind.ge is not None else kind.gt
    most = kind.le if kind.le is not None else kind.lt
    if least is None:
        return word
    above = f"greater than {least:g}" if kind.ge is None else f"at least {least:g}"
    if most is None or most > 10**12:
        return f"{word}, {above}"
    if kind.ge is None:
        return f"{word}, {above}, at most {most:,g}"
    return f"{word}, {least:,g} to {most:,g}"


def _readable(name: str, value: object) -> str:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return ""
    if "bytes" in name:
        size, unit = next(((size, unit) for size, unit in _UNITS if value >= size), (1, "bytes"))
        return f" ({value // size:g} {unit})" if size > 1 else ""
    if name.endswith("_s"):
        size, unit = next(((size, unit) for size, unit in _TIMES if value >= size and value % size == 0), (1, ""))
        count = int(value // size)
        return f" ({count} {unit}{'s' if count > 1 else ''})" if unit and value > 60 else ""
    return ""
