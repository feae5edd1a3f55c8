"""The application's OpenAPI document → Rulebook: its operations, and the rules that it states.

`x-shardgate` on an operation is its rule, written by the team that adds the endpoint. At the document's root it may
hold `locators` and `dialects` by name.
"""

from typing import Any

import msgspec

from shardgate.core.cursors.seal import Seal
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.template import METHODS
from shardgate.core.rulebook.convert import convert_all

IN_DOCUMENT = "openapi: "
"""Begins the path of a mistake that stands in the application's document."""

Plain = dict[str, Any]
"""A mapping as YAML or JSON gives it."""


class Rulebook(msgspec.Struct):
    """What rules are made from, as it was written: operations from the document, the rest from document and overlay."""

    operations: dict[str, str]
    """`GET /v3/events` → operationId."""
    rules: dict[str, Any]
    places: dict[str, str]
    """`GET /v3/events`, `locators.event`, `dialects.mine` → where it is written."""
    locators: Plain
    dialects: Plain
    unserved: dict[str, str]
    seal: Seal | None = None
    """The secret of dialects that sign their cursors."""


class _Root(msgspec.Struct, forbid_unknown_fields=True):
    locators: Plain = {}
    dialects: Plain = {}


def read_document(document: Plain, mistakes: list[Mistake]) -> Rulebook:
    """The operations of an OpenAPI document, with their rules."""
    root = convert_all(document.get("x-shardgate", {}), _Root, f"{IN_DOCUMENT}x-shardgate", mistakes) or _Root()
    paths = convert_all(document.get("paths", {}), dict[str, dict[str, Any]], f"{IN_DOCUMENT}paths", mistakes)
    book = Rulebook({}, {}, {}, dict(root.locators), dict(root.dialects), {})
    for section, names in (("locators", root.locators), ("dialects", root.dialects)):
        book.places |= {f"{section}.{name}": f"{IN_DOCUMENT}x-shardgate.{section}.{name}" for name in names}
    for path, item in (paths or {}).items():
        for method in METHODS:
            if not isinstance(operation := item.get(method.lower()), dict):
                continue
            name = f"{method} {path}"
            book.operations[name] = operation.get("operationId", name)
            if "x-shardgate" in operation:
                book.rules[name] = operation["x-shardgate"]
                book.places[name] = f"{IN_DOCUMENT}paths.{path}.{method.lower()}.x-shardgate"
    return book
