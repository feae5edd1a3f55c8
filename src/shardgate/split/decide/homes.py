"""Where rows go that no single tenant owns: to every shard, to one, to those of two tenants, or nowhere.

A *home* is a number. From 0 on it is a tenant. A smaller number is a home that this module made.
Holds: equal homes have equal numbers. The children of a row have its home, unless another parent says more.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

EVERYWHERE: Final = -1
NOWHERE: Final = -2
_FIRST_MADE: Final = -3

TO_ALL: Final = "all"
TO_NONE: Final = "none"
TO_EACH: Final = "each"

Home: TypeAlias = int


class Keep(Struct, frozen=True):
    """What the user said of rows without one owner, by table: `all`, `none`, `each`, or the name of a shard."""

    unowned: Mapping[str, str] = {}
    shared: Mapping[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.unowned or self.shared)


class Homes:
    """The homes that are no tenants. `shards` are the names of the shards."""

    __slots__ = ("_made", "_numbers", "_shards")

    def __init__(self, shards: Sequence[str] = ()) -> None:
        self._shards = list(shards)
        self._made: list[frozenset[Home] | str] = []
        self._numbers: dict[frozenset[Home] | str, Home] = {}

    def named(self, word: str) -> Home:
        """The home of `all`, `none` or a shard."""
        if word == TO_ALL:
            return EVERYWHERE
        return NOWHERE if word == TO_NONE else self._number(word)

    def both(self, one: Home, other: Home) -> Home:
        """The home of a row that belongs to two homes."""
        members = self.members(one) | self.members(other)
        return one if members == self.members(one) else self._number(members)

    def members(self, home: Home) -> frozenset[Home]:
        made = self._made[_FIRST_MADE - home] if home <= _FIRST_MADE else None
        return made if isinstance(made, frozenset) else frozenset({home})

    def shards_of(self, home: Home, shard_of: Sequence[int]) -> tuple[int, ...]:
        """The shards of a home, as indexes. `shard_of` has the shard of each tenant."""
        if home >= 0:
            return (shard_of[home],)
        if home == EVERYWHERE:
            return tuple(range(len(self._shards)))
        if home == NOWHERE:
            return ()
        made = self._made[_FIRST_MADE - home]
        if isinstance(made, str):
            return (self._shards.index(made),)
        return tuple(sorted({shard for member in made for shard in self.shards_of(member, shard_of)}))

    def _number(self, made: frozenset[Home] | str) -> Home:
        if made not in self._numbers:
            self._numbers[made] = _FIRST_MADE - len(self._made)
            self._made.append(made)
        return self._numbers[made]


def is_shared(home: Home) -> bool:
    """Whether the home was made for rows of two tenants or for one shard."""
    return home <= _FIRST_MADE
