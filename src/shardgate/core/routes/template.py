"""The name of an operation, `GET /events/{id}`: a method and the template of a path.

A name may stand for several operations: `GET|PUT /events/{id}` for two methods, `ANY /events/{id}` for every method
that has no rule of its own there, and `ANY /admin/**` for the path `/admin` and all paths below it. `ANY /**` is every
other request.

Holds: a template without a mistake is one that requests can match.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from shardgate.core.routes.mistakes import Mistake

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods that a rule can serve. TRACE and CONNECT are refused before a request is matched."""
ANY: Final = "ANY"
"""In place of a method: every method that has no rule of its own at the path, also one that is not in `METHODS`."""
BELOW: Final = "**"
"""The last segment of a template: the path before it, and every path below."""

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_SEVERAL = re.compile(r"\{(?:[*+]{1,2}[^{}:]+|[^{}:]+(?:\*|\+|\.\.\.))\}")
_CONSTRAINT = re.compile(r"\{([^{}:/]+):((?:[^{}]|\{[^{}]*\})*)\}")
"""A variable and what is said of its values, a pattern perhaps: `{id:int}`, `{id:[^/]{2,9}}`."""
_NO_SLASH = re.compile(r"\[\^[^\]]*/[^\]]*\]")
"""A class of characters that leaves the slash out."""
_OF_FRAMEWORKS = re.compile(r":[A-Za-z_]\w*[?*+]?|<[^<>/]+>")
"""How some frameworks write a variable, whose documents have it in braces: `:id`, `<id>`, `<int:id>`."""
_HIDDEN = "/\\;\0%"
"""Characters of a decoded segment that servers take for separators: a request with one of them is refused."""


def variables_of(template: str) -> list[str]:
    """The names of the variables, in their order."""
    return _VARIABLE.findall(template)


def names_in(name: str) -> list[str]:
    """The operations that a name stands for: `GET /a` and `PUT /a` of `GET|PUT /a`."""
    methods, space, template = name.partition(" ")
    return [f"{method}{space}{template}" for method in methods.split("|")]


def canonical(template: str, is_subtree: bool = False) -> str:
    """A template of a document as rules have it.

    A last variable that matches several segments, in the words of some framework (`{path:path}`, `{*path}`, `{path*}`,
    `{+path}`, `{path...}`), makes it a subtree; what else a variable says of its values is left out (`{id:int}`).

    `is_subtree`: the last variable is known to match several segments.
    """
    head, slash, last = _CONSTRAINT.sub(_without_constraint, template).rpartition("/")
    if is_variable(last) and (is_subtree or _SEVERAL.fullmatch(last)):
        last = BELOW
    return f"{head}{slash}{last}"


def _without_constraint(variable: re.Match[str]) -> str:
    """`{id}` of `{id:[0-9]+}`; `{path...}` where the values may have slashes."""
    several = variable[2] in {"path", ".*", ".+"} or "/" in _NO_SLASH.sub("", variable[2])
    return f"{{{variable[1]}{'...' if several else ''}}}"


def base_of(template: str) -> str | None:
    """The path whose subtree the template is, `/admin` of `/admin/**` and nothing of `/**`; None: it is no subtree."""
    return template.removesuffix(f"/{BELOW}") if template.endswith(f"/{BELOW}") else None


def covers(name: str, other: str) -> bool:
    """Whether a subtree has all requests of another operation: `ANY /admin/**` covers `GET /admin/{id}`."""
    (method, _, template), (other_method, _, other_template) = name.partition(" "), other.partition(" ")
    base = base_of(template)
    if base is None or not (method in {ANY, other_method} or (method, other_method) == ("GET", "HEAD")):
        return False
    wanted, there = base.split("/"), other_template.rstrip("/").split("/")
    return len(wanted) <= len(there) and all(
        is_variable(segment) or segment == given for segment, given in zip(wanted, there, strict=False)
    )


def is_variable(segment: str) -> bool:
    """Whether a variable is all of the segment."""
    return _VARIABLE.fullmatch(segment) is not None


def is_partial(segment: str) -> bool:
    """Whether a variable is only a part of the segment: `{id}.pdf`."""
    found = _VARIABLE.search(segment)
    return found is not None and found[0] != segment


def literals_of(segment: str) -> list[str]:
    """The texts before, between and behind the variables of a segment, decoded."""
    return [unquote(text) for text in _VARIABLE.split(segment)[::2]]


def shape_of(template: str, *, trailing_slash: bool, folds: bool = False) -> str:
    """The template without the names of its variables: two operations of one shape are the same path.

    `trailing_slash`: `/events/` is `/events`. `folds`: `/Events` is `/events`.
    """
    segments = ["{}".join(literals_of(segment)) for segment in template.replace("}{", "").split("/")]
    shape = "/".join(segments).casefold() if folds else "/".join(segments)
    return shape.rstrip("/") if trailing_slash else shape


def check_operation(name: str) -> Iterator[Mistake]:
    """What is wrong with the name of an operation; paths begin at the operation."""
    method, _, template = name.partition(" ")
    if not template.startswith("/"):
        yield Mistake("", "this is not an operation", "write it as `GET /events/{id}`")
    elif method.upper() in METHODS and method not in METHODS:
        yield Mistake("", "a method is written in capital letters", f"write `{method.upper()} {template}`")
    elif method.upper() in {ANY, "ALL", "*"} and method != ANY:
        yield Mistake("", f"{method} is not a method", f"write `{ANY} {template}` for every method")
    elif method not in (*METHODS, ANY):
        cure = f"take one of {', '.join(METHODS)}, several like `GET|PUT {template}`, or `{ANY}` for every method"
        yield Mistake("", f"{method!r} is not a method", cure)


def check_template(template: str) -> Iterator[Mistake]:
    """What is wrong with a template; paths begin at the operation."""
    names = variables_of(template)
    twin = next((name for name in names if names.count(name) > 1), None)
    bare = _VARIABLE.sub("x", template)
    if "{" in bare or "}" in bare:
        yield Mistake("", f"{template} has braces without a name in them", "write a variable as `{id}`")
    elif "}{" in template:
        problem = f"{template} has two variables with nothing between them"
        yield Mistake("", problem, "make one variable of the two, or move the operation to `unserved`")
    elif twin is not None:
        yield Mistake("", f"{template} has two variables {twin!r}", "give each a name of its own")
    else:
        base = base_of(template)
        for segment in (template if base is None else base).rstrip("/").split("/")[1:]:
            yield from _check_segment(segment, template)


def _check_segment(segment: str, template: str) -> Iterator[Mistake]:
    for name in variables_of(segment):
        if name.endswith("..."):
            cure = "write a rule for the subtree before it, `ANY /files/**`, and move the operation to `unserved`"
            yield Mistake("", f"{name!r} matches several segments, and stands before others", cure)
        elif any(mark in name for mark in "*:?;&#,") or not name.isprintable():
            cure = "write `{name}`: a variable is one segment, of any type, and there in each request"
            yield Mistake("", f"{name!r} is not a name of a variable", cure)
    written, segment = segment, _VARIABLE.sub("x", segment)
    decoded = unquote(segment)
    if "}*" in written or _OF_FRAMEWORKS.fullmatch(written):
        cure = "write a variable as `{id}`, and all paths below `/files` as `/files/**`"
        yield Mistake("", f"{written!r} matches only itself, as no framework reads it", cure)
    elif "*" in segment and not segment.strip("*"):
        cure = "write `/files/{name}` for one segment, or `/files/**`, at the end, for all paths below `/files`"
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
