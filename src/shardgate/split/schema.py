"""What the splitter must know of a schema to decide: tables, keys and who refers to whom."""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum

from msgspec import Struct


class Kind(Enum):
    """What a column holds, whatever the database calls it."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "number"
    TEXT = "text"
    BYTES = "binary"
    INSTANT = "timestamp"
    DATE = "date"
    TIME = "time"
    JSON = "json"
    UUID = "uuid"


class ForeignKey(Struct, frozen=True):
    """Columns of one table that name a row of another."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    nullable: bool = False

    def __str__(self) -> str:
        return f"({', '.join(self.columns)}) -> {self.parent}({', '.join(self.parent_columns)})"


class Table(Struct, frozen=True):
    """A table as far as the splitter cares: stored columns only, generated ones make themselves."""

    name: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    counts_up: bool = False  # the database gives new rows the next integer as their key


class Schema(Struct, frozen=True):
    """All tables of one database."""

    tables: tuple[Table, ...]

    def names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


class Link(Struct, frozen=True):
    """A foreign key the person declares because the database does not."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for a mistyped name: " Did you mean x?", or nothing."""
    matches = get_close_matches(word.lower(), {name.lower(): name for name in known}, n=1)
    return f" Did you mean {matches[0]}?" if matches else ""
