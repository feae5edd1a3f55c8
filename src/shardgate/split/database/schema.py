"""A database schema as far as a split needs it: tables, columns, keys, and which table refers to which."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from msgspec import Struct


class ColumnKind(Enum):
    """What a column holds, independent of the type's name in either database. The value is the word for `--type`."""

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


ColumnKinds: TypeAlias = Mapping[str, ColumnKind]  # of one table: column name -> kind, in the order of the columns


class ForeignKey(Struct, frozen=True):
    """Columns of one table that refer to a row of another table, the parent."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    nullable: bool = False  # at least one of the columns may be NULL

    def __str__(self) -> str:
        return f"({', '.join(self.columns)}) -> {self.parent}({', '.join(self.parent_columns)})"


class Table(Struct, frozen=True):
    """A table with its stored columns. Generated columns are left out: the database computes them."""

    name: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    counts_up: bool = False  # the database gives each new row the next integer as its primary key


class Schema(Struct, frozen=True):
    """All tables of one database."""

    tables: tuple[Table, ...]

    def names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    def table(self, name: str) -> Table:
        """The table of this name. Raises StopIteration if there is none."""
        return next(table for table in self.tables if table.name == name)


class DeclaredLink(Struct, frozen=True):
    """A foreign key that the user declares with `--link`, because the database does not declare it."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
