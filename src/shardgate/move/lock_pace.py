"""How many rows a transaction writes while others wait for the same lock, and how long the copy then rests.

Holds: a transaction takes about `LOCK_S`, by what the last ones took. After each the lock is free for at least as long,
and for as long as the copy had to wait for it: changes of others wait as long now. Whoever waits for a lock of SQLite
looks again after 1, 2, 5, 10, 15, 20 ms …: a short transaction costs it one or two looks.
Never: looks at a clock.
"""

from typing import Final

LOCK_S: Final = 0.01
ROWS_MIN: Final = 20
ROWS_MAX: Final = 5000
_FIRST_ROWS: Final = 500
_FASTER_MAX: Final = 2.0
_SLOWER_MAX: Final = 0.25
_REST_S_MIN: Final = 0.003
_REST_S_MAX: Final = 0.05


class LockPace:
    """Of one copy, at one database."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows = float(_FIRST_ROWS)

    @property
    def rows(self) -> int:
        """How many the next transaction writes."""
        return int(self._rows)

    def rest_s(self, took_s: float, rows: int, waited_s: float = 0.0) -> float:
        """How long to rest after a transaction that held the lock so long for so many rows.

        `waited_s`: for the lock.
        """
        by = min(_FASTER_MAX, max(_SLOWER_MAX, LOCK_S / took_s)) if took_s > 0 else _FASTER_MAX
        if by < 1 or rows >= self.rows:  # the last rows of a table say nothing of how many could be written
            self._rows = min(float(ROWS_MAX), max(float(ROWS_MIN), min(self._rows, rows) * by))
        return min(_REST_S_MAX, max(_REST_S_MIN, took_s, waited_s))
