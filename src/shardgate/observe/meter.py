"""Counts what happens in one process, in its slot of the shared memory.

Holds: counts are written to the shared memory at once, so none is lost when a worker is killed. Sums of times and bytes
are added up here and written at each tick, since a cell costs 0.1 µs, and a dict 0.03.
Hot path: `finished` runs once a request, `replied` once a call to a shard; `bench/micro/observing.py` measures both.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from shardgate.core.errors import ShardgateError
from shardgate.core.exchange import CUT_OFFS, Exchange
from shardgate.core.routes.route import Route
from shardgate.core.topology import ShardId
from shardgate.net.clock import cpu
from shardgate.observe.layout import (
    ACCEPT_QUEUE,
    BOUNDS_S,
    BUDGET_REFUSALS,
    CACHED,
    CLASS_OUTCOMES,
    CLASSES,
    CLIENTS,
    CLIENTS_CAME,
    CLIENTS_REFUSED,
    COALESCED,
    CPU,
    CUT_OFF,
    DEADLINES,
    DISCOVERY_FAILURES,
    DISPUTES,
    DURATION,
    ERRORS,
    FAILOVER_WAITING,
    FAILOVER_WAITS,
    FIRST_BYTE,
    HEDGES,
    HELD,
    HISTOGRAM_CELLS,
    IN_FLIGHT,
    IN_FLIGHT_MAX,
    LAG,
    LEFT_OUT,
    LINES_LOST,
    LIST_CALLS,
    LIST_PAGES,
    LIST_ROUNDS,
    LIST_ROWS,
    NO_ROUTE,
    PARTIAL,
    POOL_IDLE,
    POOL_OPEN,
    POOL_WAITING,
    POOL_WAITS,
    RECEIVED,
    REPLICAS_CHANGED,
    REQUESTS,
    RETRIES,
    SENT,
    STATUS_CLASSES,
    UPSTREAM,
    UPSTREAM_ERRORS,
    Layout,
    error_codes,
    rule_of,
)

_SUM: Final = HISTOGRAM_CELLS - 1
_CLASSES: Final = len(STATUS_CLASSES)
_BOUNDS_S: Final = list(BOUNDS_S)
_FIRST_S: Final = BOUNDS_S[0]
_ROUNDS: Final = len(LIST_ROUNDS)


class _Times:
    """A histogram: its first cell, and the seconds that this process has added to its sum."""

    __slots__ = ("cell", "seconds")

    def __init__(self, cell: int) -> None:
        self.cell = cell
        self.seconds = 0.0


class _Lists:
    """What pages of one operation's list have cost the shards, of those that took the same number of rounds."""

    __slots__ = ("calls", "cells", "pages", "rows")

    def __init__(self, cells: tuple[int, int, int]) -> None:
        self.cells = cells
        self.pages = self.calls = self.rows = 0


class _Places:
    """Where the requests of one operation are counted."""

    __slots__ = ("durations", "first_bytes", "lists", "statuses")

    def __init__(self, statuses: int, first_bytes: _Times, durations: _Times, lists: list[_Lists]) -> None:
        self.statuses = statuses
        self.lists = lists
        """What its pages cost, by the number of rounds less one."""
        self.first_bytes = first_bytes
        self.durations = durations


def _place(took_s: float) -> int:
    """The cell of a histogram that a time belongs to. Most are short: compiled, it costs a fifth of a bisection."""
    place = 0
    for bound_s in _BOUNDS_S:
        if took_s <= bound_s:
            break
        place += 1
    return place


class Meter:
    """The counters of one worker."""

    __slots__ = (
        "_before",
        "_cells",
        "_cut_offs",
        "_errors",
        "_lag_s",
        "_layout",
        "_lists",
        "_no_route",
        "_received",
        "_routes",
        "_sent",
        "_sums",
        "_upstream",
        "in_flight",
    )

    def __init__(self, cells: memoryview, layout: Layout, routes: Iterable[Route], shards: Iterable[ShardId]) -> None:
        self._cells = cells
        self._layout = layout
        self._sums = {cell: _Times(cell) for cell in layout.histograms()}
        self._lists: dict[str, list[_Lists]] = {}
        """By operation, which several routes may share."""
        # By identity: a route is one object as long as its configuration is in force.
        self._routes = {id(route): self._places(route.operation, rule_of(route)) for route in routes}
        self._no_route = self._places(NO_ROUTE, NO_ROUTE)
        self._received = self._sent = 0
        self._lag_s = 0.0
        self._errors = {code: layout.cell(ERRORS, code) for code in error_codes()}
        self._cut_offs = {reason: layout.cell(CUT_OFF, reason) for reason in CUT_OFFS}
        self._upstream = {shard: self._sums[layout.cell(UPSTREAM, shard)] for shard in shards}
        self._before: dict[int, int] = {}
        self.in_flight = 0
        """Requests under way. They are written at each tick, since an attribute costs a third of a cell."""

    def finished(self, exchange: Exchange) -> None:
        """Count a request that is over."""
        cells = self._cells
        places = self._routes.get(id(exchange.route), self._no_route)
        durations, first_bytes = places.durations, places.first_bytes
        status_class = exchange.status // 100
        cells[places.statuses + (status_class if status_class < _CLASSES else 0)] += 1
        began_at = exchange.began_at
        ended_at, first_byte_at = exchange.ended_at, exchange.first_byte_at
        took = ended_at - began_at
        place = 0 if took <= _FIRST_S else _place(took)
        cells[durations.cell + place] += 1
        durations.seconds += took
        if first_byte_at:
            if first_byte_at != ended_at:  # the reply was not written in one piece
                took = first_byte_at - began_at
                place = 0 if took <= _FIRST_S else _place(took)
            cells[first_bytes.cell + place] += 1
            first_bytes.seconds += took
        self._received += exchange.bytes_in
        self._sent += exchange.bytes_out
        if exchange.rows_asked:
            rounds = exchange.rounds
            listed = places.lists[rounds - 1 if rounds < _ROUNDS else _ROUNDS - 1]
            listed.pages += 1
            listed.calls += exchange.calls
            listed.rows += exchange.rows_asked
        if exchange.error:
            cells[self._errors[exchange.error]] += 1
        if exchange.cut_off:
            cells[self._cut_offs[exchange.cut_off]] += 1

    def replied(self, shard: ShardId, took_s: float) -> None:
        """Count the head of a shard's reply, and how long it took."""
        times = self._upstream[shard]
        self._cells[times.cell + (0 if took_s <= _FIRST_S else _place(took_s))] += 1
        times.seconds += took_s

    def failed(self, shard: ShardId, error: ShardgateError) -> None:
        """Count a call to a shard that had no whole reply."""
        self._cells[self._layout.cell(UPSTREAM_ERRORS, shard, error.code)] += 1

    def refused(self, budget: str) -> None:
        """Count a request that was refused because this budget is used up."""
        self._cells[self._layout.cell(BUDGET_REFUSALS, budget)] += 1

    def disputed(self, shard: ShardId) -> None:
        """Count a key that this shard showed though another had shown it."""
        self._cells[self._layout.cell(DISPUTES, shard)] += 1

    def retried(self, shard: ShardId) -> None:
        """Count a call that was sent to another replica."""
        self._cells[self._layout.cell(RETRIES, shard)] += 1

    def hedged(self, shard: ShardId) -> None:
        """Count a read that was sent to a second replica, too."""
        self._cells[self._layout.cell(HEDGES, shard)] += 1

    def left_out(self, shard: ShardId) -> None:
        """Count a replica that gets no calls for a while."""
        self._cells[self._layout.cell(LEFT_OUT, shard)] += 1

    def deadline_passed(self, whose: str) -> None:
        """Count a request that ended since its deadline had passed."""
        self._cells[self._layout.cell(DEADLINES, whose)] += 1

    def discovery_failed(self, shard: ShardId) -> None:
        """Count a question to DNS that named no replica."""
        self._cells[self._layout.cell(DISCOVERY_FAILURES, shard)] += 1

    def replicas_changed(self, shard: ShardId, count: int) -> None:
        """Count replicas that joined, left, or have another weight."""
        self._cells[self._layout.cell(REPLICAS_CHANGED, shard)] += count

    def left_out_of_list(self, shard: ShardId) -> None:
        """Count a list that was answered without this shard."""
        self._cells[self._layout.cell(PARTIAL, shard)] += 1

    def coalesced(self) -> None:
        """Count a request that got the reply of an equal one."""
        self._cells[self._layout.cell(COALESCED)] += 1

    def cached(self, result: str) -> None:
        """Count a request of a rule whose replies are kept."""
        self._cells[self._layout.cell(CACHED, result)] += 1

    def waiting(self, shard: ShardId, requests: int) -> None:
        """Take in how many requests wait for this shard, which cannot be reached."""
        self._cells[self._layout.cell(FAILOVER_WAITING, shard)] = requests

    def waited(self, shard: ShardId) -> None:
        """Count a request that begins to wait for this shard."""
        self._cells[self._layout.cell(FAILOVER_WAITS, shard)] += 1

    def client_came(self, *, refused: bool) -> None:
        """Count a new connection."""
        self._cells[self._layout.cell(CLIENTS_CAME)] += 1
        self._cells[self._layout.cell(CLIENTS)] += 1
        if refused:
            self._cells[self._layout.cell(CLIENTS_REFUSED)] += 1

    def client_went(self) -> None:
        """Count a connection that is closed."""
        self._cells[self._layout.cell(CLIENTS)] -= 1

    def looked(self, lag_s: float, in_flight_max: int) -> None:
        """Take in how late the loop is, and how many requests may be under way before lists are refused."""
        self._lag_s += lag_s
        self._cells[self._layout.cell(IN_FLIGHT_MAX)] = in_flight_max

    def ranked(self, name: str, *, is_refused: bool) -> None:
        """Count a request of a priority class: it is taken on, or refused."""
        self._cells[self._layout.cell(CLASSES, name, CLASS_OUTCOMES[is_refused])] += 1

    def queued(self, connections: int) -> None:
        """Take in how many new connections are not accepted yet."""
        self._cells[self._layout.cell(ACCEPT_QUEUE)] = connections

    def tick(
        self, pools: Iterable[tuple[ShardId, int, int, int, int]], held: Mapping[str, int], lines_lost: int
    ) -> None:
        """Write the gauges and sums. `pools`: shard, open, idle, waiting, and how many calls have ever waited.

        `held`: the bytes that are held, by kind.
        """
        layout, cells = self._layout, self._cells
        for kind, size in held.items():
            cells[layout.cell(HELD, kind)] = size
        cells[layout.cell(IN_FLIGHT)] = self.in_flight
        for shard, opened, idle, waiting, waited in pools:
            cells[layout.cell(POOL_OPEN, shard)] = opened
            cells[layout.cell(POOL_IDLE, shard)] = idle
            cells[layout.cell(POOL_WAITING, shard)] = waiting
            self._go_on(layout.cell(POOL_WAITS, shard), waited)
        for listed in [each for by_rounds in self._lists.values() for each in by_rounds]:
            for cell, number in zip(listed.cells, (listed.pages, listed.calls, listed.rows), strict=True):
                self._go_on(cell, number)
        for times in self._sums.values():
            self._go_on(times.cell + _SUM, int(times.seconds * 1e6))
        self._go_on(layout.cell(RECEIVED), self._received)
        self._go_on(layout.cell(SENT), self._sent)
        self._go_on(layout.cell(LINES_LOST), lines_lost)
        self._go_on(layout.cell(LAG), int(self._lag_s * 1e6))
        self._go_on(layout.cell(CPU), int(cpu() * 1e6))

    def _go_on(self, cell: int, value: int) -> None:
        """Write a count that began at 0 with this process, on top of those of earlier processes in this slot."""
        self._cells[cell] = self._before.setdefault(cell, self._cells[cell]) + value

    def _places(self, operation: str, rule: str) -> _Places:
        layout, sums = self._layout, self._sums
        if operation != NO_ROUTE and operation not in self._lists:
            self._lists[operation] = [
                _Lists(
                    (
                        layout.cell(LIST_PAGES, operation, rounds),
                        layout.cell(LIST_CALLS, operation, rounds),
                        layout.cell(LIST_ROWS, operation, rounds),
                    )
                )
                for rounds in LIST_ROUNDS
            ]
        return _Places(
            layout.cell(REQUESTS, operation, rule, STATUS_CLASSES[0]),
            sums[layout.cell(FIRST_BYTE, rule)],
            sums[layout.cell(DURATION, rule)],
            self._lists.get(operation, []),
        )
