"""Pushes all metrics to a receiver of OTLP over HTTP, at an interval, from a thread of its own.

Holds: one worker pushes for all. A receiver that is slow or away delays no request, and what it missed comes with the
next push. A failure is one line of the log, and its end another.
Never: writes a header field or a reply's body that could be a secret into the log.
"""

import gzip
import logging
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Thread
from typing import Final

from shardgate import __version__
from shardgate.config.otlp import MetricsPush
from shardgate.net.clock import wall
from shardgate.observe.layout import PUSH_FAILURES, Layout
from shardgate.observe.memory import SharedMemory
from shardgate.observe.otlp import export

LAST_S: Final = 2.0
"""How long the last push may take, at the end of a worker."""
_PAUSE_S = 0.0005  # between two metrics the event loop takes its turn: 600 series take 2 ms in all
_REPLY_BYTES_MAX = 64 * 1024
_NOTHING_REFUSED_BYTES_MAX = 2  # of a reply that says that all points were taken

_log = logging.getLogger("shardgate")


class Pusher:
    """Pushes what is in the shared memory."""

    __slots__ = ("_attributes", "_cells", "_ended", "_fails", "_layout", "_memory", "_thread", "_to")

    def __init__(self, to: MetricsPush, layout: Layout, memory: SharedMemory, cells: memoryview) -> None:
        """`cells`: this worker's slot of the memory, where failures are counted."""
        self._to = to
        self._layout = layout
        self._memory = memory
        self._cells = cells
        self._attributes = _resource(to.attributes)
        self._fails = False
        self._ended = Event()
        self._thread = Thread(target=self._run, name="metrics push", daemon=True)

    def start(self) -> None:
        """Begin; the first push comes after one interval."""
        self._thread.start()

    def close(self) -> None:
        """Push once more, and end."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(LAST_S)

    def _run(self) -> None:
        while not self._ended.wait(self._to.every_s):
            self._try(self._to.timeout_s)
        self._try(min(LAST_S, self._to.timeout_s))

    def _try(self, timeout_s: float) -> None:
        try:
            problem = self._push(timeout_s)
        except (OSError, HTTPException, ValueError) as error:
            problem = f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"
        if problem:
            self._cells[self._layout.cell(PUSH_FAILURES)] += 1
        if problem and not self._fails:
            _log.error("metrics cannot be pushed to %s: %s; it is tried again", self._to.host, problem)
        elif self._fails and not problem:
            _log.warning("metrics are pushed to %s again", self._to.host)
        self._fails = bool(problem)

    def _push(self, timeout_s: float) -> str:
        """Push once. Returns what is wrong, or nothing. Raises OSError or HTTPException."""
        since_ns, at_ns = self._memory.made_at_ns, int(wall() * 1e9)
        body = export(self._layout, self._memory, self._attributes, since_ns, at_ns, self._let_others_run)
        fields = {
            **self._to.headers,
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "gzip",
            "User-Agent": f"shardgate/{__version__}",
            "Connection": "close",
        }
        connection = self._connection(timeout_s)
        try:
            connection.request("POST", self._to.path, gzip.compress(body, 1), fields)
            reply = connection.getresponse()
            said = reply.read(_REPLY_BYTES_MAX)
        finally:
            connection.close()
        if reply.status != 200:
            return f"it replied {reply.status}"
        return "it did not take all of them" if len(said) > _NOTHING_REFUSED_BYTES_MAX else ""

    def _connection(self, timeout_s: float) -> HTTPConnection:
        to = self._to
        if not to.is_tls:
            return HTTPConnection(to.host, to.port, timeout=timeout_s)
        context = ssl.create_default_context(cafile=None if to.ca is None else str(to.ca))
        return HTTPSConnection(to.host, to.port, timeout=timeout_s, context=context)

    def _let_others_run(self) -> None:
        self._ended.wait(_PAUSE_S)


def _resource(given: Mapping[str, str]) -> dict[str, str]:
    """What the gateway is, as OpenTelemetry's conventions name it; what is given wins."""
    known = {"service.name": "shardgate", "service.version": __version__, "service.instance.id": socket.gethostname()}
    return {**known, **given}
