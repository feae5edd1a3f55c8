"""Passes every request that is over to the metrics and the access log of one worker, and writes gauges at each tick."""

from collections.abc import Callable, Iterable, Mapping

from shardgate.core.exchange import Exchange
from shardgate.core.topology import ShardId
from shardgate.net.watch import Watch
from shardgate.observe.access_log import AccessLog
from shardgate.observe.meter import Meter

Pools = Callable[[], Iterable[tuple[ShardId, int, int, int, int]]]
"""For each shard: open connections, idle connections, waiting calls, and calls that have ever waited."""


class Observer:
    """The only hook for observation: the engine and the connections call it."""

    __slots__ = ("_held", "_log", "_pools", "_watch", "deadline_at", "meter", "queues")

    def __init__(self, meter: Meter, watch: Watch, pools: Pools, held: Callable[[], Mapping[str, int]]) -> None:
        """`held`: gives the bytes that are held now, by kind."""
        self._held = held
        self.meter = meter
        self._watch = watch
        self._pools = pools
        self._log: AccessLog | None = None
        self.queues: list[Callable[[], int]] = []
        """Each gives how many new connections wait in one listening socket."""
        self.deadline_at = 0.0  # always due, so `expire` is called at each tick

    def start(self, log: AccessLog | None) -> None:
        """Begin: write gauges at each tick, and requests into this log."""
        self._log = log
        self._watch.add(self)

    def finished(self, exchange: Exchange) -> None:
        """Count and log a request that is over."""
        self.meter.finished(exchange)
        if self._log is not None:
            self._log.write(exchange)

    def expire(self) -> None:
        """Write the log and the gauges; called at each tick."""
        log = self._log
        if log is not None:
            log.flush()
        self.meter.queued(sum([waiting() for waiting in self.queues]))
        self.meter.tick(self._pools(), self._held(), log.lost if log is not None else 0)

    def reopen_log(self) -> None:
        """Open the log anew: its file was renamed."""
        if self._log is not None:
            self._log.reopen()

    def close(self) -> None:
        """Write the gauges a last time, and the log to its end."""
        self._watch.discard(self)
        self.expire()
        if self._log is not None:
            self._log.close()
