"""A YAML file as plain data, with the line of every value, so that a mistake can be pointed at."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from shardgate.core.routes.mistakes import Mistake

# A document of 30 MB has as many. A few lines of aliases within aliases stand for any number.
_PLACES_MAX = 1_000_000
# A shorter value may be a part of any word of a message.
_SECRET_CHARACTERS_MIN = 6
_VARIABLE = re.compile(r"SHARDGATE_\w+")


class _TooManyPlacesError(Exception):
    """A few lines stand for more values than can be looked at."""


class Document:
    """A file that was read: its data, and where each part of it stands."""

    __slots__ = ("_lines", "_texts", "_variables", "data", "name")

    def __init__(self, name: str, data: Any, lines: dict[str, int]) -> None:
        self.name = name
        self.data = data
        self._lines = lines
        self._variables: Mapping[str, str] = {}
        self._texts: Mapping[str, str] = {}

    def overridden(self, data: Any, variables: Mapping[str, str], texts: Mapping[str, str]) -> "Document":
        """The same file with other data.

        `variables`: dotted path → the variable of the environment that gave what is there and below; with a `$` at its
        end: what is there alone. `texts`: variable → value.
        """
        document = Document(self.name, data, self._lines)
        document._variables = variables
        document._texts = texts
        return document

    @property
    def variables(self) -> list[str]:
        """The variables that gave some of the data."""
        return sorted(self._texts)

    def variable(self, path: str) -> str | None:
        """The variable that gave what a path names, or that it is itself; None: it stands in the file."""
        if _VARIABLE.fullmatch(path):
            return path
        found = [each for each in self._variables if f"{path}$" == each or _begins(path.replace("[", ".["), each)]
        return self._variables[max(found, key=len)] if found else None

    def told(self, problem: str, path: str) -> str:
        """A problem of what a path names, without the values of variables: they may be secret."""
        named = self.variable(path) is not None
        for text in self._texts.values():
            for part in sorted({text, *re.split(r"[,\s]+", text), *re.split(r"[,=\s]+", text)}, key=len, reverse=True):
                problem = problem.replace(repr(part), "its value") if part else problem
                problem = (
                    problem.replace(part, "its value") if named and len(part) >= _SECRET_CHARACTERS_MIN else problem
                )
        return problem

    def line(self, path: str) -> int:
        """The line of a dotted path, whose names may have dots themselves. 0: a variable gave what is there."""
        if self.variable(path) is not None:
            return 0
        wanted = path.replace("[", ".[")
        candidates = [known for known in self._lines if _begins(wanted, known.replace("\0", "."))]
        nearest = max(candidates, key=len, default="")
        return self._lines.get(nearest, 1)

    def place(self, path: str) -> str:
        """The file, the line and the path; or the variable that gave what is there."""
        if (variable := self.variable(path)) is not None:
            return variable
        line = f"{self.name}:{self.line(path)}"
        return f"{line}: {path}" if path else line


def read_document(path: Path) -> tuple[Document, list[Mistake]]:
    """Read a YAML file; what cannot be read is a mistake and an empty document."""
    text, mistakes = read_text(path, lambda _: "utf-8-sig")
    return (Document(str(path), {}, {}), mistakes) if mistakes else parse_document(text, path)


def read_text(path: Path, encoding_of: Callable[[bytes], str]) -> tuple[str, list[Mistake]]:
    """The text of a file; empty where it cannot be read."""
    try:
        raw = path.read_bytes()
        return raw.decode(encoding_of(raw)), []
    except OSError as error:
        return "", [Mistake(str(path), f"it cannot be read: {error.strerror}", "check the path")]
    except UnicodeDecodeError:
        return "", [Mistake(str(path), "it is not UTF-8", "save it as UTF-8")]


def parse_document(text: str, path: Path) -> tuple[Document, list[Mistake]]:
    """The data of a text in YAML, with its lines; `path` is its file's."""
    empty = Document(str(path), {}, {})
    lines: dict[str, int] = {}
    mistakes: list[Mistake] = []
    try:
        loader = yaml.SafeLoader(text)  # refuses characters that YAML does not have
        node = loader.get_single_node()
        if node is not None:
            _note(node, "", lines, mistakes, str(path))  # before merge keys are resolved, which changes the node
        data = loader.construct_document(node) if node is not None else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "it is not YAML"
        return empty, [Mistake(f"{path}:{line}", str(problem), "correct the YAML there")]
    except RecursionError:
        return empty, [Mistake(str(path), "an alias refers to itself, or it is too deep", "write it out")]
    except _TooManyPlacesError:
        problem = f"its aliases stand for more than {_PLACES_MAX:,} values"
        return empty, [Mistake(str(path), problem, "write less by aliases that have aliases in them")]
    except ValueError as error:  # a value of one of YAML's own types, such as a date in the month 13
        return empty, [Mistake(str(path), f"a value cannot be read: {error}", "put it in quotes")]
    if not isinstance(data, dict):
        return empty, [Mistake(str(path), "it is not a mapping", "write `shards:` and what follows")]
    return Document(str(path), data, lines), mistakes


def _note(node: yaml.Node, path: str, lines: dict[str, int], mistakes: list[Mistake], name: str) -> None:
    if len(lines) > _PLACES_MAX:
        raise _TooManyPlacesError
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
        where = f"{name}:{node.start_mark.line + 1}"
        mistakes.append(Mistake(where, "an escape stands for half a character", "write the character itself"))
    if isinstance(node, yaml.MappingNode):
        _note_members(node, path, lines, mistakes, name)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            _note(value, f"{path}\0[{number}]", lines, mistakes, name)


def _note_members(node: yaml.MappingNode, path: str, lines: dict[str, int], mistakes: list[Mistake], name: str) -> None:
    """What `<<` takes over stands where it was written; own members win over it, so they may be written anew."""
    seen: set[str] = set()
    for key, value in (pair for pair in node.value if pair[0].tag != _MERGE):
        if not isinstance(key, yaml.ScalarNode):  # no name: what reads the file says so
            _note(key, path, lines, mistakes, name)
            _note(value, path, lines, mistakes, name)
            continue
        inner = f"{path}\0{key.value}" if path else str(key.value)
        line = key.start_mark.line + 1
        if node.start_mark.index <= key.start_mark.index < node.end_mark.index:
            if key.value in seen:
                mistakes.append(Mistake(f"{name}:{line}", f"{key.value!r} stands twice", "keep one of the two"))
            seen.add(key.value)
            lines[inner] = line
        lines.setdefault(inner, line)
        _note(key, inner, lines, mistakes, name)
        _note(value, inner, lines, mistakes, name)
    for _, value in (pair for pair in node.value if pair[0].tag == _MERGE):
        for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            _note(merged, path, lines, mistakes, name)


_MERGE = "tag:yaml.org,2002:merge"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _begins(text: str, start: str) -> bool:
    return text == start or text.startswith(start + ".")
