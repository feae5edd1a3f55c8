"""Writes lines to a file or a stream, on a thread of its own: a slow disk or a paused reader delays no request.

Holds: lines of several processes do not mix: a file is appended to (O_APPEND) a batch at once, a pipe is written in
pieces that the kernel does not split (PIPE_BUF). Waiting lines are bounded; those that cannot be written are counted.
"""

import logging
import os
import select
import stat
from queue import SimpleQueue
from threading import Thread

PENDING_BYTES_MAX = 16 * 1024 * 1024
STREAMS = {"stdout": 1, "stderr": 2}
_FILE_MODE = 0o640

_log = logging.getLogger("shardgate")


class LogFile:
    """An open log. Batches are whole lines, each with its line feed."""

    __slots__ = (
        "_fd",
        "_given",
        "_piece_bytes_max",
        "_place",
        "_refused",
        "_taken",
        "_thread",
        "_torn",
        "_unwritten",
        "_work",
    )

    def __init__(self, place: str) -> None:
        """Open the log; `place` is `stdout`, `stderr` or a path. Raises OSError."""
        self._place = place
        self._fd = -1
        self._piece_bytes_max = 0
        self._torn = False
        # Each of these is written by only one of the two threads.
        self._given = self._refused = 0
        self._taken = self._unwritten = 0
        self._open()
        # None: open the file anew. An empty batch: the end.
        self._work: SimpleQueue[bytes | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="access log", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._refused + self._unwritten

    def write(self, batch: bytes) -> None:
        """Write soon. The batch is lost where too much is waiting already."""
        if self._given - self._taken > PENDING_BYTES_MAX:
            self._refused += batch.count(b"\n")
        elif batch:
            self._given += len(batch)
            self._work.put(batch)

    def reopen(self) -> None:
        """Open the file anew by its name; earlier batches still go to the file that is open now."""
        self._work.put(None)

    def close(self, within_s: float) -> None:
        """Write all that waits, for no longer than this."""
        self._work.put(b"")
        self._thread.join(within_s)
        if self._thread.is_alive():
            _log.error("the access log %s takes no more; its last lines are lost", self._place)

    def _run(self) -> None:
        while (batch := self._work.get()) != b"":
            if batch is None:
                self._reopen()
                continue
            try:
                self._write(batch)
                self._torn = False
            except OSError as error:
                self._unwritten += batch.count(b"\n")
                if not self._torn:
                    _log.error("the access log %s cannot be written: %s", self._place, error.strerror)
                self._torn = True
            self._taken += len(batch)
        if self._place not in STREAMS:
            os.close(self._fd)

    def _write(self, batch: bytes) -> None:
        if self._torn:
            batch = b"\n" + batch  # the failed batch may have ended in the middle of a line
        if not self._piece_bytes_max:
            _write_all(self._fd, batch)
            return
        start = 0
        while start < len(batch):
            end = batch.rfind(b"\n", start, start + self._piece_bytes_max) + 1 or batch.index(b"\n", start) + 1
            _write_all(self._fd, batch[start:end])
            start = end

    def _reopen(self) -> None:
        before = self._fd
        try:
            self._open()
        except OSError as error:
            _log.error("the access log %s cannot be opened anew: %s; the old one goes on", self._place, error.strerror)
            return
        if self._place not in STREAMS:
            os.close(before)

    def _open(self) -> None:
        fd = STREAMS.get(self._place)
        self._fd = fd or os.open(
            self._place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, _FILE_MODE
        )
        is_file = stat.S_ISREG(os.fstat(self._fd).st_mode)
        self._piece_bytes_max = 0 if is_file else select.PIPE_BUF


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
