"""What keeps two rows of a table apart: unique indexes, also by expressions or of some rows, and exclusion constraints.

Never: reads a database.
"""

from collections.abc import Sequence

from msgspec import Struct

from shardgate.split.database import sql

TermValues = tuple[object, ...]
"""What the terms of an index are of one row, as the other database of the same kind takes it in."""


class UniqueIndex(Struct, frozen=True):
    """No two rows may be equal in all terms, or otherwise at odds by the operators."""

    name: str
    """For people. Empty: the primary key, where it has no index."""
    shown: tuple[str, ...]
    """The columns or expressions, for people."""
    terms: tuple[str, ...]
    """The same as SQL, with the collation that compares them."""
    operators: tuple[str, ...]
    """Of each term: what says that two values are at odds, as SQL."""
    where: str = ""
    """The condition of the rows that it holds. Empty: all."""
    nulls_are_equal: bool = False
    """Two rows without a value are at odds, too."""
    excludes: bool = False
    """An exclusion constraint: values that are at odds need not be equal."""
    columns: tuple[str, ...] = ()
    """The names of its columns, where no two rows have equal ones; empty: it has expressions, or need not be unique."""

    @property
    def condition(self) -> str:
        """Of the rows that can be at odds with others."""
        given = [] if self.nulls_are_equal else [f"({term}) IS NOT NULL" for term in self.terms]
        return " AND ".join([*([f"({self.where})"] if self.where else []), *given]) or "1 = 1"


class Clash(Struct, frozen=True):
    """A row of the target that is at odds with one that comes."""

    key: str
    """Its primary key, for people."""
    values: str
    """What the terms are of the row that comes, for people."""


def unique_keys(key: tuple[str, ...], indexes: Sequence[UniqueIndex]) -> list[tuple[str, ...]]:
    """The columns of the primary key, `key`, and of each other unique index without a condition."""
    return list(dict.fromkeys([key, *(each.columns for each in indexes if each.columns and not each.where)]))


def plain_key(columns: Sequence[str], operator: str) -> UniqueIndex:
    """A primary key that has no index of its own."""
    terms = tuple(map(sql.quote, columns))
    return UniqueIndex("", tuple(columns), terms, (operator,) * len(columns), columns=tuple(columns))
