"""Starts one worker a core on one port, replaces the dead, passes signals on, and drains.

Holds: no worker outlives its supervisor, however that ends: one left behind would go on serving an old configuration
on the port of the new one.
Never: touches a request, or runs an event loop.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shardgate.config.load import Loaded
from shardgate.wiring import listen, serve_worker

# A worker that dies sooner than this did not serve: its successor waits, so that a defect at start is no busy loop.
SHORT_LIFE_S = 2.0
PAUSE_S = 1.0
# A terminal that goes away is no reason to leave requests unanswered.
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = logging.getLogger("shardgate")


class Supervisor:
    """The parent of all workers."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._workers: dict[int, float] = {}
        self._stopping = False
        # Nobody writes into it: a worker reads its end when the last holder of the other side, the supervisor, is gone.
        self._lifeline = os.pipe()

    def run(self, ready: Callable[[int, list[int]], None]) -> int:
        """Serve until SIGTERM, SIGINT or SIGHUP; the exit code. `ready` hears the port and the workers' process ids.

        Raises OSError where the address cannot be taken.
        """
        # Bound, not listening: it holds the port (also a free one, asked for as 0), and takes no connection.
        holder = listen(self._loaded.host, self._loaded.port)
        port = holder.getsockname()[1]
        for number in ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` asks for that
                signal.signal(number, self._stop)
        wanted = self._loaded.config.workers or len(os.sched_getaffinity(0))
        try:
            if not all(self._start(port) for _ in range(wanted)):
                self._stop()
            else:
                ready(port, list(self._workers))
            return self._watch(port)
        finally:
            holder.close()

    def _start(self, port: int) -> bool:
        """Fork a worker; True when it serves. None is begun once the end has."""
        reader, writer = os.pipe()
        with _signals_held():  # until it is noted whom they must be passed on to
            worker = -1 if self._stopping else os.fork()
            if worker == 0:
                os.close(reader)
                os.close(self._lifeline[1])
                _run_worker(self._loaded, port, writer, self._lifeline[0])
            if worker > 0:
                self._workers[worker] = time.monotonic()
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            return pipe.read(1) == b"."

    def _watch(self, port: int) -> int:
        code = 0
        while self._workers:
            try:
                worker, status = os.wait()
            except ChildProcessError:
                break
            started_at = self._workers.pop(worker, 0.0)
            if self._stopping:
                code = code or os.waitstatus_to_exitcode(status)
                continue
            _log.error("worker %d ended with %d; it is replaced", worker, os.waitstatus_to_exitcode(status))
            if time.monotonic() - started_at < SHORT_LIFE_S:
                time.sleep(PAUSE_S)
            self._start(port)
        return 1 if code else 0

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for worker in self._workers:
            os.kill(worker, signal.SIGTERM)


@contextmanager
def _signals_held() -> Iterator[None]:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _run_worker(loaded: Loaded, port: int, writer: int, lifeline: int) -> None:
    """In the child: serve, and never return into the parent's code."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal sends it to all of its processes; the parent decides
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        serve_worker(loaded, port, lambda: _say_ready(writer), lifeline)
        code = 0
    except BaseException:
        _log.exception("the worker failed")
    finally:
        os._exit(code)


def _say_ready(writer: int) -> None:
    os.write(writer, b".")
    os.close(writer)
