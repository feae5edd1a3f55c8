"""How a query says what a list is sorted by: `-name,id`, `name.desc`, or the directions in a parameter of their own.

Never: judges a direction that it cannot read. It says UNKNOWN, the shards are asked as the client asked, and refuse.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote_plus

from shardgate.core.contracts import UNKNOWN, Strategy, Unknown


class SortParameters(Strategy, frozen=True):
    """The parameters that sort a list, each name as the application has it."""

    order: str = "order"
    order_repeats: bool = False
    """Several parameters `order` are several sort keys."""
    direction: str | None = None
    """The parameter with `asc,desc,…`; null: a `-` before the key descends."""
    suffix: str | None = None
    """What stands between a key and its direction: `.` where `name.desc` descends; wins over `-`."""
    states_order: bool = False
    """Shards are sent the whole order, tie-breaker included: the application breaks ties by what it does not show."""

    def read_order(self, values: Mapping[str, str]) -> tuple[tuple[str, bool], ...] | Unknown:
        """The sort keys that parameters name, each with whether it descends; none where no order is given."""
        text = values.get(self.order)
        if text is None:
            return ()
        if self.suffix is not None:
            return _suffixed(text.split("&" if self.order_repeats else ","), self.suffix)
        names = text.split(",")
        if self.direction is None:
            return tuple((name.removeprefix("-"), name.startswith("-")) for name in names)
        directions = [word.lower() for word in values[self.direction].split(",")] if self.direction in values else []
        if len(directions) > len(names) or not {"asc", "desc"}.issuperset(directions):
            return UNKNOWN
        directions += ["asc"] * (len(names) - len(directions))
        return tuple((name, word == "desc") for name, word in zip(names, directions, strict=True))

    def stated(self, order: Sequence[tuple[str, bool]]) -> list[str]:
        """The parts of a query that ask for this order."""
        words = ["desc" if descends else "asc" for _, descends in order]
        if self.suffix is not None:
            keys = [f"{name}{self.suffix}{word}" for (name, _), word in zip(order, words, strict=True)]
            joined = keys if self.order_repeats else [",".join(keys)]
            return [f"{self.order}={quote_plus(key, safe=',.:')}" for key in joined]
        down = "" if self.direction else "-"
        names = ",".join(f"{down}{name}" if descends else name for name, descends in order)
        stated = [f"{self.order}={quote_plus(names, safe=',')}"]
        if self.direction:
            stated.append(f"{self.direction}={','.join(words)}")
        return stated


def _suffixed(keys: Sequence[str], suffix: str) -> tuple[tuple[str, bool], ...]:
    """A key whose last word is no direction is a name as a whole; the rule will know it, or not."""
    order: list[tuple[str, bool]] = []
    for key in keys:
        name, _, word = key.rpartition(suffix)
        known = name and word.lower() in {"asc", "desc"}
        order.append((name, word.lower() == "desc") if known else (key, False))
    return tuple(order)
