"""What one step of a purge deletes: so many rows and so many bytes that the lock of the store is held for a moment."""

from collections.abc import Sequence
from typing import Any

import msgspec


class Purged(msgspec.Struct, frozen=True):
    """What was deleted."""

    count: int
    more: bool
    """There may be more to delete."""
    held_s: float
    """How long the lock of the store was held."""


def within(rows: Sequence[tuple[Any, ...]], bytes_max: int) -> list[tuple[Any, ...]]:
    """The first rows until they have `bytes_max` bytes together, without their last column: the bytes of each."""
    chosen: list[tuple[Any, ...]] = []
    size = 0
    for *row, row_bytes in rows:
        if size >= bytes_max:
            break
        size += int(row_bytes or 0)
        chosen.append(tuple(row))
    return chosen
