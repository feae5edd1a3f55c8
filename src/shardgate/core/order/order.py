"""The order of one list: its sort keys, how the values of each compare, and which of them is the tie-breaker.

Holds: the order is total. The tie-breaker, whose values are unique, is one of its keys.
"""

from collections.abc import Mapping

from shardgate.core.order.sort_key import KeyConfig, SortKey, sort_key
from shardgate.core.value import Value


class Order(Value, frozen=True):
    """Sort keys, most significant first."""

    by: tuple[tuple[str, bool], ...]
    """The name of each key, and whether it descends."""
    keys: tuple[tuple[str, SortKey], ...]
    """The name of each key, and how its values compare."""
    tie: int
    """The position of the tie-breaker among the keys."""

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


def total_order(by: tuple[tuple[str, bool], ...], keys: Mapping[str, KeyConfig], tie: str) -> Order:
    """The order by these keys; one without the tie-breaker is ended by it. Raises KeyError for an unknown key."""
    names = [name for name, _ in by]
    if tie not in names:
        by = (*by, (tie, False))
        names.append(tie)
    return Order(by, tuple([(name, sort_key(keys[name])) for name in names]), names.index(tie))


def _described(name: str, key: SortKey, descends: bool) -> str:
    how = f"by {key.collation}" if key.collation != "binary" else "as a time" if key.type == "time" else ""
    return " ".join([f"-{name}" if descends else name, how]).rstrip()
