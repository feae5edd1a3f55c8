"""The three kinds of plug-ins, and what a class must have to be one.

Holds: a class in which nothing is lacking here can be called as its contract says (core/contracts.py).
Never: makes a plug-in, or calls one.
"""

import inspect
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, Final, get_args

import msgspec

from shardgate.core.contracts import Dialect, Locator, Merger
from shardgate.core.dialect import AnyCursor, AnyDialect
from shardgate.core.locate import AnyLocator
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.chosen import Chosen
from shardgate.core.merge.combining import Combining
from shardgate.core.paging.parameters import Parameters
from shardgate.core.routes.mistakes import Mistake


class PluginKind(msgspec.Struct, frozen=True):
    """Merge, locator or dialect."""

    noun: str
    group: str
    """The group of entry points."""
    contract: type
    methods: tuple[str, ...]
    built_in: tuple[str, ...]
    """The words that `kind` can be without a plug-in."""
    instead: Mapping[str, Any]
    """What stands in for a plug-in with a mistake, so that the rest can be checked."""


def _tags(union: Any) -> tuple[str, ...]:
    return tuple(str(each.__struct_config__.tag) for each in get_args(union))


MERGE: Final = PluginKind(
    "merge",
    "shardgate.merges",
    Merger,
    ("begin", "describe"),
    (*_tags(AnyMerger), str(Chosen.__struct_config__.tag)),
    {"kind": "custom", "named": "", "plugin": None, "summary": ""},
)
LOCATOR: Final = PluginKind(
    "locator",
    "shardgate.locators",
    Locator,
    ("locate",),
    _tags(AnyLocator),
    {"kind": "custom", "named": "", "plugin": None},
)
DIALECT: Final = PluginKind(
    "dialect",
    "shardgate.dialects",
    Dialect,
    ("read", "problem", "unpaged", "cover", "ask", "open", "refused", "close"),
    _tags(AnyDialect),
    {"kind": "offset"},
)


def lacking(class_: type, named: str, kind: PluginKind, place: str) -> Mistake | None:
    """What a class lacks to be a plug-in of this kind; None: nothing."""
    return _wrong_base(class_, named, kind, place) or _wrong_methods(class_, named, kind, place)


def _wrong_base(class_: type, named: str, kind: PluginKind, place: str) -> Mistake | None:
    if not (issubclass(class_, msgspec.Struct) or is_dataclass(class_)):
        return Mistake(place, f"{named} is no msgspec.Struct", "make it a frozen one: its fields are its options")
    if kind is DIALECT and issubclass(class_, AnyCursor):
        cure = "take `kind: cursor` or `kind: id_cursor`, or derive the class from Parameters"
        return Mistake(place, f"{named} pages by cursors, and a plug-in cannot", cure)
    if kind is DIALECT and not issubclass(class_, Parameters):
        return Mistake(place, f"{named} is no dialect", "derive it from shardgate.extend.Parameters")
    return None


def _wrong_methods(class_: type, named: str, kind: PluginKind, place: str) -> Mistake | None:
    contract, methods = kind.contract, kind.methods
    if kind is MERGE and issubclass(class_, Combining) and class_.begin is Combining.begin:
        contract, methods = Combining, ("combine", "describe")
    missing = [method for method in methods if _is_missing(class_, method)]
    if missing:
        cure = f"define {' and '.join(_heading(contract, method) for method in missing)}"
        return Mistake(place, f"{named} is no {kind.noun}: it has no {' and no '.join(missing)}", cure)
    for method in methods:
        function = inspect.getattr_static(class_, method)
        cure = f"define {_heading(contract, method)}"
        if inspect.iscoroutinefunction(function):
            return Mistake(place, f"{named}: {method} is async, and a plug-in never waits", cure)
        if inspect.isfunction(function) and not _takes(function, _parameters(contract, method)):
            return Mistake(place, f"{named}: {method} has other parameters than it is called with", cure)
    return None


def _is_missing(class_: type, method: str) -> bool:
    found = getattr(class_, method, None)
    return not callable(found) or found is getattr(Combining, method, None)


def _parameters(contract: type, method: str) -> list[str]:
    return list(inspect.signature(getattr(contract, method)).parameters)


def _heading(contract: type, method: str) -> str:
    return f"`{method}({', '.join(_parameters(contract, method))})`"


def _takes(function: Any, parameters: list[str]) -> bool:
    try:
        inspect.signature(function).bind(*parameters)
    except TypeError:
        return False
    return True
