"""Lets an operator work on the journal: list changes, retry one, or abandon one.

Holds: when an operator takes a change over, the worker that drives it stops at its next step.
Never: sends a request. The worker that holds the replay lease sends it a moment later.
"""

from typing import Self

from shardgate.core.changes.entry import OPEN, Entry
from shardgate.core.changes.steps import retry
from shardgate.core.wire.fields import FieldReader
from shardgate.store.database import StoreError, StorePlace
from shardgate.store.journal import Journal
from shardgate.store.opening import open_store
from shardgate.store.placements import Placements

_DESK = "operator"
SHOWN_MAX = 1000


class Desk:
    """The journal of one store, opened for an operator."""

    def __init__(self, place: StorePlace) -> None:
        self._store = open_store(place)
        self._journal = Journal(self._store)

    def entries(self, *, everything: bool) -> list[tuple[Entry, float]]:
        """The changes that are open or stuck, or all that are kept, newest first, each with the time it was made."""
        numbers = self._journal.numbers(everything=everything, count=SHOWN_MAX)
        return [(entry, at) for number, at in numbers if (entry := self._journal.load(number)) is not None]

    def retry(self, number: int, field: str | None = None) -> Entry:
        """Let a stuck change continue. `field` replaces one of its header fields, such as expired credentials.

        Raises StoreError if it is not stuck, ClientError if `field` is not a header field.
        """
        entry = self._journal.seize(number, _DESK, "stuck")
        if entry is None:
            raise StoreError(f"change {number} is not stuck; see `shardgate journal list`")
        if field is not None:
            self._journal.replace_lines(entry, _replaced(entry.request.lines, field))
        retry(entry)
        self._journal.save(entry, _DESK, *range(len(entry.branches)), release=True)
        return entry

    def abandon(self, number: int) -> Entry:
        """End a change as it is: what was done stays, and nothing more is sent. Raises StoreError if it is over."""
        entry = self._journal.seize(number, _DESK, *OPEN, "stuck")
        if entry is None:
            raise StoreError(f"change {number} is over or does not exist; see `shardgate journal list`")
        entry.state = "abandoned"
        placements = Placements(self._store)

        def unplace() -> None:
            if entry.kind == "place":
                placements.settle(entry.space, entry.placed_by, None, entry.branches[0].shard)

        self._journal.save(entry, _DESK, also=unplace)
        return entry

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _replaced(lines: bytes, field: str) -> bytes:
    """Header lines with one field replaced or added. Raises ClientError if `field` is not a header field."""
    ((name, _, line),) = FieldReader().read(field.encode("latin-1"))
    kept = [each + b"\r\n" for each in lines.split(b"\r\n") if each and not each.lower().startswith(name + b":")]
    return b"".join([*kept, line])
