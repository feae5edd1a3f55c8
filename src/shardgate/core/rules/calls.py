"""Mistakes in the later calls of a change: where it can be seen, how it is confirmed and taken back."""

from collections.abc import Collection, Iterator, Sequence

from shardgate.core.changes.entry import Action
from shardgate.core.routes.mistakes import Mistake
from shardgate.core.routes.targets import check_target
from shardgate.core.routes.template import METHODS

EXAMPLE = "/events/{id}"


def check_seen(field: str, path: str | None) -> Iterator[Mistake]:
    """The path that a thing is read at."""
    if path is not None:
        yield from check_target(field, path, EXAMPLE)


def check_action(field: str, action: Action | None) -> Iterator[Mistake]:
    """A later call."""
    if action is None:
        return
    yield from check_target(f"{field}.path", action.path, EXAMPLE)
    if action.method not in METHODS:
        upper = action.method.upper()
        cure = f"write `{upper}`" if upper in METHODS else f"take one of {', '.join(METHODS)}"
        yield Mistake(f"{field}.method", f"{action.method!r} is not a method", cure)
    yield from check_statuses(f"{field}.already", action.already)


def check_statuses(field: str, statuses: Sequence[int]) -> Iterator[Mistake]:
    """Statuses of refusals."""
    for status in statuses:
        if not 300 <= status <= 599:
            problem = f"{status} is no status by which an application refuses"
            yield Mistake(field, problem, "take statuses from 300 to 599, like 404")


def check_members(field: str, names: Collection[str]) -> Iterator[Mistake]:
    """Members of a body, by name."""
    if "" in names:
        yield Mistake(field, "a member has an empty name", "write the member's name, like `id`")
