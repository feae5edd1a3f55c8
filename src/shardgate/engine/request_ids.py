"""Ids for requests whose clients sent none: `7f3a9c01d2e4-1c05`, which no other request of any worker has.

Hot path: compiled. To write a number costs 0.1 µs, so an id is two pieces that are there already.
"""

from secrets import token_hex
from typing import Final

_ENDS: Final = [b"%03x" % number for number in range(0x1000)]


class RequestIds:
    """Of one worker."""

    __slots__ = ("_beginning", "_number", "prefix")

    def __init__(self) -> None:
        self.prefix = token_hex(6).encode()
        """Of this worker: not made on import, since all workers are forks of one process."""
        self._number = 0  # of the next
        self._beginning = b""  # the same for as many as there are ends

    def next(self) -> bytes:
        """One more."""
        place = self._number % len(_ENDS)
        if not place:
            self._beginning = b"%b-%x" % (self.prefix, self._number // len(_ENDS))
        self._number += 1
        return self._beginning + _ENDS[place]
