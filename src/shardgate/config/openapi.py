"""Reads the application's OpenAPI document, and the files that it refers to; and says where in them something stands.

JSON is read as JSON: a large one takes YAML's reader seconds. Only that reader knows lines, and only a mistake is worth
its seconds.

Holds: nothing outside of the document's folder is read, also where a link leads there.
Never: fetches anything.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from shardgate.config.places import Document, parse_document, read_text
from shardgate.core.routes.mistakes import Mistake


class Application:
    """One document with the files beside it."""

    __slots__ = ("_file", "_folder", "_lined")

    def __init__(self, file: Path) -> None:
        self._file = file
        self._folder = file.parent
        self._lined: dict[str, Document] = {}

    def root(self) -> tuple[dict[str, Any], list[Mistake]]:
        """The document itself; what is wrong with it is told of `openapi`."""
        data, mistakes = self._data(self._file)
        if isinstance(data, dict):
            return data, mistakes
        return {}, mistakes or [Mistake("openapi", f"{self._file} is not a mapping", "name an OpenAPI document")]

    def read(self, name: str) -> tuple[Any, list[Mistake]]:
        """The data of a file that the document refers to, by its name as seen from the document's folder."""
        file = self._folder / name
        if not file.resolve().is_relative_to(self._folder.resolve()):
            cure = "copy the file into the document's folder"
            return None, [Mistake(str(file), "a link leads outside of the document's folder", cure)]
        data, mistakes = self._data(file)
        return data, [
            msgspec.structs.replace(each, path=str(file), problem=each.problem.removeprefix(f"{file} "))
            for each in mistakes
        ]

    def line(self, at: str) -> int:
        """The line of a place: a path, with a file and a NUL before it where it is not in the document itself."""
        name, path = _parted(at)
        return self._with_lines(name).line(path)

    def place(self, at: str) -> str:
        """The file, the line and the path of a place."""
        name, path = _parted(at)
        return self._with_lines(name).place(path)

    def _with_lines(self, name: str) -> Document:
        if name not in self._lined:
            file = self._folder / name if name else self._file
            text, _ = _text(file)
            # JSON may be indented by tabs, which YAML refuses; inside of a text JSON has none.
            plain = text.replace("\t", " ") if text.lstrip().startswith("{") else text
            self._lined[name] = parse_document(plain, file)[0]
        return self._lined[name]

    def _data(self, file: Path) -> tuple[Any, list[Mistake]]:
        text, mistakes = _text(file)
        if mistakes:
            return None, [Mistake("openapi", f"{m.path}: {m.problem}", m.cure) for m in mistakes]
        is_json = file.suffix == ".json"
        if is_json or text.lstrip().startswith("{"):
            try:
                data = msgspec.json.decode(text)
                if not _has_twins(text):
                    return data, []
            except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
                if is_json:
                    problem = f"{file} is not a JSON object: {error}"
                    return None, [Mistake("openapi", problem, "write the document again")]
            text = text.replace("\t", " ")
        document, mistakes = parse_document(text, file)
        return document.data, [Mistake("openapi", f"{m.path}: {m.problem}", m.cure) for m in mistakes]


def written_in(at: str, document: str) -> str:
    """The file and the path of a place, without its line."""
    name, path = _parted(at)
    return f"{name or document}: {path}"


def _parted(at: str) -> tuple[str, str]:
    name, _, path = at.rpartition("\0")
    return name, path


def _text(file: Path) -> tuple[str, list[Mistake]]:
    """The text of a file, in UTF-8 or, as PowerShell writes it, in UTF-16; with or without a byte order mark."""
    return read_text(file, json.detect_encoding)


def _has_twins(text: str) -> bool:
    """Whether an object of JSON has a name twice."""
    twins = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twins
        twins = twins or len({name for name, _ in pairs}) < len(pairs)

    json.loads(text, object_pairs_hook=look)
    return twins
