"""How much the next step of a purge deletes, and how long the store has peace until then.

Holds: a step is sized by how long the last one held the lock of the store, so that it is short on any disk. While more
is due, a fifth of the time goes to the purge: it keeps up with thousands of keys a second.
"""

from typing import Final

STEP_S: Final = 0.01
"""How long a step may hold the lock of the store."""
ROWS_MIN: Final = 10
ROWS_MAX: Final = 2_000
BYTES_MAX: Final = 4 * 1024 * 1024
"""Of one step: kept replies are up to 1 MiB each, and to free their pages takes time."""
IDLE_S: Final = 5.0
"""After a step that left nothing."""
_REST: Final = 4
_REST_MIN_S: Final = 0.005


class PurgePace:
    """The pace of one table's purge."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows = 100
        """How many the next step may delete."""

    def after(self, *, more: bool, held_s: float) -> float:
        """Take in a step that held the lock for so long; `more`: it left some. Returns how long to wait, in seconds."""
        if held_s > STEP_S:
            self.rows = max(ROWS_MIN, int(self.rows * STEP_S / held_s))
        elif more and held_s < STEP_S / 2:
            self.rows = min(ROWS_MAX, self.rows * 2)
        return max(_REST_MIN_S, held_s * _REST) if more else IDLE_S
