"""The templates of all routes as a tree, one level a segment.

Holds: of two templates that a path matches, the one with a fixed segment where the other has a variable is first. A
subtree (`/admin/**`) comes behind every other template that matches, and behind a subtree that is deeper.

Hot path: `descend` is one look-up a segment. `endings_of` is for what it does not find.
"""

from urllib.parse import unquote

from shardgate.core.routes.route import Route
from shardgate.core.routes.template import ANY

Ending = tuple[Route, tuple[str, ...]]
"""A route, and the names of its variables."""
Endings = dict[str, Ending]
"""Method → what ends at a place of the tree."""


class Node:
    """The paths that begin alike."""

    __slots__ = ("below", "children", "routes", "variable")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        self.variable: Node | None = None
        self.routes: Endings = {}
        """For the path itself."""
        self.below: Endings = {}
        """For the path itself and all below it."""


def grown(root: Node, template: str, *, folds: bool) -> tuple[Node, tuple[str, ...]]:
    """The place of a template, made where it is not there yet; and the names of its variables.

    `folds`: the case of letters in fixed segments does not count.
    """
    node = root
    names: list[str] = []
    for segment in template.split("/")[1:]:
        if segment.startswith("{"):
            names.append(segment[1:-1])
            node.variable = node.variable or Node()
            node = node.variable
        else:
            fixed = unquote(segment)
            node = node.children.setdefault(fixed.casefold() if folds else fixed, Node())
    return node, tuple(names)


def descend(node: Node, segments: list[str], start: int, values: list[str]) -> tuple[Node, list[str]] | None:
    """The node of a path. A fixed segment comes before a variable, which is tried where the fixed one leads nowhere."""
    for position in range(start, len(segments)):
        segment = segments[position]
        child = node.children.get(segment)
        if child is not None and node.variable is not None:
            found = descend(child, segments, position + 1, values[:])
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


def endings_of(root: Node, segments: list[str], *, folds: bool) -> list[tuple[Endings, list[str]]]:
    """All that a path may mean, what is nearest first, each with the values of its variables.

    `folds`: the tree's fixed segments are folded, and so are those of the path.
    """
    found: list[tuple[Endings, list[str]]] = []
    _collect(root, segments, 1, [], found, folds)
    return found


def of_method(endings: Endings, method: str) -> Ending | None:
    """The route of a method. A HEAD is the GET it stands for, where the application does not define it."""
    found = endings.get(method)
    if found is None and method == "HEAD":
        found = endings.get("GET")
    return endings.get(ANY) if found is None else found


def _collect(
    node: Node,
    segments: list[str],
    position: int,
    values: list[str],
    found: list[tuple[Endings, list[str]]],
    folds: bool,
) -> None:
    if position < len(segments):
        segment = segments[position]
        child = node.children.get(segment.casefold() if folds else segment)
        if child is not None:
            _collect(child, segments, position + 1, values, found, folds)
        if node.variable is not None and segment:
            _collect(node.variable, segments, position + 1, [*values, segment], found, folds)
    elif node.routes:
        found.append((node.routes, values))
    if node.below:
        found.append((node.below, values))
