"""The path that the application's paths begin with: `/v3` of `servers: [{url: https://api.example.com/v3}]`.

Holds: where a document leaves open which path clients call, it is a mistake, and the configuration must say it.
"""

import re
from itertools import islice, product
from typing import Any

import msgspec

from shardgate.core.routes.mistakes import Mistake
from shardgate.core.rulebook.convert import convert_all
from shardgate.core.rulebook.references import DocumentPlace, Plain

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?([^?#]*)")
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_VALUES_MAX = 64


class _Variable(msgspec.Struct):
    default: Any = None
    enum: list[Any] | None = None


class _Server(msgspec.Struct):
    url: str = "/"
    variables: dict[str, _Variable] | None = None


def base_of_document(document: Plain, place: DocumentPlace, mistakes: list[Mistake]) -> str:
    """The base path of a whole document: `basePath` of Swagger 2.0, or `servers`."""
    if "swagger" in document:
        base: str | None = convert_all(document.get("basePath", ""), str, str(place.at("basePath")), mistakes)
        return _path(base or "")
    return base_of_servers(document.get("servers"), place.at("servers"), mistakes) or ""


def base_of_servers(servers: Any, place: DocumentPlace, mistakes: list[Mistake]) -> str | None:
    """The base path that all servers of a list have; None where the list is absent or empty, or has a mistake."""
    if not servers:
        return None
    known: list[_Server] | None = convert_all(servers, list[_Server], str(place), mistakes)
    bases = {path: None for server in known or [] for path in _paths(server)}
    if ".." in "/".join(bases).split("/"):
        _open(f"the path of {servers!r} has `..`, which depends on where the document is", place, mistakes)
        return None
    if len(bases) > 1:
        named = " and ".join([repr(base or "/") for base in bases][:2])
        _open(f"the servers have different paths: {named}", place, mistakes)
    return next(iter(bases), None)


def _open(problem: str, place: DocumentPlace, mistakes: list[Mistake]) -> None:
    cure = "write `openapi_base` in shardgate.yaml: the path that clients call below, or an empty text for none"
    mistakes.append(Mistake(str(place), problem, cure))


def _paths(server: _Server) -> list[str]:
    """The paths of a server, one for each value that its variables may have: `{scheme}://{host}/{base}`."""
    names = list(dict.fromkeys(_VARIABLE.findall(server.url)))
    variables = server.variables or {}
    values = [_values(variables.get(name) or _Variable()) for name in names]
    paths: dict[str, None] = {}
    for chosen in islice(product(*values), _VALUES_MAX):
        found = _URL.match(_filled(server.url, dict(zip(names, chosen, strict=True))))
        paths[_path("" if found is None else found[1])] = None
    return [*paths]


def _filled(url: str, values: dict[str, str]) -> str:
    return _VARIABLE.sub(lambda name: values[name[1]], url)


def _values(variable: _Variable) -> list[str]:
    return [str(value) for value in variable.enum or [variable.default or ""]]


def _path(text: str) -> str:
    """A path as rules have it: with a slash at its beginning, and none at its end."""
    steps = [step for step in text.split("/") if step not in {"", "."}]
    return "".join(f"/{step}" for step in steps)
