"""Mistakes in the sort keys of a list, and in what is learned of its rows."""

import re
from collections.abc import Iterable, Iterator, Mapping

from shardgate.core.contracts import NO_PAGE
from shardgate.core.merge import AnyMerger
from shardgate.core.merge.listed import Listed
from shardgate.core.order.sort_key import EVERY, sort_key
from shardgate.core.routes.mistakes import Mistake


def check_lists(merges: Iterable[tuple[str, AnyMerger]], learn: Mapping[str, str]) -> Iterator[Mistake]:
    """What is wrong in those merges that are lists. `merges`: each with its place in the rule."""
    for place, merge in merges:
        if isinstance(merge, Listed):
            yield from _check_list(place, merge, learn)


def _check_list(place: str, merge: Listed, learn: Mapping[str, str]) -> Iterator[Mistake]:
    tie = None if merge.tie is None else merge.tie.removeprefix("-")
    for key, config in merge.sort_keys.items():
        if not key or key.startswith("-"):
            cure = f"write `{key.lstrip('-') or 'id'}`: a `-` belongs into `default_order` and into requests"
            yield Mistake(f"{place}.keys", f"{key!r} is no name of a sort key", cure)
        elif "" in (sort_key(config).place(key) or ("",)):
            cure = "write the members that lead to the value, like `vendor.name`"
            yield Mistake(f"{place}.keys.{key}", "a member that leads to the value has no name", cure)
        elif any(_UNREADABLE.search(member) for member in sort_key(config).place(key)):
            cure = "sort by another property: the gateway does not read members with such names"
            yield Mistake(f"{place}.keys.{key}", "its name has a quote, a backslash or a control character", cure)
    order = [key.removeprefix("-") for key in merge.default_order]
    if len({*order}) < len(order):
        twice = next(key for key in order if order.count(key) > 1)
        yield Mistake(f"{place}.default_order", f"{twice!r} stands twice", "remove one of the two")
    unnamed = [] if EVERY in merge.sort_keys else [*order, *([] if tie is None else [tie])]
    for key in sorted({*unnamed} - {*merge.sort_keys}):
        yield Mistake(f"{place}.keys", f"the sort key {key!r} has no type", f"add `{key}: text`")
    problem = merge.order(NO_PAGE) if EVERY in merge.sort_keys else None
    if isinstance(problem, str):
        yield Mistake(f"{place}.default_order", problem, "name properties that rows have")
    for name, member in learn.items():
        if member != tie:
            problem = f"{member!r} is not what rows are told apart by"
            yield Mistake(f"learn.{name}", problem, "remove it" if tie is None else f"write {tie!r}")


_UNREADABLE = re.compile(r'["\\\x00-\x1f]')
