"""The application's OpenAPI document → Rulebook: its operations, and the rules that it states.

`x-shardgate` on an operation is its rule, written by the team that adds the endpoint. At the document's root it may
hold `locators` and `dialects` by name. Swagger 2.0 and OpenAPI 3.0, 3.1 and 3.2 are read.

Holds: an operation has the path that clients ask for, with the path of the document's server before it.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from shardgate.core.cursors.seal import Seal
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.template import METHODS, canonical
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.references import DocumentPlace, Found, Plain, ReadFile, References
from shardgate.core.rulebook.servers import base_of_document, base_of_servers


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
    unbased: dict[str, str] = {}
    """`GET /v3/events` → `GET /events`, as the document has it below the path of its server."""


class _Root(msgspec.Struct, forbid_unknown_fields=True):
    locators: Plain = {}
    dialects: Plain = {}


def read_document(
    document: Plain, mistakes: list[Mistake], read: ReadFile | None = None, base: str | None = None
) -> Rulebook:
    """The operations of an OpenAPI document, with their rules.

    `read`: reads the files that it refers to. `base`: the path before all paths; None: the servers say it.
    """
    top = DocumentPlace("", ())
    place = str(top.at("x-shardgate"))
    root = convert_all(document.get("x-shardgate", {}), _Root, place, mistakes) or _Root()
    book = Rulebook({}, {}, {}, dict(root.locators), dict(root.dialects), {})
    for section, names in (("locators", root.locators), ("dialects", root.dialects)):
        book.places |= {f"{section}.{name}": str(top.at("x-shardgate", section, name)) for name in names}
    reader = _Reader(book, References(document, read, mistakes), base, mistakes)
    paths = reader.mapping(document.get("paths"), top.at("paths"))
    if paths is not None:
        general = base_of_document(document, top, mistakes) if base is None and paths.value else base
        for path in paths.value:
            if not path.startswith("x-"):
                reader.read(path, paths, general or "")
    return book


class _Reader(msgspec.Struct, frozen=True):
    """Reads the paths of one document."""

    book: Rulebook
    references: References
    base: str | None
    mistakes: list[Mistake]

    def mapping(self, value: Any, place: DocumentPlace) -> Found | None:
        """The mapping at a place; None where there is none. What is empty is an empty mapping."""
        found = self.references.follow({} if value is None else value, place)
        if found is None:
            return None
        inside: Plain | None = convert_all(found.value, Plain, str(found.place), self.mistakes)
        return None if inside is None else msgspec.structs.replace(found, value=inside)

    def read(self, path: str, paths: Found, base: str) -> None:
        """Take in the operations of one path."""
        place = paths.place_of(path)
        if not path.startswith("/"):
            self.mistakes.append(Mistake(str(place), f"{path!r} is no path", "begin it with `/`, or with `x-`"))
            return
        item = self.mapping(paths.value[path], place)
        if item is None:
            return
        for name in item.value:
            if name.upper() in METHODS and not name.islower():
                cure = f"write it in small letters: `{name.lower()}`"
                self.mistakes.append(Mistake(str(item.place_of(name)), f"{name!r} is no method of a document", cure))
        for method in METHODS:
            if method.lower() not in item.value:
                continue
            operation = self.mapping(item.value[method.lower()], item.place_of(method.lower()))
            if operation is not None:
                self._add(method, path, item, operation, self._base(item, operation, base))
        for method, value, where in self._others(item):
            operation = self.mapping(value, where)
            if operation is not None:
                self._add(method, path, item, operation, self._base(item, operation, base))

    def _others(self, item: Found) -> Iterator[tuple[str, Any, DocumentPlace]]:
        """Operations of methods that no rule can name (OpenAPI 3.2 section 4.9): a rule for any method serves them."""
        if "query" in item.value:
            yield "QUERY", item.value["query"], item.place_of("query")
        if "additionalOperations" in item.value:
            more = self.mapping(item.value["additionalOperations"], item.place_of("additionalOperations"))
            if more is not None:
                yield from ((method, value, more.place_of(method)) for method, value in more.value.items())

    def _base(self, item: Found, operation: Found, base: str) -> str:
        """Servers of an operation count before those of its path, and those before the document's."""
        for each in (operation, item) if self.base is None else ():
            found = base_of_servers(each.value.get("servers"), each.place_of("servers"), self.mistakes)
            if found is not None:
                return found
        return base

    def _add(self, method: str, path: str, item: Found, operation: Found, base: str) -> None:
        short = f"{method} {canonical(path, self._is_subtree(path, item, operation))}"
        name = short.replace(" ", f" {base}", 1)
        if name in self.book.operations:
            problem, cure = f"it is the same operation as another one, {name}", "remove one of the two"
            self.mistakes.append(Mistake(str(item.place_of(method.lower())), problem, cure))
            return
        given = operation.value.get("operationId")
        self.book.operations[name] = given if isinstance(given, str) and given else name
        if base:
            self.book.unbased[name] = short
        if "x-shardgate" in operation.value:
            self.book.rules[name] = operation.value["x-shardgate"]
            self.book.places[name] = str(operation.place_of("x-shardgate"))

    def _is_subtree(self, path: str, item: Found, operation: Found) -> bool:
        """Whether the last variable is declared to match several segments: `format: path`."""
        last = path.rpartition("/")[2]
        for node in (operation, item) if last.startswith("{") else ():
            given = node.value.get("parameters")
            for number, parameter in enumerate(given if isinstance(given, list) else []):
                said = parameter
                if isinstance(parameter, dict) and "$ref" in parameter:
                    found = self.references.follow(parameter, node.place_of("parameters").at(f"[{number}]"))
                    said = None if found is None else found.value
                if not isinstance(said, dict) or said.get("in") != "path" or f"{{{said.get('name')}}}" != last:
                    continue
                schema = said.get("schema", said)
                return isinstance(schema, dict) and schema.get("format") == "path"
        return False
