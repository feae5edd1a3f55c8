"""What a movement needs of the database of a shard. SQLite and PostgreSQL do it, each in a module of its own.

Holds: a row is bytes that the other database of the same kind takes in as they are, and equal rows are equal bytes.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from shardgate.move.spellings import DatabaseKey
from shardgate.move.tables import MovedTable
from shardgate.move.unique_indexes import Clash, TermValues, UniqueIndex
from shardgate.split.database.inventory import Inventory

PREFIX: Final = "_shardgate_move_"
"""What the names begin with of all that a movement makes in the databases of both shards."""

BESIDE: Final = f"{PREFIX}rows_"
"""What the names begin with of the tables beside those of the target; the number of the table follows."""

MovedRow = tuple[bytes, bytes]
"""The primary key of a row, and the row."""


class Counter(Struct, frozen=True):
    """Where a database is that gives new rows of a table the numbers of a column."""

    column: str
    next: int
    step: int
    last: int
    """The greatest number that it may give."""
    remembers: bool
    """It gives no number twice, also if the row with the greatest one is deleted."""


class ShardDatabase(Protocol):
    """The database of one shard, through one connection, while tenants are moved."""

    def relation(self, table: str) -> str:
        """The name of a table as SQL."""
        ...

    def query(self, statement: str) -> list[tuple[object, ...]]: ...

    def run(self, statement: str) -> int:
        """Run a statement; returns how many rows it changed."""
        ...

    def refuses_changes(self) -> str:
        """Why nobody can write into it; empty: one can."""
        ...

    def begin(self, *, snapshot: bool = False) -> None:
        """Begin a transaction that writes; `snapshot`: all its statements see one moment."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """Undo the open transaction, if there is one. It never fails."""
        ...

    def read(self, table: MovedTable, where: str) -> Generator[list[MovedRow], None, None]:
        """The rows of a table under a condition, in batches."""
        ...

    def keys(self, table: MovedTable, source: str) -> list[bytes]:
        """The primary keys in a table that has their columns, each once, as `read` gives them."""
        ...

    def write(self, table: MovedTable, rows: Iterable[bytes]) -> None:
        """Insert rows, in the open transaction."""
        ...

    def make_room(self, tables: Sequence[MovedTable]) -> None:
        """Make an empty table beside each of these, for rows that nobody may see yet."""
        ...

    def keep(self, table: MovedTable, rows: Iterable[MovedRow]) -> None:
        """Put rows into the table beside, in the open transaction."""
        ...

    def keep_and_commit(self, table: MovedTable, rows: Iterable[MovedRow]) -> None:
        """Put rows into the table beside, and commit: others wait for a moment at most. A power cut may undo it."""
        ...

    def drop(self, table: MovedTable, keys: Iterable[bytes]) -> None:
        """Delete the rows with these primary keys from the table beside, in the open transaction."""
        ...

    def rows(self, table: MovedTable) -> Iterator[list[bytes]]:
        """The rows that move, without their keys, in batches."""
        ...

    def kept(self, table: MovedTable) -> Iterator[list[bytes]]:
        """The rows of the table beside, in batches."""
        ...

    def load(self, table: MovedTable) -> None:
        """Insert the rows of the table beside, in the open transaction."""
        ...

    def remove(self, table: MovedTable) -> Iterator[list[bytes]]:
        """Delete the rows that move, in the open transaction; yields what they were, in batches."""
        ...

    def keys_named(self, table: str, column: str, name: str) -> list[DatabaseKey]:
        """The keys in this column that the directory may call so."""
        ...

    def values(
        self, table: MovedTable, columns: Sequence[str], where: str
    ) -> Generator[list[tuple[str, ...]], None, None]:
        """Columns of the rows under a condition, as texts, in batches; rows with NULL in one of them are left out.

        Bytes are written as `\\x00ff`.
        """
        ...

    def present(self, table: MovedTable, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[str]:
        """Those of these values that the table has, at most one."""
        ...

    def unique_indexes(self, table: MovedTable) -> list[UniqueIndex]:
        """All that keeps two rows of the table apart, the primary key first."""
        ...

    def terms(self, table: MovedTable, index: UniqueIndex) -> Generator[list[TermValues], None, None]:
        """What the terms of an index are of the rows that move and that it holds, in batches."""
        ...

    def clash(self, table: MovedTable, index: UniqueIndex, rows: Sequence[TermValues]) -> Clash | None:
        """One row of this database that is at odds with one of these, which `terms` of the other one gave."""
        ...

    def capture(self, tables: Sequence[MovedTable]) -> None:
        """Write down the primary key of every row that changes from now on, one table for each of these."""
        ...

    def pass_over_own_changes(self) -> None:
        """What the open transaction changes is not written down."""
        ...

    def release(self) -> None:
        """Remove all that `capture` and `make_room` have made, also what an earlier movement left behind."""
        ...

    def counters(self, table: MovedTable) -> list[Counter]:
        """Where the database is that counts for columns of the table."""
        ...

    def follow_counters(self, table: MovedTable, where: str) -> None:
        """After rows were written: no id of theirs is given again, in the open transaction."""
        ...

    def await_writers(self, tables: Sequence[MovedTable]) -> None:
        """Return once no transaction that was open has written into these tables, and may still commit that."""
        ...

    def shown(self, key: bytes) -> str:
        """A primary key as `read` gives it, for people."""
        ...

    def inventory(self) -> Inventory:
        """Every object of the database, without those of movements."""
        ...

    def close(self) -> None: ...
