"""The operator's hands in the journal: look at a change, try it again, or give it up.

Holds: a worker that drives a change which a person takes away stops at its next step.
Never: sends anything; a worker with the lease does, a moment later.
"""

from pathlib import Path
from typing import Self

from shardgate.core.changes.entry import OPEN, Entry
from shardgate.core.changes.steps import retry
from shardgate.core.wire.fields import FieldReader
from shardgate.store.journal import Journal
from shardgate.store.placements import Placements
from shardgate.store.sqlite import SqliteStore, StoreError

_DESK = "operator"
SHOWN_MAX = 1000


class Desk:
    """The journal of one store, opened for a person."""

    def __init__(self, path: Path) -> None:
        self._store = SqliteStore(path)
        self._journal = Journal(self._store)

    def entries(self, *, everything: bool) -> list[tuple[Entry, float]]:
        """What is open or stuck, or everything that is still known, the newest first, with when it was made."""
        numbers = self._journal.numbers(everything=everything, count=SHOWN_MAX)
        return [(entry, at) for number, at in numbers if (entry := self._journal.load(number)) is not None]

    def retry(self, number: int, field: str | None = None) -> Entry:
        """Let a stuck change go on; `field` replaces one of its header fields, as credentials that have ended.

        Raises StoreError where it is not stuck.
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
        """Give a change up: what was done stays, what was not is not. Raises StoreError where it is over."""
        entry = self._journal.seize(number, _DESK, *OPEN, "stuck")
        if entry is None:
            raise StoreError(f"change {number} is over, or never was")
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
    """Header lines with one field said anew. Raises ClientError where it is none."""
    ((name, _, line),) = FieldReader().read(field.encode("latin-1"))
    kept = [each + b"\r\n" for each in lines.split(b"\r\n") if each and not each.lower().startswith(name + b":")]
    return b"".join([*kept, line])
