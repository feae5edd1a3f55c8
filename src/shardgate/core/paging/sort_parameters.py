"""How a query says what a list is sorted by: `-name,id`, `name.desc`, or directions in a parameter of their own.

Never: refuses a direction that it cannot read. It says UNKNOWN; the shards are sent the client's request, and refuse
it.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal
from urllib.parse import quote_plus

from shardgate.core.contracts import UNKNOWN, Strategy, Unknown
from shardgate.core.excerpt import excerpt


class SortParameters(Strategy, frozen=True):
    """The parameters that sort a list, named as the application names them."""

    order: str = "order"
    """The parameter with the sort keys: `order=-name,id`."""
    order_repeats: bool = False
    """Several sort keys are several parameters: `sort=name,desc&sort=id`; false: one parameter with commas."""
    direction: str | None = None
    """The parameter with the directions, `asc,desc,…`; null: `-` before a key sorts by it in descending order."""
    suffix: str | None = None
    """What stands between a key and its direction: `.` in `name.desc`; null: no direction follows a key. Where it is
    set, `-` and `direction` mean nothing. With `,` and `order_repeats`, one direction may follow several keys:
    `sort=name,age,desc`."""
    states_order: bool = False
    """Shards are sent the whole order, with the tie-breaker. Needed where the application itself ends an order by a
    property that its rows do not show."""

    spaces: Literal["refuse", "trim", "keep"] = "refuse"
    """Spaces around a sort key, or around a name in `fields`. `refuse`: it is not known how the application reads them,
    so that it is asked, and what it accepts is refused. `trim`: it takes them off. `keep`: they belong to the name."""
    plus: Literal["refuse", "ascends", "keep"] = "refuse"
    """A `+` before a sort key where `-` descends. `refuse`: as above. `ascends`: the key ascends. `keep`: it belongs to
    the name."""
    twice: Literal["refuse", "first"] = "refuse"
    """A sort key that an order names twice. `refuse`: the gateway refuses what the application accepts. `first`: the
    first counts, as in SQL."""

    def read_order(self, values: Mapping[str, str], *, lenient: bool = False) -> tuple[tuple[str, bool], ...] | Unknown:
        """The sort keys that the parameters name, each with whether it descends; none where no order is given.

        UNKNOWN where the directions cannot be read. `lenient`: an unknown direction is read as `asc`.
        """
        text = values.get(self.order)
        if text is None:
            return ()
        if self.suffix is not None:
            return self._spaced(_suffixed(text.split("&" if self.order_repeats else ","), self.suffix))
        if self.direction is None:
            return self._dashed(text.split(","))
        names = text.split(",")
        directions = [word.lower() for word in values[self.direction].split(",")] if self.direction in values else []
        if lenient:
            directions = [word if word == "desc" else "asc" for word in directions[: len(names)]]
        if len(directions) > len(names) or not {"asc", "desc"}.issuperset(directions):
            return UNKNOWN
        directions += ["asc"] * (len(names) - len(directions))
        return self._spaced(tuple((name, word == "desc") for name, word in zip(names, directions, strict=True)))

    def _dashed(self, names: Sequence[str]) -> tuple[tuple[str, bool], ...] | Unknown:
        order: list[tuple[str, bool]] = []
        for text in names:
            name = text.strip() if self.spaces == "trim" else text
            if name[:1] == "+" and self.plus != "keep":
                if self.plus == "refuse":
                    return UNKNOWN
                order.append((name[1:], False))
            elif name[:2] == "--":  # some take off both
                return UNKNOWN
            else:
                order.append((name.removeprefix("-"), name[:1] == "-"))
        return self._spaced(tuple(order))

    def _spaced(self, order: tuple[tuple[str, bool], ...]) -> tuple[tuple[str, bool], ...] | Unknown:
        if self.spaces == "keep" or all(name == name.strip() for name, _ in order):
            return order
        return UNKNOWN if self.spaces == "refuse" else tuple((name.strip(), descends) for name, descends in order)

    def direction_problem(self, values: Mapping[str, str]) -> str:
        """Why `read_order` gave UNKNOWN."""
        if self.direction is None or self.direction not in values:
            order = excerpt(values.get(self.order, ""))
            return f"`{self.order}={order}`: names of sort keys are accepted, without spaces and signs around them"
        text = values.get(self.direction or "", "")
        return f"`{self.direction}={excerpt(text)}`: `asc` or `desc` for each key of `{self.order}` is accepted"

    def stated(self, order: Sequence[tuple[str, bool]], *, folded: bool = False) -> list[str]:
        """The parts of a query that ask for this order. `folded`: neighbours of one direction share a parameter."""
        words = [_direction(key) for key in order]
        if self.suffix is not None:
            keys = [f"{name}{self.suffix}{word}" for (name, _), word in zip(order, words, strict=True)]
            if folded and self.suffix == ",":
                groups = [(word, [name for name, _ in each]) for word, each in groupby(order, _direction)]
                keys = [",".join([*names, word]) for word, names in groups]
            joined = keys if self.order_repeats else [",".join(keys)]
            return [f"{self.order}={quote_plus(key, safe=',.:')}" for key in joined]
        down = "" if self.direction else "-"
        names = ",".join(f"{down}{name}" if descends else name for name, descends in order)
        stated = [f"{self.order}={quote_plus(names, safe=',')}"]
        if self.direction:
            stated.append(f"{self.direction}={','.join(words)}")
        return stated


def _direction(key: tuple[str, bool]) -> str:
    return "desc" if key[1] else "asc"


def _suffixed(keys: Sequence[str], suffix: str) -> tuple[tuple[str, bool], ...]:
    """The keys and their directions. Where no direction follows, the whole text is the key, or several keys."""
    order: list[tuple[str, bool]] = []
    for key in keys:
        name, _, word = key.rpartition(suffix)
        known = name and word.lower() in {"asc", "desc"}
        named, descends = (name, word.lower() == "desc") if known else (key, False)
        if suffix != "," or "," not in named:
            order.append((named, descends))
        else:
            order += [(each, descends) for each in named.split(",")]
    return tuple(order)
