"""Method and path → Route, compiled once.

A path that servers may read differently is refused: dot segments, empty segments, encoded separators, backslashes,
path parameters; unless each way to read it leads to the same route and the same variables (`readings`), as below a
subtree. What is matched is what is forwarded, byte for byte.

Holds: a request that only a subtree's rule covers is refused where an application may read its path as that of an
operation with a rule of its own: `/Items` or `/items.json` beside `/items`.

Hot path: a path whose last segment is its only variable is found by one look-up; any other by a walk down a tree of
dictionaries, one look-up a segment.
"""

import re
from typing import Final
from urllib.parse import unquote

from shardgate.core.errors import AmbiguousPathError, MethodNotAllowedError, UnknownOperationError
from shardgate.core.routes.readings import readings, why
from shardgate.core.routes.route import Route, Routes
from shardgate.core.routes.template import base_of, is_partial, is_variable
from shardgate.core.routes.tree import Ending, Node, descend, endings_of, grown, of_method

# RFC 3986 section 3.3 `pchar`, without `;`, whose parameters some servers cut off, as they do a `.` at a segment's end.
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9\-_~!$&'()*+,=:@/\[\]]|\.(?!/|$)|(?<=/)\.{3,}(?=/|$)|%[0-9A-Fa-f]{2})*")
_DOTS: Final = re.compile(r"/\.{1,2}(?=/|$)")
_HIDDEN = "/\\;\0%"
"""Characters of a decoded segment that some server takes for separators, or decodes once more."""
_FORMAT = re.compile(r"\.[A-Za-z0-9]{1,8}$")
"""A suffix by which some applications choose the format of a reply."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9\-_~]+")
"""A segment that all servers read in one way."""
_NOWHERE: Final[tuple[Node, list[str]]] = (Node(), [])
"""Where a path leads that no template matches."""


_NO_PARENT: Final[tuple[dict[str, Node], Node | None]] = ({}, None)


class RouteTable:
    """All routes of one configuration."""

    __slots__ = (
        "_exact",
        "_folded",
        "_folds",
        "_hidden",
        "_parents",
        "_root",
        "_trailing_slash",
        "_twins_differ",
        "_walked",
    )

    def __init__(self, routes: Routes) -> None:
        self._root = Node()
        self._exact: dict[str, Node] = {}
        """Paths without a variable, as they stand: they need no walk."""
        self._parents: dict[str, tuple[dict[str, Node], Node]] = {}
        """`/v3/events` of `/v3/events/{id}` → the fixed segments that may follow instead, and where any other leads."""
        self._trailing_slash = routes.trailing_slash
        self._folds = routes.paths.case == "ignored"
        self._hidden = _HIDDEN if routes.paths.encoded_slash == "refuse" else _HIDDEN.replace("/", "")
        """What a decoded segment may not have."""
        self._twins_differ = routes.paths.case == "distinct"
        self._folded = Node()
        """The templates that are no subtrees, without case."""
        for route in routes.all_routes:
            self._add(route)
        partial = any(is_partial(segment) for route in routes.all_routes for segment in route.template.split("/"))
        self._walked = Node() if self._folds or partial else self._root
        """What paths are looked up in segment by segment: nothing, where that would not find the nearest."""
        if self._walked is self._root:
            for route in routes.all_routes:
                if base_of(route.template) is None:
                    self._add_parent(route.template)

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
            if node is None or last in children or not _is_plain(last):
                try:
                    segments = self._segments(path)
                except AmbiguousPathError:
                    (route, names), values = self._agreed(method, path)
                    return route, dict(zip(names, values, strict=True))
                node, values = descend(self._walked, segments, 1, values) or _NOWHERE
            else:
                found = node.routes.get(method)
                if found is not None:  # as for most requests
                    return found[0], {found[1][0]: last}
                values = [last]
        found = node.routes.get(method)
        if found is None:
            found, values = self._search(method, path, self._segments(path))
        route, names = found
        return route, dict(zip(names, values, strict=True)) if names else {}

    def _segments(self, path: str) -> list[str]:
        if "//" in path or _PATH.fullmatch(path) is None or ("/." in path and _DOTS.search(path)):
            raise _refusal(path)
        segments = path.split("/")
        if self._trailing_slash and len(segments) > 2 and not segments[-1]:
            segments.pop()
        if "%" in path:
            # An application decodes before it matches: `/events/%65xport` is its `/events/export`.
            segments = [_decoded(segment, path, self._hidden) for segment in segments]
        return segments

    def _agreed(self, method: str, path: str) -> tuple[Ending, list[str]]:
        """What all readings of a path lead to. Raises AmbiguousPathError where they do not agree."""
        agreed: list[tuple[Ending, list[str]]] = []
        for segments in readings(path, slash_divides="/" in self._hidden):
            if self._trailing_slash and len(segments) > 2 and not segments[-1]:
                segments.pop()
            try:
                found = self._search(method, path, segments)
            except (AmbiguousPathError, UnknownOperationError, MethodNotAllowedError):
                break
            if "%" in "".join(found[1]) or (agreed and found != agreed[0]):
                break
            agreed.append(found)
        else:
            return agreed[0]
        raise AmbiguousPathError(why(path))

    def _search(self, method: str, path: str, segments: list[str]) -> tuple[Ending, list[str]]:
        """What the nearest template is not for may be for another one, or for a subtree."""
        possible = endings_of(self._root, segments, folds=self._folds)
        for endings, values in possible:
            found = of_method(endings, method)
            if found is not None:
                if base_of(found[0].template) is not None:
                    self._refuse_twin(method, path, segments, found[0])
                return found, values
        allowed = {each for endings, _ in possible for each, (route, _) in endings.items() if not route.is_implied}
        if not allowed:
            raise _unknown(path)
        allow = ", ".join(sorted(allowed))
        raise MethodNotAllowedError(f"{path} can be asked by {allow}", allow=allow)

    def _refuse_twin(self, method: str, path: str, segments: list[str], route: Route) -> None:
        """Raise AmbiguousPathError where another server may read the path as that of an operation with its own rule."""
        spellings = [[*segments[:-1], _FORMAT.sub("", segments[-1])]]
        if not self._twins_differ:
            spellings.append(segments)
        for spelling in spellings:
            for endings, _ in endings_of(self._folded, spelling, folds=not self._twins_differ):
                twin = of_method(endings, method)
                if twin is not None and twin[0].rule != route.rule:
                    said = f"some servers read {path} as {twin[0].template}, which has a rule of its own"
                    raise AmbiguousPathError(f"{said}; write it in that way")

    def _add(self, route: Route) -> None:
        template = route.template
        base = base_of(template)
        if base is None and self._trailing_slash and len(template) > 1:
            template = template.removesuffix("/")
        node, names = grown(self._root, template if base is None else base, folds=self._folds)
        if base is not None:
            node.below[route.method] = (route, names)
            return
        node.routes[route.method] = (route, names)
        twin, _ = grown(self._folded, template, folds=not self._twins_differ)
        twin.routes[route.method] = (route, names)
        if not names and "%" not in template and self._finds(template, node):
            self._exact[template] = node

    def _add_parent(self, template: str) -> None:
        """A template whose last segment is its only variable: a fixed segment comes before it, and nothing else."""
        start, _, last = template.rpartition("/")
        fixed = start.split("/")[1:]
        if not is_variable(last) or not all(map(_PLAIN.fullmatch, fixed)):
            return
        node = self._root
        for segment in fixed:
            node = node.children[segment]
        if node.variable is not None:
            self._parents[start] = (node.children, node.variable)

    def _finds(self, path: str, node: Node) -> bool:
        """Whether a request for this path finds the node. An operation that is not served may have any path."""
        try:
            return not self._folds and (descend(self._root, self._segments(path), 1, []) or _NOWHERE)[0] is node
        except (AmbiguousPathError, UnknownOperationError):
            return False


def _is_plain(segment: str) -> bool:
    return (segment.isascii() and segment.isalnum()) or _PLAIN.fullmatch(segment) is not None


def _refusal(path: str) -> AmbiguousPathError | UnknownOperationError:
    return AmbiguousPathError(why(path)) if path.startswith("/") else UnknownOperationError("the target is not a path")


def _unknown(path: str) -> UnknownOperationError:
    return UnknownOperationError(f"{path} is no path of the application")


def _decoded(segment: str, path: str, hidden: str) -> str:
    try:
        value = unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise AmbiguousPathError("a path segment is not UTF-8") from error
    if value in {".", ".."} or any(mark in value for mark in hidden) or (value.endswith(".") and value.strip(".")):
        raise AmbiguousPathError(why(path))
    return value
