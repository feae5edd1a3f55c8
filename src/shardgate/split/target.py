"""What a database must do to be split into; SQLite and PostgreSQL each in a file beside this one."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from shardgate.split.rows import Reader, Row


class Loading(Protocol):
    """One table being filled, in one transaction."""

    def write(self, rows: Sequence[Row]) -> None: ...

    def finish(self, statement: str) -> None:
        """Run the statement in the same transaction, and commit."""
        ...


class Target(Protocol):
    """One shard's database while it is made."""

    def names(self) -> tuple[str, ...]:
        """The tables and views in it. A file that does not exist has none, and is not made."""
        ...

    def query(self, statement: str) -> list[tuple[object, ...]]: ...

    def run(self, statements: Iterable[str]) -> None:
        """All of them in one transaction."""
        ...

    def load(self, table: str, columns: Sequence[str]) -> Loading: ...

    def reader(self, batch_rows: int) -> Reader:
        """A connection of its own, so that what is verified comes from the database."""
        ...

    def rehearse(self, statements: Iterable[str]) -> None:
        """Run them where they leave no trace; raises what the database has against them."""
        ...

    def prepare(self, settings: Sequence[str]) -> None:
        """Make a target that can take statements, if there is none yet."""
        ...

    def settle(self, settings: Sequence[str]) -> None:
        """All is well: leave it as an application expects it, safe on disk."""
        ...

    def broken_keys(self) -> list[str]:
        """Foreign keys that lead nowhere."""
        ...

    def erase(self, undo: Sequence[str]) -> None: ...

    def close(self) -> None: ...
