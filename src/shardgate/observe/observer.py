"""Hears of every request of one worker once it is over, and looks at what is so at each tick."""

from collections.abc import Callable, Iterable

from shardgate.core.exchange import Exchange
from shardgate.core.topology import ShardId
from shardgate.net.watch import Watch
from shardgate.observe.access_log import AccessLog
from shardgate.observe.meter import Meter

Pools = Callable[[], Iterable[tuple[ShardId, int, int, int, int]]]
"""Of each shard: its connections, those that are idle, the requests that wait, and how many have ever waited."""


class Observer:
    """The one hook of a worker: the engine and the connections tell it, and nobody else."""

    __slots__ = ("_log", "_pools", "_watch", "deadline_at", "meter")

    def __init__(self, meter: Meter, watch: Watch, pools: Pools) -> None:
        self.meter = meter
        self._watch = watch
        self._pools = pools
        self._log: AccessLog | None = None
        self.deadline_at = 0.0  # always due: `expire` is called at each tick

    def start(self, log: AccessLog | None) -> None:
        """From now on look at each tick, and write into this log."""
        self._log = log
        self._watch.add(self)

    def finished(self, exchange: Exchange) -> None:
        """A request is over."""
        self.meter.finished(exchange)
        if self._log is not None:
            self._log.write(exchange)

    def expire(self) -> None:
        """A tick."""
        log = self._log
        if log is not None:
            log.flush()
        self.meter.tick(self._pools(), log.lost if log is not None else 0)

    def reopen_log(self) -> None:
        """The log was renamed."""
        if self._log is not None:
            self._log.reopen()

    def close(self) -> None:
        """The last look; the log is written to its end."""
        self._watch.discard(self)
        self.expire()
        if self._log is not None:
            self._log.close()
