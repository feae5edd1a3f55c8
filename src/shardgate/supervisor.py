"""Starts one worker a core on one port, replaces the dead, passes signals on, and drains.

Never: touches a request, or runs an event loop.
"""

import logging
import os
import signal
import time
from collections.abc import Callable

from shardgate.config.load import Loaded
from shardgate.wiring import listen, serve_worker

# A worker that dies sooner than this did not serve: its successor waits, so that a defect at start is no busy loop.
SHORT_LIFE_S = 2.0
PAUSE_S = 1.0

_log = logging.getLogger("shardgate")


class Supervisor:
    """The parent of all workers."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._workers: dict[int, float] = {}
        self._stopping = False

    def run(self, ready: Callable[[int, list[int]], None]) -> int:
        """Serve until SIGTERM or SIGINT; the exit code. `ready` hears the port and the workers' process ids.

        Raises OSError where the address cannot be taken.
        """
        # Bound, not listening: it holds the port (also a free one, asked for as 0), and takes no connection.
        holder = listen(self._loaded.host, self._loaded.port)
        port = holder.getsockname()[1]
        for number in (signal.SIGTERM, signal.SIGINT):
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
        """Fork a worker; True when it serves."""
        reader, writer = os.pipe()
        worker = os.fork()
        if worker == 0:
            os.close(reader)
            _run_worker(self._loaded, port, writer)
        os.close(writer)
        self._workers[worker] = time.monotonic()
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


def _run_worker(loaded: Loaded, port: int, writer: int) -> None:
    """In the child: serve, and never return into the parent's code."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        serve_worker(loaded, port, lambda: _say_ready(writer))
        code = 0
    except BaseException:
        _log.exception("the worker failed")
    finally:
        os._exit(code)


def _say_ready(writer: int) -> None:
    os.write(writer, b".")
    os.close(writer)
