"""Counts what happens in one process, in its slot of the shared memory.

Hot path: `finished` once a request: nine increments of about 0.1 µs and two bisections.
"""

from bisect import bisect_left
from collections.abc import Iterable

from shardgate.core.errors import ShardgateError
from shardgate.core.exchange import CUT_OFFS, Exchange
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId
from shardgate.net.clock import cpu
from shardgate.observe.layout import (
    BOUNDS_S,
    CLIENTS,
    CLIENTS_CAME,
    CLIENTS_REFUSED,
    CPU,
    CUT_OFF,
    DURATION,
    ERRORS,
    FIRST_BYTE,
    HISTOGRAM_CELLS,
    IN_FLIGHT,
    LINES_LOST,
    NO_ROUTE,
    POOL_IDLE,
    POOL_OPEN,
    POOL_WAITING,
    POOL_WAITS,
    RECEIVED,
    REQUESTS,
    SENT,
    STATUS_CLASSES,
    UPSTREAM,
    UPSTREAM_ERRORS,
    Family,
    Layout,
    error_codes,
    rule_of,
)

_SUM = HISTOGRAM_CELLS - 1
_CLASSES = len(STATUS_CLASSES)


class Meter:
    """The counters of one worker."""

    __slots__ = (
        "_before",
        "_cells",
        "_cut_offs",
        "_errors",
        "_layout",
        "_no_route",
        "_received",
        "_routes",
        "_sent",
        "_upstream",
        "in_flight",
    )

    def __init__(self, cells: memoryview, layout: Layout, routes: Iterable[Route], shards: Iterable[ShardId]) -> None:
        self._cells = cells
        self._layout = layout
        # By identity: a route is one object for as long as its configuration is in force.
        self._routes = {id(route): self._places(route.operation, rule_of(route)) for route in routes}
        self._no_route = self._places(NO_ROUTE, NO_ROUTE)
        self._received = layout.cell(RECEIVED)
        self._sent = layout.cell(SENT)
        self._errors = {code: layout.cell(ERRORS, code) for code in error_codes()}
        self._cut_offs = {reason: layout.cell(CUT_OFF, reason) for reason in CUT_OFFS}
        self._upstream = {shard: layout.cell(UPSTREAM, shard) for shard in shards}
        self._before: dict[int, int] = {}
        self.in_flight = 0
        """Requests under way. Written at each tick: an attribute costs a third of a cell."""

    def finished(self, exchange: Exchange) -> None:
        """A request is over."""
        cells = self._cells
        statuses, first_bytes, durations = self._routes.get(id(exchange.route), self._no_route)
        status_class = exchange.status // 100
        cells[statuses + (status_class if status_class < _CLASSES else 0)] += 1
        began_at = exchange.began_at
        if exchange.first_byte_at:
            took = exchange.first_byte_at - began_at
            cells[first_bytes + bisect_left(BOUNDS_S, took)] += 1
            cells[first_bytes + _SUM] += int(took * 1e6)
        took = exchange.ended_at - began_at
        cells[durations + bisect_left(BOUNDS_S, took)] += 1
        cells[durations + _SUM] += int(took * 1e6)
        cells[self._received] += exchange.bytes_in
        cells[self._sent] += exchange.bytes_out
        if exchange.error:
            cells[self._errors[exchange.error]] += 1
        if exchange.cut_off:
            cells[self._cut_offs[exchange.cut_off]] += 1

    def replied(self, shard: ShardId, took_s: float) -> None:
        """The head of a shard's reply has come."""
        cell = self._upstream[shard]
        self._cells[cell + bisect_left(BOUNDS_S, took_s)] += 1
        self._cells[cell + _SUM] += int(took_s * 1e6)

    def failed(self, shard: ShardId, error: ShardgateError) -> None:
        """A request to a shard had no whole reply."""
        self._cells[self._layout.cell(UPSTREAM_ERRORS, shard, error.code)] += 1

    def client_came(self, *, refused: bool) -> None:
        """A client has opened a connection."""
        self._cells[self._layout.cell(CLIENTS_CAME)] += 1
        self._cells[self._layout.cell(CLIENTS)] += 1
        if refused:
            self._cells[self._layout.cell(CLIENTS_REFUSED)] += 1

    def client_went(self) -> None:
        """Its connection is closed."""
        self._cells[self._layout.cell(CLIENTS)] -= 1

    def tick(self, pools: Iterable[tuple[ShardId, int, int, int, int]], lines_lost: int) -> None:
        """What is looked at now and then: `pools` are shard, open, idle, waiting, and how many have ever waited."""
        layout, cells = self._layout, self._cells
        cells[layout.cell(IN_FLIGHT)] = self.in_flight
        for shard, opened, idle, waiting, waited in pools:
            cells[layout.cell(POOL_OPEN, shard)] = opened
            cells[layout.cell(POOL_IDLE, shard)] = idle
            cells[layout.cell(POOL_WAITING, shard)] = waiting
            self._go_on(POOL_WAITS, waited, shard)
        self._go_on(LINES_LOST, lines_lost)
        self._go_on(CPU, int(cpu() * 1e6))

    def _go_on(self, family: Family, value: int, *labels: str) -> None:
        """What this process counts from 0 adds to what those before it in this slot had counted."""
        cell = self._layout.cell(family, *labels)
        self._cells[cell] = self._before.setdefault(cell, self._cells[cell]) + value

    def _places(self, operation: str, rule: str) -> tuple[int, int, int]:
        layout = self._layout
        return (
            layout.cell(REQUESTS, operation, rule, STATUS_CLASSES[0]),
            layout.cell(FIRST_BYTE, rule),
            layout.cell(DURATION, rule),
        )
