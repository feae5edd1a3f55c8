"""The order of one list: its sort keys, how the values of each compare, and which of them is the tie-breaker.

Holds: the order is total where the tie-breaker is shown: its values are unique, and it is one of the keys.
"""

import re
from collections.abc import Mapping
from typing import Final

from shardgate.core.limits import SORT_KEYS_MAX
from shardgate.core.order.sort_key import EVERY, KeyConfig, SortKey, clash, sort_key
from shardgate.core.value import Value


class Order(Value, frozen=True):
    """Sort keys, most significant first."""

    by: tuple[tuple[str, bool], ...]
    """The name of each key, and whether it descends."""
    keys: tuple[tuple[str, SortKey], ...]
    """The name of each key, and how its values compare."""
    tie: int | None
    """The position of the tie-breaker among the keys; None: it is hidden, and rows with equal keys keep the order of
    their shard, the first shard's before the second's."""

    @property
    def paths(self) -> list[tuple[str, ...]]:
        """The path of each key's value in a row."""
        return [key.place(name) for name, key in self.keys]

    @property
    def properties(self) -> dict[str, None]:
        """The properties of a row that the values stand in, each once."""
        return dict.fromkeys(path[0] for path in self.paths)

    def described(self) -> str:
        """`-price, name by case_insensitive`: for errors."""
        pairs = zip(self.by, self.keys, strict=True)
        return ", ".join([_described(name, key, descends) for (name, descends), (_, key) in pairs])

    def explained(self) -> str:
        """`price down, name up`: for `explain`."""
        return ", ".join(f"{name} {'down' if descends else 'up'}" for name, descends in self.by)


class UnsortableError(Exception):
    """A list cannot be sorted by this key."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"`{name}` {why}")
        self.name = name
        self.why = why


def total_order(
    by: tuple[tuple[str, bool], ...], keys: Mapping[str, KeyConfig], tie: str | None, *, tie_follows: bool = False
) -> Order:
    """The order by these keys; one without the tie-breaker is ended by it. Raises UnsortableError.

    `tie`: `-name` descends; None: it is hidden. `tie_follows`: the tie-breaker has the direction of the key before it.
    """
    name = None if tie is None else tie.removeprefix("-")
    chosen: dict[str, SortKey] = {}
    others = keys.get(EVERY)
    if name is not None and name not in keys and others is None:
        raise UnsortableError(name, "is no sort key of this list")
    for each, _ in by:
        config = keys.get(each, others)
        if config is None:
            raise UnsortableError(each, "is no sort key of this list")
        if each in chosen:
            raise UnsortableError(each, "is named twice")
        chosen[each] = sort_key(config)
    if name is not None and tie is not None and name not in chosen:
        descends = by[-1][1] if tie_follows and by else tie.startswith("-")
        by = (*by, (name, descends))
        chosen[name] = sort_key(keys[name] if others is None else keys.get(name, others))
    if others is not None:
        _check_unnamed(chosen, keys)
    return Order(by, tuple(chosen.items()), None if name is None else list(chosen).index(name))


def _check_unnamed(chosen: Mapping[str, SortKey], keys: Mapping[str, KeyConfig]) -> None:
    """What a client may sort by where any property may be a sort key. Raises UnsortableError."""
    for name, key in chosen.items():
        if name not in keys and (len(name) > _NAME_MAX or not all(key.place(name)) or _UNREADABLE.search(name)):
            raise UnsortableError(name, "is no name of a property that the gateway reads")
    if len(chosen) > SORT_KEYS_MAX:
        raise UnsortableError([*chosen][SORT_KEYS_MAX], f"is one of more than {SORT_KEYS_MAX} sort keys")
    if (problem := clash(chosen)) is not None:
        raise UnsortableError([*chosen][-1], f"cannot be read together with the others: {problem}")


_NAME_MAX: Final = 128
_UNREADABLE: Final = re.compile(r'["\\\x00-\x1f]')


def _described(name: str, key: SortKey, descends: bool) -> str:
    how = f"by {key.collation}" if key.collation != "binary" else "as a time" if key.type == "time" else ""
    return " ".join([f"-{name}" if descends else name, how]).rstrip()
