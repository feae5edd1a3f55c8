"""The docstrings of a struct's fields.

Python keeps the docstring of a class, not that of a field (the string below it): they are read from the source.

Holds: a class is found by import, so that a module may move.
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any


def field_docstring(struct: type[Any], name: str) -> str:
    """The docstring of a field, on one line; of the nearest base class that has one. Empty where there is none."""
    for cls in struct.__mro__:
        text = _of_class(cls).get(name)
        if text:
            return " ".join(text.split())
    return ""


def own_fields(struct: type[Any], beyond: type[Any] | None = None) -> set[str]:
    """The fields that the struct and its bases declare, up to the base `beyond`, whose own are left out."""
    names: set[str] = set()
    for cls in struct.__mro__:
        if cls is beyond:
            break
        names |= set(vars(cls).get("__annotations__", {}))
    return names


@cache
def _of_class(cls: type[Any]) -> dict[str, str]:
    """Field → docstring, as the class's own body has them."""
    source = inspect.getsourcefile(cls) if cls.__module__ != "builtins" else None
    if source is None or not source.endswith(".py"):
        return {}
    body = next((node.body for node in _classes(source) if node.name == cls.__name__), [])
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            value = text.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[field.target.id] = value.value
    return found


@cache
def _classes(source: str) -> list[ast.ClassDef]:
    return [node for node in ast.parse(Path(source).read_text()).body if isinstance(node, ast.ClassDef)]
