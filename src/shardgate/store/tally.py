"""Counts the calls of each client, in memory that all workers of a gateway share.

A row has two numbers: the calls a client made, and how many of them are not stored on disk yet. Where several gateways
share the store, calls are claimed in the store before they are made: then the second number is below 0, by the calls
that are claimed and not made yet.

Holds: of two workers that count the last call of a quota at once, one gets it. The lock is the kernel's (fcntl), which
frees it when its owner is killed. Counts survive the death of a worker. Nothing here waits for a disk.
Never: used by two threads of one process, since the lock is between processes.
Hot path: `count` runs once for each counted request; `bench/micro/counting.py` measures it.
"""

import fcntl
import mmap
import os
import tempfile
from pathlib import Path
from typing import Final

from shardgate.core.errors import OverloadError

NAME_BYTES_MAX: Final = 96
ROWS_MAX: Final = 16_384
UNSEEN: Final = -1
"""The name has no row: `add` it first."""
SPENT: Final = 0
"""The client made all its calls before."""

_CELL_BYTES = 8
_USED, _ROUND, _FIRST = 0, 1, 2
_WIDTH = 2  # cells of a row: the calls, and those that nobody took to store them


class Tally:
    """The counts. Made before the workers are forked."""

    __slots__ = ("_cells", "_lock", "_names", "_read_to", "_round", "_rows", "_rows_max")

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._rows_max = rows_max
        cells = (_FIRST + _WIDTH * rows_max) * _CELL_BYTES
        shared = memoryview(mmap.mmap(-1, cells + NAME_BYTES_MAX * rows_max))
        self._cells = shared[:cells].cast("q")
        self._names = shared[cells:]
        self._lock, name = tempfile.mkstemp(prefix="shardgate-tally-")  # the file has no content; it is locked
        Path(name).unlink()
        self._rows: dict[bytes, int] = {}
        """Name → first cell, for the rows that this process has read."""
        self._read_to = 0
        self._round = 0

    def __del__(self) -> None:
        os.close(self._lock)

    def count(self, name: bytes, limit: int) -> int:
        """Count one call and return the calls so far. Returns SPENT or UNSEEN where it counts nothing."""
        cells = self._cells
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            row = self._rows.get(name) if cells[_ROUND] == self._round else None
            if row is None and (row := self._find(name)) is None:
                return UNSEEN
            calls = cells[row]
            if calls >= limit:
                return SPENT
            cells[row] = calls + 1
            cells[row + 1] += 1
            return calls + 1
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def calls(self, name: bytes) -> int:
        """The calls so far; 0 for a name that has no row."""
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            row = self._find(name)
            return 0 if row is None else self._cells[row]
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def spend(self, name: bytes) -> int:
        """Count one call that was claimed, and return the calls so far. Returns UNSEEN where none is claimed."""
        cells = self._cells
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            row = self._find(name)
            if row is None or cells[row + 1] >= 0:
                return UNSEEN
            cells[row + 1] += 1
            cells[row] += 1
            return cells[row]
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def grant(self, name: bytes, claimed: int, total: int) -> None:
        """Note that calls were claimed; `total` is the store's count with them.

        Raises OverloadError if there is no room.
        """
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            row = self._find(name)
            if row is None:
                if self._cells[_USED] >= self._rows_max:
                    self._compact()
                self._append(name, total - claimed, -claimed)
                return
            self._cells[row + 1] -= claimed
            self._cells[row] = total + self._cells[row + 1]
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def add(self, name: bytes, calls: int) -> None:
        """Add a row for a name with the calls that the store has; does nothing if another worker added it.

        Raises OverloadError if there is no room.
        """
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            if self._find(name) is not None:
                return
            if self._cells[_USED] >= self._rows_max:
                self._compact()
            self._append(name, calls, 0)
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def take(self) -> list[tuple[bytes, int]]:
        """Take the calls that are not stored yet, by name; fewer than none are claimed and were not made. The caller
        stores them, or gives them back."""
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            cells = self._cells
            fresh = cells[_FIRST + 1 : _FIRST + _WIDTH * cells[_USED] : _WIDTH].tolist()
            taken = [(self._name(number), calls) for number, calls in enumerate(fresh) if calls]
            for name, _ in taken:
                if (row := self._find(name)) is not None:
                    cells[row + 1] = 0
            return taken
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def settle(self, name: bytes, total: int) -> None:
        """Note that taken calls were stored. `total` is the store's count, with the calls of other gateways."""
        self._change(name, 0, total)

    def give_back(self, name: bytes, calls: int) -> None:
        """Return taken calls that could not be stored."""
        self._change(name, calls, 0)

    def _change(self, name: bytes, unwritten: int, total: int) -> None:
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            row = self._find(name)
            if row is None:
                if self._cells[_USED] < self._rows_max:
                    self._append(name, total + unwritten, unwritten)
                return
            self._cells[row + 1] += unwritten
            # Never less than before: our number has calls that another worker took and did not store yet.
            self._cells[row] = max(self._cells[row], total + self._cells[row + 1])
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    # The methods below are called with the lock held.

    def _find(self, name: bytes) -> int | None:
        cells = self._cells
        if cells[_ROUND] != self._round:
            self._round, self._read_to = cells[_ROUND], 0
            self._rows.clear()
        while self._read_to < cells[_USED]:
            self._rows[self._name(self._read_to)] = _FIRST + _WIDTH * self._read_to
            self._read_to += 1
        return self._rows.get(name)

    def _name(self, number: int) -> bytes:
        return bytes(self._names[number * NAME_BYTES_MAX : (number + 1) * NAME_BYTES_MAX]).rstrip(b"\0")

    def _append(self, name: bytes, calls: int, unwritten: int) -> None:
        number = self._cells[_USED]
        self._names[number * NAME_BYTES_MAX : (number + 1) * NAME_BYTES_MAX] = name.ljust(NAME_BYTES_MAX, b"\0")
        row = _FIRST + _WIDTH * number
        self._cells[row], self._cells[row + 1] = calls, unwritten
        self._cells[_USED] = number + 1  # last, so that a worker that is killed here leaves no half row

    def _compact(self) -> None:
        """Drop the rows whose calls are all stored, such as those of old periods."""
        rows = [
            (self._name(number), self._cells[row], self._cells[row + 1])
            for number in range(self._cells[_USED])
            if self._cells[(row := _FIRST + _WIDTH * number) + 1]
        ]
        if len(rows) >= self._rows_max:
            raise OverloadError(
                "too many clients at once", log=f"the tally has {self._rows_max} clients with calls to store"
            )
        self._cells[_ROUND] += 1
        self._cells[_USED] = 0
        for name, calls, unwritten in rows:
            self._append(name, calls, unwritten)
