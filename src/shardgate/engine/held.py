"""What all merges of a worker hold of shards' replies, in bytes, and the bound of it.

Beyond the bound the newest gather is refused: the older ones are nearer to their end, and then give room. One whose
reply has begun is the last to go: it could only be cut off.

Holds: refused is refused at once; what a gather held is given back when it ends, however it ends.
Never: counts what is merged of the replies: a whole merge takes about three times its replies.
"""

from collections.abc import Callable

from shardgate.core.errors import OverloadError, ShardgateError

Refuse = Callable[[ShardgateError], None]


class Held:
    """All that is held."""

    __slots__ = ("_bytes", "_bytes_max", "_holdings")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._holdings: dict[Holding, None] = {}

    def open(self) -> "Holding":
        """A gather begins."""
        holding = Holding(self)
        self._holdings[holding] = None
        return holding

    def change(self, size: int) -> None:
        """So much more is held, or less; who must go for it is told."""
        self._bytes += size
        while size > 0 and self._bytes > self._bytes_max:
            newest_first = list(reversed(self._holdings))
            victim = next((holding for holding in newest_first if not holding.begun), newest_first[0])
            victim.refuse(OverloadError(f"merges hold more than {self._bytes_max} bytes of shards' replies"))

    def forget(self, holding: "Holding") -> None:
        """A gather has ended."""
        self._holdings.pop(holding, None)


class Holding:
    """What one gather holds."""

    __slots__ = ("_held", "_is_open", "_size", "begun", "on_refused")

    def __init__(self, held: Held) -> None:
        self._held = held
        self._size = 0
        self._is_open = True
        self.begun = False
        """Its reply is on its way to the client."""
        self.on_refused: Refuse | None = None
        """Who is told that it must go."""

    def add(self, size: int) -> None:
        """So much more has come."""
        if self._is_open:
            self._size += size
            self._held.change(size)

    def set(self, size: int) -> None:
        """So much is held now."""
        self.add(size - self._size)

    def close(self) -> None:
        """Nothing is held any more."""
        if self._is_open:
            self._is_open = False
            self._held.forget(self)
            self._held.change(-self._size)

    def refuse(self, error: ShardgateError) -> None:
        """There is no room for it."""
        self.close()
        if self.on_refused is not None:
            self.on_refused(error)
