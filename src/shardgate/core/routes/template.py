"""The name of an operation, `GET /events/{id}`: a method and the template of a path.

Holds: a template without a mistake is one that requests can match.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from shardgate.core.routes.mistakes import Mistake

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods that a rule can serve. TRACE and CONNECT are refused before a request is matched."""

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_HIDDEN = "/\\;\0%"
"""Characters of a decoded segment that servers take for separators: a request with one of them is refused."""


def variables_of(template: str) -> list[str]:
    """The names of the variables, in their order."""
    return _VARIABLE.findall(template)


def is_partial(template: str) -> bool:
    """Whether a variable is only a part of its segment: `/reports/{id}.pdf`."""
    return any("{" in segment and not _VARIABLE.fullmatch(segment) for segment in template.split("/"))


def shape_of(template: str, *, trailing_slash: bool) -> str:
    """The template without the names of its variables: two operations of one shape are the same path.

    `trailing_slash`: `/events/` is `/events`.
    """
    segments = ["{}" if segment.startswith("{") else unquote(segment) for segment in template.split("/")]
    return "/".join(segments).rstrip("/") if trailing_slash else "/".join(segments)


def check_operation(name: str) -> Iterator[Mistake]:
    """What is wrong with the name of an operation; paths begin at the operation."""
    method, _, template = name.partition(" ")
    if not template.startswith("/"):
        yield Mistake("", "this is not an operation", "write it as `GET /events/{id}`")
    elif method.upper() in METHODS and method not in METHODS:
        yield Mistake("", "a method is written in capital letters", f"write `{method.upper()} {template}`")
    elif method in {"ANY", "ALL", "*"}:
        cure = f"write a rule for each method: {', '.join(METHODS)}"
        yield Mistake("", f"{method} is not a method: a rule is for one method", cure)
    elif method not in METHODS:
        yield Mistake("", f"{method!r} is not a method", f"take one of {', '.join(METHODS)}")


def check_template(template: str) -> Iterator[Mistake]:
    """What is wrong with a template; paths begin at the operation."""
    names = variables_of(template)
    twin = next((name for name in names if names.count(name) > 1), None)
    if is_partial(template):
        problem = f"{template} has a variable that is only a part of its segment"
        yield Mistake("", problem, "give the variable a segment of its own, or move the operation to `unserved`")
    elif twin is not None:
        yield Mistake("", f"{template} has two variables {twin!r}", "give each a name of its own")
    else:
        for segment in template.rstrip("/").split("/")[1:]:
            yield from _check_segment(segment, template)


def _check_segment(segment: str, template: str) -> Iterator[Mistake]:
    decoded = unquote(segment)
    if segment.startswith("{"):
        name = segment[1:-1]
        if "*" in name or ":" in name or not name.isprintable():
            cure = "write `{name}`: a variable is one segment, of any type"
            yield Mistake("", f"{name!r} is not a name of a variable", cure)
    elif "*" in segment and not segment.strip("*"):
        cure = "write each path that the application has, with variables for what varies: `/files/{name}`"
        yield Mistake("", f"{segment!r} matches only itself, not every path", cure)
    elif not segment or decoded in {".", ".."}:
        cure = f"remove the segment {segment!r}" if segment else "write one `/` between two segments"
        yield Mistake("", f"no request can have the path {template}", cure)
    elif "?" in segment or "#" in segment:
        cure = "remove it and what follows: an operation has no query and no fragment"
        yield Mistake("", f"{template} has a `?` or a `#`, which ends a path", cure)
    elif any(mark in decoded for mark in _HIDDEN) or not decoded.isprintable() or "\ufffd" in decoded:
        problem = f"no request can have the path {template}: servers read the segment {segment!r} differently"
        yield Mistake("", problem, "remove the operation, or give the application another path for it")
