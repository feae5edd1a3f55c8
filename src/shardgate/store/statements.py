"""Statements, and what they give, of whichever database: what the modules of the tables use."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

StatementValues: TypeAlias = Sequence[Any] | Mapping[str, Any]


class ResultRows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Statements(ABC):
    """One connection to the database. Used by one thread at a time."""

    __slots__ = ()

    @abstractmethod
    def execute(self, sql: str, values: StatementValues = ()) -> ResultRows:
        """Run one statement; a statement that writes needs an open transaction."""

    @abstractmethod
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row, in the open transaction."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[None]:
        """Run the block, which only reads, at one state of the store."""
