"""What the tables need of a database, whichever it is: SQLite (`sqlite.py`) or PostgreSQL (`postgres.py`).

The tables' modules have one SQL text for both: `?` and `:name` for values, numbers for truth values, ON CONFLICT,
RETURNING.

Holds: write transactions run one after another, of all processes together. Every change of the directory raises the
epoch in the same transaction, so a process that reads the epoch it knows has missed no change. Committed data is on the
disk. A transaction that raises has written nothing, but for CommitUnknownError.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

from shardgate.core.hosts import PostgresUrl
from shardgate.store import directory_table
from shardgate.store.statements import Statements

StorePlace: TypeAlias = Path | PostgresUrl
JobOutcome: TypeAlias = tuple[Any, BaseException | None]
"""What a job returned, or what it raised."""


class StoreError(Exception):
    """The store cannot do what was asked; the text says why and what to do."""


class CommitUnknownError(Exception):
    """The connection broke while a transaction was committed, and the database could not be asked in time: what the
    transaction wrote is there, or will never be."""


class Store(Statements):
    """One connection to the database, with the directory. Used by one thread at a time."""

    __slots__ = ()

    errors: ClassVar[tuple[type[Exception], ...]]
    """What its methods raise where the database cannot be used now."""
    jobs_at_once: ClassVar[int] = 1
    """How many jobs `together` writes in one transaction."""

    @property
    @abstractmethod
    def place(self) -> StorePlace:
        """Where it is; as text it has no password."""

    @abstractmethod
    def transaction(self, undo: Callable[[], None] | None = None) -> AbstractContextManager[None]:
        """Run the block in a transaction: committed at its end, rolled back if it raises.

        `undo`: called where nothing of it was written, so that values in memory are as before.
        """

    def together(self, jobs: Iterable[Callable[[], Any]]) -> list[JobOutcome]:
        """Run jobs in their order; the outcome of each, known only when all is committed."""
        return [outcome_of(job) for job in jobs]

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    def clock(self, boot: str, up_s: float) -> tuple[str, float]:
        """The instant that entries of the journal are compared by, within a transaction: the name of a clock, and
        seconds on it. Of one machine: its own clock, as it is given."""
        return boot, up_s

    def wall(self, wall_s: float) -> float:
        """Seconds since 1970 that keys and entries are kept by. Of one machine: its own, as they are given."""
        return wall_s

    def prepare(self) -> None:
        """Before a job, or a look: what could not be used until now is, where that is possible by now, and what others
        have written is seen. Raises one of `errors`."""

    def recover(self, error: BaseException) -> None:
        """After a job failed: what can be put right is."""

    def put_many(self, space: str, pairs: Iterable[tuple[str, str]], *, only_if_new: bool = False) -> int:
        """Store the shard of each key, all or none; return the new epoch.

        With `only_if_new`, raises StoreError if the space has keys already.
        """
        with self.transaction():
            if only_if_new and self._has(space):
                raise StoreError(f"{self.place}: space {space!r} exists. Choose another name")
            return self.record(space, pairs)

    def record(self, space: str, pairs: Iterable[tuple[str, str]]) -> int:
        """Store the shard of each key in the open transaction; return the new epoch."""
        return directory_table.record(self, space, pairs)

    def remove(self, space: str, keys: Iterable[str]) -> int:
        """Remove a few keys in the open transaction; return the new epoch."""
        return directory_table.remove(self, space, keys)

    def advance(self) -> int:
        """Raise the epoch in the open transaction, so that other processes look for changes; return it."""
        return directory_table.advance(self)

    def read(self, space: str) -> dict[str, str]:
        """Every key of a space with its shard. Of a large space this is slow: see `find` and `pages`."""
        return dict(iter(self.execute("SELECT key, shard FROM directory WHERE space = ?", (space,))))

    def spaces(self) -> tuple[str, ...]:
        """The spaces that have keys."""
        return tuple(directory_table.counts(self))

    def find(self, space: str, key: str) -> str | None:
        """The shard of one key."""
        return directory_table.find(self, space, key)

    def find_many(self, space: str, keys: Sequence[str]) -> dict[str, str]:
        """The shards of those of these keys that the directory has."""
        return directory_table.find_many(self, space, keys)

    def pages(self, space: str, rows: int) -> Iterator[list[tuple[str, str]]]:
        """Every key of a space in order, so many at a time."""
        return directory_table.pages(self, space, rows)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many keys each shard has: space → shard → keys."""
        return directory_table.counts(self)

    def epoch(self) -> int:
        """The number of the last change of the directory."""
        return self.meta("epoch")

    def meta(self, name: str) -> int:
        """One of the store's own numbers."""
        return int(self.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    def _has(self, space: str) -> bool:
        return self.execute("SELECT 1 FROM directory WHERE space = ? LIMIT 1", (space,)).fetchone() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def outcome_of(job: Callable[[], Any]) -> JobOutcome:
    """Run one job."""
    try:
        return job(), None
    except BaseException as error:
        return None, error
