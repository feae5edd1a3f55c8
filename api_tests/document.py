"""The OpenAPI document as the tests need it: its operations, their addresses, and what each reply must look like.

Never: does IO; whoever calls reads the file.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

METHODS = ("get", "put", "post", "patch", "delete")
_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    id: str
    method: str
    """In capitals."""
    path: str
    """With holes: `/v3/events/{event_id}`."""
    statuses: tuple[str, ...]
    """Those documented: `200`, `404`, `default`."""
    scopes: tuple[frozenset[str], ...]
    """Alternatives, of which a token must have one; none where no token is needed."""
    parameters: frozenset[str]
    """Names of query parameters."""
    has_body: bool

    @property
    def holes(self) -> tuple[str, ...]:
        """The names in its path."""
        return tuple(_HOLE.findall(self.path))

    def address(self, values: Mapping[str, str]) -> str:
        """The path with its holes filled. Raises KeyError where a value is missing."""
        return _HOLE.sub(lambda hole: quote(values[hole[1]], safe=""), self.path)

    def documents(self, status: int) -> bool:
        """Whether this status is named."""
        return str(status) in self.statuses


class Document:
    """A document of OpenAPI 3.1, whose schemas are JSON Schema 2020-12."""

    def __init__(self, text: Mapping[str, Any]) -> None:
        self._text = text
        self.operations = {each.id: each for each in _operations(text)}
        self._whole = _registry(text)
        self._partial = _registry(_without_required(text))

    def select(
        self, status: int | str, *, below: str = "/", scoped: bool = False, besides: Collection[str] = ()
    ) -> list[str]:
        """Ids of the operations that document a status. `scoped`: only those that need a scope."""
        return [
            each.id
            for each in self.operations.values()
            if str(status) in each.statuses and each.path.startswith(below) and each.id not in besides
            if not scoped or any(each.scopes)
        ]

    def documented(self) -> set[tuple[str, str]]:
        """Every operation with each status that it documents."""
        return {(each.id, status) for each in self.operations.values() for status in each.statuses}

    def mistakes(self, operation: Operation, status: int, body: Any, *, partial: bool = False) -> list[str]:
        """What is wrong with the body of a reply. `partial`: rows may lack properties, as the client asked.

        A body is None where there was none.
        """
        named = str(status) if operation.documents(status) else "default"
        reply = self._text["paths"][operation.path][operation.method.lower()]["responses"].get(named)
        if reply is None:
            return [f"status {status} is not documented"]
        if "content" not in reply:
            return [] if body is None else ["there is a body, and none is documented"]
        if body is None:
            return ["there is no JSON body"]
        pointer = "/".join(
            part.replace("~", "~0").replace("/", "~1")
            for part in ("paths", operation.path, operation.method.lower(), "responses", named, "content")
        )
        schema = {"$ref": f"urn:document#/{quote(pointer, safe='/~')}/application~1json/schema"}
        validator = Draft202012Validator(schema, registry=self._partial if partial else self._whole)
        return [
            f"{each.json_path}: {each.message[:300]}"
            for each in sorted(validator.iter_errors(body), key=lambda e: e.path)
        ]


def _operations(text: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in text["paths"].items():
        for method in METHODS:
            if (found := methods.get(method)) is None:
                continue
            parameters: Sequence[Mapping[str, Any]] = found.get("parameters", ())
            yield Operation(
                id=found["operationId"],
                method=method.upper(),
                path=path,
                statuses=tuple(found["responses"]),
                scopes=tuple(frozenset(scopes) for each in found.get("security", ()) for scopes in each.values()),
                parameters=frozenset(each["name"] for each in parameters if each["in"] == "query"),
                has_body="requestBody" in found,
            )


def _registry(text: Mapping[str, Any]) -> Registry[Any]:
    registry: Registry[Any] = Registry()
    found: Registry[Any] = registry.with_resource("urn:document", DRAFT202012.create_resource(text))
    return found


def _without_required(value: Any) -> Any:
    """The same document, in which no property of a body must be there."""
    if isinstance(value, dict):
        return {
            name: _without_required(each)
            for name, each in value.items()
            if not (name == "required" and isinstance(each, list))
        }
    return [_without_required(each) for each in value] if isinstance(value, list) else value
