"""Method and path → Route, compiled once.

A path that servers may read differently is refused before anything is matched: dot segments, empty segments, encoded
separators, backslashes, path parameters. What is matched is what is forwarded, byte for byte.

Hot path: a path whose last segment is its only variable is found by one look-up; any other by a walk down a tree of
dictionaries, one look-up a segment.
"""

import re
from urllib.parse import unquote

from shardgate.core.errors import AmbiguousPathError, MethodNotAllowedError, UnknownOperationError
from shardgate.core.routes.route import Route, Routes

# RFC 3986 section 3.3 `pchar`, without `;`, whose parameters some servers cut off, as they do a `.` at a segment's end.
_PATH = re.compile(r"/(?:[A-Za-z0-9\-_~!$&'()*+,=:@/]|\.(?!/|$)|(?<=/)\.{3,}(?=/|$)|%[0-9A-Fa-f]{2})*")
_DOTS = re.compile(r"/\.{1,2}(?=/|$)")
_PLAIN = re.compile(r"[A-Za-z0-9\-_~]+")
"""A segment that all servers read in one way."""


class _Node:
    __slots__ = ("children", "routes", "variable")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.routes: dict[str, tuple[Route, tuple[str, ...]]] = {}


_NO_PARENT: tuple[dict[str, _Node], _Node | None] = ({}, None)


class RouteTable:
    """All routes of one configuration."""

    __slots__ = ("_exact", "_parents", "_root", "_trailing_slash")

    def __init__(self, routes: Routes) -> None:
        self._root = _Node()
        self._exact: dict[str, _Node] = {}
        """Paths without a variable, as they stand: they need no walk."""
        self._parents: dict[str, tuple[dict[str, _Node], _Node]] = {}
        """`/v3/events` of `/v3/events/{id}` → the fixed segments that may follow instead, and where any other leads."""
        self._trailing_slash = routes.trailing_slash
        for route in routes.routes:
            self._add(route)

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The operation of a request, and its path variables, decoded.

        A HEAD is matched as the GET it stands for, where the application does not define it.
        Raises AmbiguousPathError, UnknownOperationError, MethodNotAllowedError.
        """
        values: list[str] = []
        node = self._exact.get(path)
        if node is None:
            start, _, last = path.rpartition("/")
            children, node = self._parents.get(start, _NO_PARENT)
            if node is None or last in children or _PLAIN.fullmatch(last) is None:
                node, values = self._walk(path)
            else:
                values = [last]
        found = node.routes.get(method)
        if found is None and method == "HEAD":
            found = node.routes.get("GET")
        if found is None:
            allow = ", ".join(sorted(node.routes))
            raise MethodNotAllowedError(f"{path} can be asked by {allow}", allow=allow)
        route, names = found
        return route, dict(zip(names, values, strict=True)) if names else {}

    def _walk(self, path: str) -> tuple[_Node, list[str]]:
        if "//" in path or _PATH.fullmatch(path) is None or ("/." in path and _DOTS.search(path)):
            raise _refusal(path)
        segments = path.split("/")
        if self._trailing_slash and len(segments) > 2 and not segments[-1]:
            segments.pop()
        if "%" in path:
            # An application decodes before it matches: `/events/%65xport` is its `/events/export`.
            segments = [_decoded(segment) for segment in segments]
        found = _descend(self._root, segments, 1, [])
        if found is None:
            raise _unknown(path)
        return found

    def _add(self, route: Route) -> None:
        node = self._root
        names: list[str] = []
        template = route.template
        if self._trailing_slash and len(template) > 1:
            template = template.removesuffix("/")
        parent = node
        for segment in template.split("/")[1:]:
            parent = node
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.variable = node.variable or _Node()
                node = node.variable
            else:
                node = node.children.setdefault(unquote(segment), _Node())
        node.routes[route.method] = (route, tuple(names))
        if not names and "%" not in template and self._finds(template, node):
            self._exact[template] = node
        start, _, last = template.rpartition("/")
        if len(names) == 1 and last.startswith("{") and all(map(_PLAIN.fullmatch, start.split("/")[1:])):
            # A fixed segment comes before a variable on each level, so no walk finds another operation.
            self._parents[start] = (parent.children, node)

    def _finds(self, path: str, node: _Node) -> bool:
        """Whether a request for this path finds the node. An operation that is not served may have any path."""
        try:
            return self._walk(path)[0] is node
        except (AmbiguousPathError, UnknownOperationError):
            return False


def _descend(node: _Node, segments: list[str], start: int, values: list[str]) -> tuple[_Node, list[str]] | None:
    """The node of a path. A fixed segment comes before a variable, which is tried where the fixed one leads nowhere."""
    for position in range(start, len(segments)):
        segment = segments[position]
        child = node.children.get(segment)
        if child is not None and node.variable is not None:
            found = _descend(child, segments, position + 1, values[:])
            if found is not None:
                return found
            child = None
        if child is None:
            child = node.variable
            if child is None or not segment:
                return None
            values.append(segment)
        node = child
    return (node, values) if node.routes else None


def _refusal(path: str) -> AmbiguousPathError | UnknownOperationError:
    if not path.startswith("/"):
        return UnknownOperationError("the target is not a path")
    return AmbiguousPathError(
        "the path has dot segments, empty segments, segments that end with a dot, or characters that servers read "
        "differently"
    )


def _unknown(path: str) -> UnknownOperationError:
    return UnknownOperationError(f"{path} is no path of the application")


def _decoded(segment: str) -> str:
    try:
        value = unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise AmbiguousPathError("a path segment is not UTF-8") from error
    if value in {".", ".."} or any(mark in value for mark in "/\\;\0%"):
        raise AmbiguousPathError("a path segment hides a separator")
    if value.endswith(".") and value.strip("."):
        raise AmbiguousPathError("a path segment ends with a dot, which some servers cut off")
    return value
