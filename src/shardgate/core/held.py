"""Counts the bytes of shards' replies that all gathers of a worker hold, and keeps them below a bound.

Above the bound the newest gather is refused: the older ones are nearer to their end, and will then free their bytes. A
gather whose reply has begun is refused last, since its reply would be cut off.

Holds: a gather is refused at once. Its bytes are given back when it ends, however it ends.
Never: counts the merged reply: a whole merge takes about three times its replies.
"""

from collections.abc import Callable
from typing import Final

from shardgate.core.errors import OverloadError, ShardgateError

Refuse = Callable[[ShardgateError], None]


HELD_KINDS: Final = ("reply",)
"""What is held: `reply`: shards' replies, to be merged."""


class HeldBytes:
    """All that is held."""

    __slots__ = ("_holdings", "by_kind", "bytes", "bytes_max")

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self.by_kind: dict[str, int] = dict.fromkeys(HELD_KINDS, 0)
        self._holdings: dict[Holding, None] = {}

    def open(self, kind: str) -> "Holding":
        """Begin to count for one piece of work. `kind`: a word of HELD_KINDS."""
        holding = Holding(self, kind)
        self._holdings[holding] = None
        return holding

    def make_room(self) -> None:
        """Refuse gathers until the bytes are below the bound."""
        while self.bytes > self.bytes_max:
            newest_first = list(reversed(self._holdings))
            victim = next((holding for holding in newest_first if not holding.begun), newest_first[0])
            victim.refuse(
                OverloadError(f"merges hold more than {self.bytes_max} bytes of shards' replies", budget="held_bytes")
            )

    def forget(self, holding: "Holding") -> None:
        """Count no more for a gather."""
        self._holdings.pop(holding, None)


class Holding:
    """What one gather holds."""

    __slots__ = ("_held", "_is_open", "_kind", "_size", "begun", "on_refused")

    def __init__(self, held: HeldBytes, kind: str) -> None:
        self._held = held
        self._kind = kind
        self._size = 0
        self._is_open = True
        self.begun = False
        """The reply is being made, or on its way to the client."""
        self.on_refused: Refuse | None = None
        """Called with the error when the gather is refused."""

    def add(self, size: int) -> None:
        """Hold so many bytes more."""
        if self._is_open:
            self._size += size
            held = self._held
            held.bytes += size
            held.by_kind[self._kind] += size
            if held.bytes > held.bytes_max and size > 0:
                held.make_room()

    def set(self, size: int) -> None:
        """Hold so many bytes from now on."""
        self.add(size - self._size)

    def close(self) -> None:
        """Give all bytes back."""
        if self._is_open:
            self._is_open = False
            self._held.forget(self)
            self._held.bytes -= self._size
            self._held.by_kind[self._kind] -= self._size

    def refuse(self, error: ShardgateError) -> None:
        """Give all bytes back, and end the gather with this error."""
        self.close()
        if self.on_refused is not None:
            self.on_refused(error)
