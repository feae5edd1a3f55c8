"""The beats of the workers of one configuration, in memory that they share with their supervisor.

Holds: each worker writes its own beat alone. A beat is eight aligned bytes, so that a reader never sees half of one.
"""

import mmap
from collections.abc import Sequence

_CELL_BYTES = 8


class Pulses:
    """The last beat of each worker, in seconds of a clock that all processes share. Made before they are forked."""

    __slots__ = ("_cells", "_mapping")

    def __init__(self, workers: int) -> None:
        self._mapping = mmap.mmap(-1, workers * _CELL_BYTES)
        self._cells = memoryview(self._mapping).cast("d")

    def beat(self, index: int, now_s: float) -> None:
        """Worker `index` is at work."""
        self._cells[index] = now_s

    def beats(self) -> Sequence[float]:
        """The last beats of all; 0 for a worker that has not begun."""
        return self._cells.tolist()
