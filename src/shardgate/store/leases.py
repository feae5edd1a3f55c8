"""Leases: which workers live, and which one goes on with the changes of dead workers.

A lease is a lock that ends with the process of its worker, however that ends: in a store of one machine (FileLeases) a
lock of the kernel, in PostgreSQL (`postgres_leases.py`) one of a session.

The lock of the kernel is on one byte of a file beside the store. The kernel ends it when the process ends, however
that ends. So such a lease depends on no clock, and it cannot lapse while its worker lives, whatever holds up the store
or the worker.

Holds: of two workers that take a lease at once, one gets it. Where the folder can only be read, nobody has a lease, and
no worker is called dead.
Never: writes into the store, or waits.
"""

import fcntl
import os
import struct
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from secrets import randbelow
from typing import ClassVar, Final, Literal

LeaseName = Literal["replay", "purge", "move"]
"""`replay`: goes on with the changes of dead workers. `purge`: deletes what has had its time. `move`: moves tenants."""

_BYTES: Final[dict[LeaseName, int]] = {"replay": 0, "purge": 1, "move": 2}
FIRST_WORKER: Final = 1024
WORKERS: Final = 2**62
_MODE: Final = 0o600


def lease_file(store: Path) -> Path:
    """The file whose bytes are locked. It has no content."""
    return store.with_name(f"{store.name}-live")


class Leases(ABC):
    """The leases of one worker, and a look at those of others. Used by one thread at a time, but for `holds`."""

    __slots__ = ()

    worker: str
    """The worker's name, by which the journal knows it."""
    dead_after_s: ClassVar[float] = 0.0
    """A worker that was dead at each look for so long knows so itself, if its process goes on."""

    @abstractmethod
    def lead(self, name: LeaseName) -> bool:
        """Take a lease, or keep one that this worker has; False if another has it."""

    @abstractmethod
    def lives(self, worker: str | None) -> bool:
        """Whether a worker is alive. One that lives is called dead for a moment where its lease was ended by others."""

    def is_dead(self, worker: str | None) -> bool:
        """Whether a worker is certainly dead: what it drove will not go on there."""
        return not self.lives(worker)

    @abstractmethod
    def holds(self) -> bool:
        """Whether this worker is certainly alive for all others: what it drives is not taken from it now."""

    @abstractmethod
    def retake(self) -> bool:
        """Look after the lease now, and take it where this worker has none; whether it has it."""

    @abstractmethod
    def close(self) -> None:
        """Give all leases up."""


class FileLeases(Leases):
    """Leases in a file beside the store."""

    __slots__ = ("_file", "_led", "_path", "worker")

    def __init__(self, store: Path) -> None:
        """Take the lease of a new worker, whose name nobody else ever has."""
        self._path = lease_file(store)
        self._led: set[LeaseName] = set()
        self._file = self._open()
        number = FIRST_WORKER + randbelow(WORKERS)
        while not self._take(number):
            number = FIRST_WORKER + randbelow(WORKERS)
        self.worker = str(number)

    def lead(self, name: LeaseName) -> bool:
        self._stay()
        if self._file is None:
            return False
        if name not in self._led and self._take(_BYTES[name]):
            self._led.add(name)
        return name in self._led

    def holds(self) -> bool:
        return True  # the kernel ends a lease with its process, and not before

    def retake(self) -> bool:
        return self.holds()

    def lives(self, worker: str | None) -> bool:
        if worker == self.worker or self._file is None:
            return worker is not None
        if worker is None or not worker.isdecimal():
            return False  # of an operator, or of an earlier version
        number = int(worker)
        if not FIRST_WORKER <= number < FIRST_WORKER + WORKERS:
            return False
        if not self._take(number):
            return True
        self._free(number)
        return False

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._led.clear()

    def _open(self) -> int | None:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        except OSError:
            return None

    def _stay(self) -> None:
        """Where somebody has deleted the file, or it could not be made before, take the leases in the new one."""
        try:
            if self._file is not None and os.path.samestat(self._path.stat(), os.fstat(self._file)):
                return
        except FileNotFoundError:
            pass
        before, self._file = self._file, self._open()
        self._led.clear()
        self._take(int(self.worker))
        if before is not None:
            os.close(before)

    def _take(self, byte: int) -> bool:
        return self._file is None or _locked(self._file, byte)

    def _free(self, byte: int) -> None:
        if self._file is not None:
            _unlock(self._file, byte)


if sys.platform == "linux":

    def _locked(file: int, byte: int) -> bool:
        # Of the open file, not of the process: a lock survives that another part of the process closes the same file.
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, _flock(fcntl.F_WRLCK, byte))
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _unlock(file: int, byte: int) -> None:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _flock(fcntl.F_UNLCK, byte))

    def _flock(kind: int, byte: int) -> bytes:
        """`struct flock` of one byte (`man 2 fcntl`)."""
        return struct.pack("hhqqi0q", kind, os.SEEK_SET, byte, 1, 0)

else:

    def _locked(file: int, byte: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _unlock(file: int, byte: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, byte)
