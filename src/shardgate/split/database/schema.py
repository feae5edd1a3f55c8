"""A database schema as far as a split needs it: tables, columns, keys, and which table refers to which."""

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace


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


UNLIKE: Final = ""

ColumnKinds: TypeAlias = Mapping[str, ColumnKind]  # of one table: column name -> kind, in the order of the columns


class ForeignKey(Struct, frozen=True):
    """Columns of one table that refer to a row of another table, the parent."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    nullable: bool = False  # at least one of the columns may be NULL
    by_user: bool = False  # declared with --link: the database lets a row refer to nothing
    found_by_database: bool = False  # equal keys may be written differently, such as 1 and 1.00, or `a` and `A`

    @property
    def read(self) -> "tuple[KeyColumn, ...]":
        """What to read of a row so that its key is written as the parent's is."""
        if not self.found_by_database:
            return self.columns
        return tuple(ParentColumn(self, column) for column in self.parent_columns)

    def __str__(self) -> str:
        return f"({', '.join(self.columns)}) -> {self.parent}({', '.join(self.parent_columns)})"


class ParentColumn(Struct, frozen=True):
    """A column of the row that a foreign key refers to. The database itself finds that row.

    A reader gives the value of the row's own column where there is no such row, or where the key is NULL.
    """

    key: ForeignKey
    column: str  # one of the key's parent_columns

    @property
    def own(self) -> str:
        """The column of the referring row that corresponds to it."""
        return self.key.columns[self.key.parent_columns.index(self.column)]


KeyColumn: TypeAlias = str | ParentColumn


class Table(Struct, frozen=True):
    """A table with its stored columns. Generated columns are left out: the database computes them.

    `equality` has a word for each column that says when two values are equal. Values of two columns with the same word
    are equal exactly when they are written alike. UNLIKE says that equal values may be written differently.
    """

    name: str
    columns: tuple[str, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    counts_up: bool = False  # the database gives each new row the next integer as its primary key
    equality: Mapping[str, str] = {}

    def with_hidden(self, column: str | None) -> "Table":
        """The table with one more column, which the database has without declaring it."""
        return self if column is None else replace(self, columns=(column, *self.columns))

    @property
    def readable(self) -> tuple[str, ...]:
        """Every column that a key may be read from, generated ones included."""
        return tuple(dict.fromkeys((*self.columns, *self.equality)))


class Schema(Struct, frozen=True):
    """All tables of one database."""

    tables: tuple[Table, ...]

    def names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    def table(self, name: str) -> Table:
        """The table of this name. Raises StopIteration if there is none."""
        return next(table for table in self.tables if table.name == name)

    def with_equality(self) -> "Schema":
        """The schema in which each foreign key says whether the database must find its parent."""
        tables = {table.name: table for table in self.tables}
        return Schema(
            tuple(
                replace(table, foreign_keys=tuple(_with_equality(key, table, tables) for key in table.foreign_keys))
                for table in self.tables
            )
        )


class DeclaredLink(Struct, frozen=True):
    """A foreign key that the user declares with `--link`, because the database does not declare it."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


def _with_equality(key: ForeignKey, table: Table, tables: Mapping[str, Table]) -> ForeignKey:
    parent = tables.get(key.parent)
    if parent is None:
        return key
    pairs = [
        (table.equality.get(own, "unknown"), parent.equality.get(other, "unknown"))
        for own, other in zip(key.columns, key.parent_columns, strict=True)
    ]
    return replace(key, found_by_database=any(own != other or other == UNLIKE for own, other in pairs))
