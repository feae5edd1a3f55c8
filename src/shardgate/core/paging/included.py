"""The resources that come with the rows of a JSON:API page: `included`, each once, in the application's order.

A page of the merged list needs those that its rows refer to, and those that these refer to (JSON:API 1.1, compound
documents). A shard that showed a row among its own rows did not include it; another row of the page may still need it.

Holds: a resource that several shards include is the same on all of them. Everything that a shard includes is led to by
its rows, or nothing tells which page it belongs to. Whatever breaks this is a broken reply, never left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.json.array import Rows, cut, join
from shardgate.core.json.object import JsonObject
from shardgate.core.paging.query import pairs_of


class _Reference(msgspec.Struct, frozen=True, order=True):
    type: str
    id: str


class _Relationship(msgspec.Struct):
    data: _Reference | list[_Reference] | msgspec.UnsetType | None = msgspec.UNSET


class _Resource(msgspec.Struct):
    type: str
    id: str
    relationships: dict[str, _Relationship] = {}


_Found = dict[_Reference, tuple[msgspec.Raw, _Resource]]
_Tree = Mapping[str, "_Tree"]
"""The relationships to follow → those to follow from there: `owner.city` is `{owner: {city: {}}}`."""
_Walk = Callable[[Sequence[_Resource], _Found, "_Tree | None"], list[_Reference]]
"""What rows refer to. The tree says which relationships are followed; None: all, as deep as they go."""
_RESOURCES: Final = msgspec.json.Decoder(list[_Resource])


class _Shown:
    """What one shard's reply shows."""

    def __init__(self, body: bytes) -> None:
        document = JsonObject(body)
        array = document.raw("included")
        self.sample: Rows | None = None if array is None else cut(array)
        self.array = cut(document.value("data"))
        self.rows = _read(self.array)
        self.data = [row for _, row in self.rows.values()]
        self.pool = {} if self.sample is None else _read(self.sample)

    def walked(self, walk: _Walk, tree: _Tree | None) -> list[_Reference]:
        """The resources that its rows lead to."""
        return walk(self.data, self.pool | self.rows, tree)


def included(query: str, data: bytes, bodies: Sequence[bytes], *, absent: bool | None) -> bytes | None:
    """The array of what the rows of a page, `data`, refer to; None where the application leaves it out.

    `query`: the client's; `absent`: whether it is left out where there is nothing and no shard shows it; None: not
    known. Raises BrokenReplyError.
    """
    shown = [_Shown(body) for body in bodies]
    samples = [each.sample for each in shown if each.sample is not None]
    if not samples:
        return None
    tree = _followed(query, shown)
    pool: _Found = {}
    for each in shown:
        for reference, entry in each.pool.items():
            _check_same(reference, bytes(pool.setdefault(reference, entry)[0]), bytes(entry[0]))
    page = _read(cut(data))
    found = pool | _beside(shown, tree, [row for _, row in (*page.values(), *pool.values())]) | page
    names = _order(shown, tree)([row for _, row in page.values()], found, tree)
    if not names:
        empty = [sample for sample in samples if not sample.raw]
        if not empty and absent is None and len(samples) == len(shown):
            detail = "no row of the page refers to a resource, and the rule does not say how that is written"
            log = "every shard includes some; write `included_absent` in the dialect: `false` where it writes `[]`"
            raise BrokenReplyError(detail, where="member included", log=log)
        is_absent = not empty and (absent or len(samples) < len(shown))
        return None if is_absent else join([], empty or samples)
    filled = [sample for sample in (*samples, *[each.array for each in shown]) if sample.raw]
    return join([found[each][0] for each in names], filled)


def _read(rows: Rows) -> _Found:
    """The resources of an array, each once. Raises BrokenReplyError."""
    found: _Found = {}
    try:
        for raw, resource in zip(rows.raw, _RESOURCES.decode(rows.body), strict=True):
            found.setdefault(_Reference(resource.type, resource.id), (raw, resource))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = "a shard's resource is not as JSON:API says"
        raise BrokenReplyError(detail, where="members data and included", log=str(error)) from error
    return found


def _check_same(reference: _Reference, first: bytes, other: bytes) -> None:
    try:
        if first == other or msgspec.json.decode(first) == msgspec.json.decode(other):
            return
    except msgspec.DecodeError:  # half a surrogate pair: what cannot be read is compared as it stands there
        pass
    name = excerpt(f"{reference.type} {reference.id}")
    raise BrokenReplyError(
        "shards include a resource that differs between them, and only one of them can be shown",
        where="member included",
        log=f"{name} is `{excerpt(first)}` on one shard, and `{excerpt(other)}` on another",
    )


def _followed(query: str, shown: Sequence[_Shown]) -> _Tree | None:
    """The relationships that every shard has followed: those of the parameter `include`, or else all.

    Raises BrokenReplyError where neither leads to everything that a shard includes.
    """
    asked: dict[str, Any] = {}
    for name, value in pairs_of(query):
        for path in value.split(",") if name == "include" else ():
            level = asked
            for step in path.split("."):
                level = level.setdefault(step, {})
    if asked and all({*each.walked(_breadth, asked)} == each.pool.keys() for each in shown):
        return asked
    for each in shown:
        if lost := each.pool.keys() - {*each.walked(_breadth, None)}:
            first = min(lost)
            raise BrokenReplyError(
                "a shard includes resources, and its rows do not say which are theirs",
                where="member data",
                log=f"{len(each.pool)} included; no `relationships` lead to {excerpt(f'{first.type} {first.id}')}",
            )
    return None


def _beside(shown: Sequence[_Shown], tree: _Tree | None, resources: Sequence[_Resource]) -> _Found:
    """The rows of shards that a followed relationship may lead to, and that are not on the page.

    Without a tree, those that a relationship leads to which has led to what a shard includes.
    """
    rows = {reference: entry for each in shown for reference, entry in each.rows.items()}
    if tree is not None:
        return rows
    steps = [(each, step) for each in shown for resource in each.data for step in _steps(resource)]
    names = {name for each, (name, reference) in steps if reference in each.pool}
    wanted = {reference for resource in resources for name, reference in _steps(resource) if name in names}
    return {reference: entry for reference, entry in rows.items() if reference in wanted}


def _order(shown: Sequence[_Shown], tree: _Tree | None) -> _Walk:
    """The walk that gives each shard's resources in the shard's own order; the first, where none does: JSON:API says
    nothing of it."""
    several = [each for each in shown if len(each.pool) > 1]
    for walk in _WALKS:
        if all(each.walked(walk, tree) == [*each.pool] for each in several):
            return walk
    return _breadth


def _breadth(rows: Sequence[_Resource], found: _Found, tree: _Tree | None) -> list[_Reference]:
    """What the rows refer to, then what that refers to."""
    own = {_Reference(row.type, row.id) for row in rows}
    seen: dict[_Reference, None] = {}
    queue = [(row, tree) for row in rows]
    known: set[tuple[_Reference, int]] = set()
    for resource, steps in queue:  # grows while it is read
        for name, reference in _steps(resource):
            if reference not in found or (steps is not None and name not in steps):
                continue
            if reference not in own:
                seen.setdefault(reference)
            below = None if steps is None else steps[name]
            if (reference, id(below)) not in known:
                known.add((reference, id(below)))
                queue.append((found[reference][1], below))
    return [*seen]


def _depth(rows: Sequence[_Resource], found: _Found, tree: _Tree | None) -> list[_Reference]:
    """What a row refers to, each followed by what it refers to itself, before the next row."""
    own = {_Reference(row.type, row.id) for row in rows}
    seen: dict[_Reference, None] = {}
    known: set[tuple[_Reference, int]] = set()
    waiting = [(name, reference, tree) for row in reversed(rows) for name, reference in reversed(_steps(row))]
    while waiting:
        name, reference, steps = waiting.pop()
        if reference not in found or (steps is not None and name not in steps):
            continue
        if reference not in own:
            seen.setdefault(reference)
        below = None if steps is None else steps[name]
        if (reference, id(below)) not in known:
            known.add((reference, id(below)))
            waiting += [(each, further, below) for each, further in reversed(_steps(found[reference][1]))]
    return [*seen]


def _row_by_row(rows: Sequence[_Resource], found: _Found, tree: _Tree | None) -> list[_Reference]:
    """Level by level of each row, before the next row."""
    own = {_Reference(row.type, row.id) for row in rows}
    seen = dict.fromkeys([each for row in rows for each in _breadth([row], found, tree)])
    return [each for each in seen if each not in own]


def _by_name(rows: Sequence[_Resource], found: _Found, tree: _Tree | None) -> list[_Reference]:
    """By type and id."""
    return sorted(_breadth(rows, found, tree))


def _by_type(rows: Sequence[_Resource], found: _Found, tree: _Tree | None) -> list[_Reference]:
    """By type, and then as the rows refer to them."""
    return sorted(_breadth(rows, found, tree), key=lambda each: each.type)


_WALKS: Final[tuple[_Walk, ...]] = (_breadth, _row_by_row, _depth, _by_type, _by_name)


def _steps(resource: _Resource) -> list[tuple[str, _Reference]]:
    """Where the relationships of a resource lead: the name of each, and the reference."""
    found: list[tuple[str, _Reference]] = []
    for name, relationship in resource.relationships.items():
        data = relationship.data
        if isinstance(data, list):
            found += [(name, reference) for reference in data]
        elif isinstance(data, _Reference):
            found.append((name, data))
    return found
