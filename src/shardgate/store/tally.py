"""How many calls each client has made, counted by all workers of a gateway in memory that they share.

Holds: of two workers that count the last call of a quota at once, one gets it. The lock is the kernel's (fcntl): a
worker that is killed with it has given it back. Nothing here waits for a disk; what was counted since it was last taken
is known, so that it can be written down, and stays when a worker dies.
Never: used by two threads of a process: the lock is between processes.
Hot path: `count` once a request that is counted; `bench/micro/counting.py` measures it.
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
"""This name is not here: `add` it first."""
SPENT: Final = 0
"""All calls were made before."""

_CELL_BYTES = 8
_USED, _ROUND, _FIRST = 0, 1, 2
_WIDTH = 2  # calls, and those of them that nobody has taken to be written down


class Tally:
    """The counts; made before the workers are forked."""

    __slots__ = ("_cells", "_lock", "_names", "_read_to", "_round", "_rows", "_rows_max")

    def __init__(self, rows_max: int = ROWS_MAX) -> None:
        self._rows_max = rows_max
        cells = (_FIRST + _WIDTH * rows_max) * _CELL_BYTES
        shared = memoryview(mmap.mmap(-1, cells + NAME_BYTES_MAX * rows_max))
        self._cells = shared[:cells].cast("q")
        self._names = shared[cells:]
        self._lock, name = tempfile.mkstemp(prefix="shardgate-tally-")  # it is there for its lock alone
        Path(name).unlink()
        self._rows: dict[bytes, int] = {}
        """Name → its first cell, of the rows that this process has read."""
        self._read_to = 0
        self._round = 0

    def __del__(self) -> None:
        os.close(self._lock)

    def count(self, name: bytes, limit: int) -> int:
        """One call more: how many it makes; or SPENT, or UNSEEN, and then nothing is counted."""
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

    def add(self, name: bytes, calls: int) -> None:
        """Begin to count a name where the store says that it is; another worker may have done so before.

        Raises OverloadError where there is no room.
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
        """The calls that are not written down yet, by name; whoever takes them writes them down, or gives them back."""
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
        """What was taken is written down; the store knows of so many calls, those of other gateways too."""
        self._change(name, 0, total)

    def give_back(self, name: bytes, calls: int) -> None:
        """What was taken could not be written down."""
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
            # Never back: what another worker has taken and not yet written is in our number, and not in the store's.
            self._cells[row] = max(self._cells[row], total + self._cells[row + 1])
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    # With the lock held.

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
        self._cells[_USED] = number + 1  # last: a worker that is killed before leaves no half of a row

    def _compact(self) -> None:
        """Leave out what the store knows whole: old periods, and clients that are away."""
        rows = [
            (self._name(number), self._cells[row], self._cells[row + 1])
            for number in range(self._cells[_USED])
            if self._cells[(row := _FIRST + _WIDTH * number) + 1]
        ]
        if len(rows) >= self._rows_max:
            raise OverloadError("too many clients at once", log="the tally of calls is full")
        self._cells[_ROUND] += 1
        self._cells[_USED] = 0
        for name, calls, unwritten in rows:
            self._append(name, calls, unwritten)
