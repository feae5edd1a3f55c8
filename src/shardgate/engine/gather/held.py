"""What all merges of a worker hold of shards' replies, in bytes, and the bound of it.

Beyond the bound the newest gather is refused: the older ones are nearer to their end, and then give room. One whose
reply has begun is the last to go: it could only be cut off.

Holds: refused is refused at once; what a gather held is given back when it ends, however it ends.
Never: counts what is merged of the replies: a whole merge takes about three times its replies.
"""

from collections.abc import Callable

from shardgate.core.errors import OverloadError, ShardgateError

Refuse = Callable[[ShardgateError], None]


class HeldBytes:
    """All that is held."""

    __slots__ = ("_holdings", "bytes", "bytes_max")

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self.bytes = 0
        self._holdings: dict[Holding, None] = {}

    def open(self) -> "Holding":
        """A gather begins."""
        holding = Holding(self)
        self._holdings[holding] = None
        return holding

    def make_room(self) -> None:
        """Too much is held: who must go is told."""
        while self.bytes > self.bytes_max:
            newest_first = list(reversed(self._holdings))
            victim = next((holding for holding in newest_first if not holding.begun), newest_first[0])
            victim.refuse(OverloadError(f"merges hold more than {self.bytes_max} bytes of shards' replies"))

    def forget(self, holding: "Holding") -> None:
        """A gather has ended."""
        self._holdings.pop(holding, None)


class Holding:
    """What one gather holds."""

    __slots__ = ("_held", "_is_open", "_size", "begun", "on_refused")

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._size = 0
        self._is_open = True
        self.begun = False
        """Its reply is made, or on its way to the client."""
        self.on_refused: Refuse | None = None
        """Who is told that it must go."""

    def add(self, size: int) -> None:
        """So much more has come."""
        if self._is_open:
            self._size += size
            held = self._held
            held.bytes += size
            if held.bytes > held.bytes_max and size > 0:
                held.make_room()

    def set(self, size: int) -> None:
        """So much is held now."""
        self.add(size - self._size)

    def close(self) -> None:
        """Nothing is held any more."""
        if self._is_open:
            self._is_open = False
            self._held.forget(self)
            self._held.bytes -= self._size

    def refuse(self, error: ShardgateError) -> None:
        """There is no room for it."""
        self.close()
        if self.on_refused is not None:
            self.on_refused(error)
