"""What a split needs from a database: a reader of one snapshot, and a target that can be filled.

SQLite and PostgreSQL implement both, each in its own room.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

from shardgate.split.database.inventory import Inventory
from shardgate.split.database.rows import ColumnValues, RowBatch, TableRow
from shardgate.split.database.schema import KeyColumn

RunQuery: TypeAlias = Callable[[str], list[tuple[object, ...]]]  # runs one SELECT and returns all of its rows


class DatabaseReader(Protocol):
    """Reads one database as it was at one instant."""

    @property
    def prints_values(self) -> bool:
        """Whether the bytes of a value are the text that the server prints for it, also of a number."""
        ...

    def values(
        self, table: str, columns: Sequence[KeyColumn], weigh: Sequence[str] = ()
    ) -> Iterator[Sequence[ColumnValues]]:
        """Yield these columns of every row, in batches. `weigh` adds a last value: the bytes of those columns."""
        ...

    def rows(self, table: str, columns: Sequence[str], keys: Sequence[tuple[KeyColumn, ...]]) -> Iterator[RowBatch]:
        """Yield every row in batches, with the value of each key. `keys` lists the columns of each key."""
        ...

    def count(self, table: str, linked: Sequence[str] = ()) -> int:
        """The number of rows in which none of the `linked` columns is NULL."""
        ...

    def tables(self) -> list[str]:
        """The name of every table with rows of its own, from the database's catalogue."""
        ...

    def query(self, statement: str) -> list[tuple[object, ...]]: ...

    def inventory(self) -> Inventory:
        """Every object of the database, from its own catalogue."""
        ...

    def close(self) -> None: ...


class TableLoad(Protocol):
    """One table that is being filled, in one transaction."""

    def write(self, rows: Sequence[TableRow]) -> None: ...

    def finish(self, statement: str) -> None:
        """Run the statement in the same transaction, then commit."""
        ...


class TargetDatabase(Protocol):
    """The database of one shard while the split makes it."""

    @property
    def mark_types(self) -> tuple[str, str]:
        """The types of a name and of a long text in the tables of the mark."""
        ...

    def names(self) -> tuple[str, ...]:
        """The names of its tables and views. A file that does not exist has none, and is not created."""
        ...

    def query(self, statement: str) -> list[tuple[object, ...]]: ...

    def run(self, statements: Iterable[str]) -> None:
        """Run all statements in one transaction."""
        ...

    def load(self, table: str, columns: Sequence[str]) -> TableLoad: ...

    def reader(self, batch_rows: int) -> DatabaseReader:
        """Open a second connection, so that verification reads what the database stored, not what we sent."""
        ...

    def rehearse(self, statements: Iterable[str]) -> Inventory | None:
        """Run the statements where they leave no trace, and return what they make. None if there is no such place.

        Raises the driver's error if the database rejects a statement.
        """
        ...

    def inventory(self) -> Inventory:
        """Every object of the database, from its own catalogue, without the tables of the mark."""
        ...

    def prepare(self, settings: Sequence[str]) -> None:
        """Create the target if it does not exist yet, and apply the settings that must come before the first table."""
        ...

    def settle(self, settings: Sequence[str]) -> None:
        """After verification: apply the settings that the application expects, and flush everything to disk."""
        ...

    def broken_keys(self) -> list[str]:
        """One line for each foreign key value that refers to no row. At most a few are listed."""
        ...

    def erase(self, undo: Sequence[str]) -> None:
        """Delete what a run made here. `undo` are the statements that do it, where they are needed."""
        ...

    def close(self) -> None: ...
