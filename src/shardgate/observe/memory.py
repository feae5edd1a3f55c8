"""Whole numbers that several processes count in: one anonymous shared mapping, made before the workers are forked.

Each process writes only into its own slot, so that no increment is lost and none needs a lock; a reader adds the slots
up. The successor of a worker goes on in the same slot.

Holds: a cell is eight aligned bytes, so that a reader never sees half of a number. Pages that nobody wrote to take no
memory.
"""

import mmap

from shardgate.net.clock import wall

SLOTS = 256
"""The supervisor, and workers: twice their number while those of an old configuration still drain."""
_CELL_BYTES = 8


class SharedMemory:
    """All slots."""

    __slots__ = ("_cells", "_mapping", "made_at_ns", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        """Cells in a slot. The last is not for counting: in slot 0 it says how many slots were ever used."""
        self.made_at_ns = int(wall() * 1e9)
        """Since when is counted, in nanoseconds since 1970."""
        self._mapping = mmap.mmap(-1, SLOTS * width * _CELL_BYTES)
        self._cells = memoryview(self._mapping).cast("q")
        self._cells[width - 1] = 1

    @classmethod
    def roomy(cls, size: int) -> "SharedMemory":
        """Room for a layout of this size, and for what later configurations may add."""
        return cls(2 * size + 4096)

    def fits(self, size: int) -> bool:
        """Whether there is room for a layout of this size."""
        return size < self.width

    def slot(self, number: int) -> memoryview:
        """The cells of one process. To be called in one process only, the supervisor, for a number not yet used."""
        used = self.width - 1
        self._cells[used] = max(self._cells[used], number + 1)
        return self._cells[number * self.width : (number + 1) * self.width]

    def total(self, cell: int) -> int:
        """The sum over all slots."""
        used = self._cells[self.width - 1]
        return sum(self._cells[cell : used * self.width : self.width])
