"""Waits until the workers of all gateways have followed a movement.

Holds: a worker whose lease has ended is not waited for: its process is gone, and so are its requests; or it knows by
now that it makes no changes (`dead_after_s`).
"""

import time
from typing import Final

from shardgate.core.changes.deaths import Deaths
from shardgate.move.errors import NotNowError
from shardgate.net.clock import now
from shardgate.store.leases import Leases
from shardgate.store.movements import Movements

_POLL_S: Final = 0.002


class Gateways:
    """The workers of all gateways, as the mover sees them."""

    __slots__ = ("_leases", "_movements")

    def __init__(self, movements: Movements, leases: Leases) -> None:
        self._movements = movements
        self._leases = leases

    def await_turn(self, turn: int, patience_s: float) -> None:
        """Return once all living workers have acknowledged the turn. Raises NotNowError."""
        until = now() + patience_s
        deaths = Deaths(self._leases.dead_after_s)
        while behind := self._behind(turn, deaths):
            if now() > until:
                raise NotNowError(f"{len(behind)} workers have not acknowledged within {patience_s:g} s")
            time.sleep(_POLL_S)

    def _behind(self, turn: int, deaths: Deaths) -> list[str]:
        late = [each.worker for each in self._movements.workers() if each.turn < turn]
        if dead := deaths.due(late, self._leases.lives, now()):
            self._movements.forget(dead)
        return [worker for worker in late if worker not in dead]
