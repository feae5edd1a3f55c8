"""`$ref` in an OpenAPI document: to a place in the same file, or in another file beside it (RFC 6901, RFC 3986).

Holds: a reference leads to a file in the document's folder or below it, or it is a mistake with its place.
Never: fetches anything. A URL is a mistake, whatever it names.
"""

import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from shardgate.core.routes.mistakes import Mistake

IN_DOCUMENT: Final = "openapi: "
"""Begins the path of a mistake that stands in the application's document. A file's name and a NUL may follow."""
Plain = dict[str, Any]
"""A mapping as YAML or JSON gives it."""
ReadFile = Callable[[str], tuple[Any, list[Mistake]]]
"""The data of a file, by its name as seen from the document's folder; and what is wrong with it."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class DocumentPlace(msgspec.Struct, frozen=True):
    """A place in the document, or in a file that it refers to."""

    file: str
    """As seen from the document's folder; empty: the document itself."""
    steps: tuple[str, ...]

    def at(self, *steps: str) -> "DocumentPlace":
        """A place below this one."""
        return DocumentPlace(self.file, (*self.steps, *steps))

    def __str__(self) -> str:
        """The path of a mistake that stands there."""
        return f"{IN_DOCUMENT}{self.file}{chr(0) if self.file else ''}{'.'.join(self.steps)}"


class Found(msgspec.Struct, frozen=True):
    """A mapping that was found, and where each of its members stands."""

    value: Any
    places: dict[str, DocumentPlace]
    """Of the members that stand elsewhere than the mapping itself."""
    place: DocumentPlace

    def place_of(self, member: str) -> DocumentPlace:
        """Where a member stands."""
        return self.places.get(member, self.place).at(member)


class References:
    """Follows the references of one document."""

    __slots__ = ("_files", "_mistakes", "_read")

    def __init__(self, document: Plain, read: ReadFile | None, mistakes: list[Mistake]) -> None:
        """`read`: reads the other files; None: there are none."""
        self._files: dict[str, Any] = {"": document}
        self._read = read
        self._mistakes = mistakes

    def follow(self, value: Any, place: DocumentPlace) -> Found | None:
        """What stands at a place, references followed; None where one leads nowhere.

        A mapping with a reference and other members has both; its own members count (OpenAPI 3.1 section 4.8.9.1).
        """
        own: Plain = {}
        places: dict[str, DocumentPlace] = {}
        seen: set[DocumentPlace] = set()
        while isinstance(value, dict) and "$ref" in value:
            for name in value:
                if name != "$ref" and name not in own:
                    own[name], places[name] = value[name], place
            at, reference = place.at("$ref"), value["$ref"]
            target = self._target(reference, place.file, at)
            if target is None or target in seen:
                if target is not None:
                    self._wrong(at, f"{reference!r} leads back to itself", "write the operations out at one place")
                return None
            seen.add(target)
            found = self._value(target, at, reference)
            if found is None:
                return None
            value, place = found, target
        if own and isinstance(value, dict):
            value = {**value, **own}
        return Found(value, places, place)

    def _target(self, reference: object, file: str, at: DocumentPlace) -> DocumentPlace | None:
        if not isinstance(reference, str):
            self._wrong(
                at, "it is no reference", "write it as `./paths.yaml#/events` or `#/components/pathItems/events`"
            )
            return None
        name, _, pointer = reference.partition("#")
        if _SCHEME.match(name) or name.startswith("//"):
            problem = f"{reference!r} is a URL, and nothing is fetched"
            self._wrong(at, problem, "save the file beside the document, and write its name")
            return None
        wanted = file if not name else _joined(file, unquote(name))
        if wanted is None:
            cure = "move the file into the document's folder, or name the document that has both below it"
            self._wrong(at, f"{reference!r} is outside of the document's folder", cure)
            return None
        if pointer and not pointer.startswith("/"):
            self._wrong(
                at, f"{reference!r} is no place in a document", "write what follows the `#` as `/paths/~1events`"
            )
            return None
        steps = [step.replace("~1", "/").replace("~0", "~") for step in unquote(pointer).split("/")[1:]]
        return DocumentPlace(wanted, tuple(steps))

    def _value(self, target: DocumentPlace, at: DocumentPlace, reference: str) -> Any:
        """What stands at the target; None, and a mistake, where nothing does."""
        if target.file not in self._files:
            data, wrong = (None, []) if self._read is None else self._read(target.file)
            for mistake in wrong:
                self._wrong(at, f"{mistake.path}: {mistake.problem}", mistake.cure)
            self._files[target.file] = None if wrong else data
        value = self._files[target.file]
        if value is None:
            return None
        for step in target.steps:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                value = None
        if value is None:
            self._wrong(at, f"{reference!r} leads to nothing", "correct it, or write the operations out here")
        return value

    def _wrong(self, at: DocumentPlace, problem: str, cure: str) -> None:
        self._mistakes.append(Mistake(str(at), problem, cure))


def _joined(file: str, name: str) -> str | None:
    """The name of a file beside another one; None where it is outside of the document's folder."""
    if name.startswith("/") or "\\" in name or "\0" in name:
        return None
    steps = file.split("/")[:-1]
    for step in name.split("/"):
        if step == ".." and not steps:
            return None
        if step == "..":
            steps.pop()
        elif step not in {"", "."}:
            steps.append(step)
    return "/".join(steps)
