"""Which clients have changed something lately: their reads go to replicas that have it.

A replica that follows another one is behind by a moment. A client that reads its own change there would miss it.

Holds: shared by all workers: a client's next request may reach another one. Two clients that fall into one slot count
as one: a read may go to a replica that takes changes without need, and never the other way round.
Never: keeps what identifies a client.
"""

import mmap
import re
from zlib import crc32

_SLOTS = 64 * 1024
_CELL_BYTES = 8
# By what applications tell their clients apart. Clients without any of it count as one.
_CREDENTIALS = re.compile(rb"\r\n(?:authorization|cookie|x-api-key|api-key):([^\r]*)", re.IGNORECASE)


class OwnChanges:
    """When each client has changed something last. Made before the workers are forked."""

    __slots__ = ("_changed_at",)

    def __init__(self) -> None:
        self._changed_at = memoryview(mmap.mmap(-1, _SLOTS * _CELL_BYTES)).cast("d")

    def note(self, head: bytes, now_s: float) -> None:
        """The client of a request, by its head, changes something now."""
        self._changed_at[_slot(head)] = now_s

    def are_recent(self, head: bytes, now_s: float, within_s: float) -> bool:
        """Whether it has changed something in this time."""
        return 0 <= now_s - self._changed_at[_slot(head)] < within_s


def _slot(head: bytes) -> int:
    return crc32(b"\0".join(_CREDENTIALS.findall(head))) % _SLOTS
