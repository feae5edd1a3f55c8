"""The access log: one line of JSON a request.

Holds: an entry is one line, whatever a client sends: JSON escapes line breaks. A line is never longer than a pipe takes
at once. Without `query`, nothing behind the `?` is written: it may be personal data. What looks like a credential, by
the name of its parameter, is never written.
Hot path: `write` runs once a request.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from shardgate.core.clients.masking import masked, plain
from shardgate.core.exchange import Exchange
from shardgate.core.routes.route import Route
from shardgate.net.clock import now, utc, wall
from shardgate.observe.layout import rule_of
from shardgate.observe.log_file import LogFile
from shardgate.observe.log_line import Line

BATCH_BYTES: Final = 64 * 1024
LINES_AT_ONCE: Final = 64
LINE_BYTES_MAX: Final = 4096  # PIPE_BUF on Linux, which is what log_file.py needs to keep lines whole
_CLOSE_S = 2.0
_SHORT_METHOD_CHARACTERS = 32
_SHORT_PATH_CHARACTERS = 512
# A line with no more than that is short, however it is escaped.
_PLAIN_METHOD_CHARACTERS: Final = 24
_PLAIN_PATH_CHARACTERS: Final = 256
_MILLISECONDS: Final = [f".{n:03d}Z" for n in range(1000)]


class AccessLog:
    """The access log of one worker."""

    __slots__ = (
        "_buffer",
        "_due",
        "_encoder",
        "_file",
        "_instant_ms",
        "_lines",
        "_mask",
        "_query",
        "_rules",
        "_sample",
        "_second",
        "_time",
        "_until_second",
        "_wall_offset",
    )

    def __init__(self, file: LogFile, *, query: bool, sample: float, mask: Iterable[str] = ()) -> None:
        """`mask`: further parameters whose values are secrets."""
        self._file = file
        self._query = query
        self._mask = frozenset([plain(name) for name in mask])
        self._sample = sample
        self._due = 0.5  # far from 0 and 1, so that rounding errors do not matter
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self._lines: list[Line] = []  # not encoded yet: at once each costs 0.2 µs, alone 0.35
        self._rules: dict[int, str] = {}
        self._instant_ms = self._second = -1
        self._time = self._until_second = ""
        self._wall_offset = wall() - now()

    @property
    def lost(self) -> int:
        """Lines that could not be written."""
        return self._file.lost

    def write(self, exchange: Exchange) -> None:
        """Write a request that is over: failures always, others as often as `sample` says."""
        if self._sample < 1.0 and exchange.status < 500 and not exchange.cut_off:
            self._due += self._sample
            if self._due < 1.0:
                return
            self._due -= 1.0
        self._lines.append(self._line(exchange))
        if len(self._lines) >= LINES_AT_ONCE:
            self._encode()
            if len(self._buffer) > BATCH_BYTES:
                self.flush()

    def flush(self) -> None:
        """Hand the gathered lines to the file; called at each tick."""
        self._wall_offset = wall() - now()  # the system's clock is adjusted now and then
        self._encode()
        if self._buffer:
            self._file.write(bytes(self._buffer))
            self._buffer.clear()

    def reopen(self) -> None:
        """Go on in a new file: the old one was renamed."""
        self.flush()
        self._file.reopen()

    def close(self) -> None:
        """Write all that was gathered, and close the file."""
        self.flush()
        self._file.close(_CLOSE_S)

    def _encode(self) -> None:
        self._buffer += self._encoder.encode_lines(self._lines)
        self._lines.clear()

    def _short_enough(self, line: Line) -> Line:
        return line if len(self._encoder.encode(line)) < LINE_BYTES_MAX else _shortened(line)

    def _line(self, exchange: Exchange) -> Line:
        # All members are set in one call: setting them one by one costs as much as the encoding.
        began_at, first_byte_at = exchange.began_at, exchange.first_byte_at
        instant_ms = int((began_at + self._wall_offset) * 1000)
        if instant_ms != self._instant_ms:
            self._instant_ms = instant_ms
            if (second := instant_ms // 1000) != self._second:
                self._second = second
                self._until_second = utc(second)  # once a second, not once a millisecond: it costs as much as a line
            self._time = self._until_second + _MILLISECONDS[instant_ms % 1000]
        request, route, shards = exchange.request, exchange.route, exchange.shards
        path = request.path if request is not None else ""
        if self._query and request is not None and request.query:
            path = masked(f"{path}?{request.query}", self._mask)
        elif ";" in path:
            path = masked(path, self._mask)
        method = request.method if request is not None else ""
        line = Line(
            self._time,
            exchange.request_id.decode("ascii"),
            exchange.peer,
            exchange.status,
            int((exchange.ended_at - began_at) * 1e6),
            exchange.bytes_in,
            exchange.bytes_out,
            method,
            path,
            route.operation if route is not None else "",
            (self._rules.get(id(route)) or self._rule(route)) if route is not None else "",
            shards,
            int((first_byte_at - began_at) * 1e6) if first_byte_at else 0,
            int(exchange.upstream_s * 1e6),
            exchange.error,
            exchange.cut_off,
        )
        if len(path) > _PLAIN_PATH_CHARACTERS or len(method) + len(shards) > _PLAIN_METHOD_CHARACTERS:
            return self._short_enough(line)
        return line

    def _rule(self, route: Route) -> str:
        """The route's rule, remembered by the identity of the route, which lives as long as its configuration."""
        return self._rules.setdefault(id(route), rule_of(route))


def _shortened(line: Line) -> Line:
    # An escaped character takes at most six bytes. Operations are names of the configuration, and short.
    line.method = line.method[:_SHORT_METHOD_CHARACTERS]
    line.path = line.path[:_SHORT_PATH_CHARACTERS]
    line.shards = ()
    line.shortened = True
    return line
