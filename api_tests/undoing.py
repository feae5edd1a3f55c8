"""What the tests have created, and how it is taken away again.

Holds: each creation is on disk before the test goes on, so that the next run can clean up after one that was killed.
What is taken away is marked. Things go in the reverse order of their creation.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Undo:
    """A call that takes a thing away. With any other reply the next way is tried."""

    operation: str
    body: Mapping[str, Any] | None = None
    done: tuple[int, ...] = (200, 204, 404)
    """Statuses after which it is gone."""
    errors: tuple[str, ...] = ()
    """Words of OCTO, whose status is always 400, that say that it was gone before."""
    how: str = "deleted"


@dataclass(frozen=True)
class Made:
    """How things that one operation creates are taken away."""

    name: str
    """The member of the reply that names the thing, and the hole of the paths below."""
    hole: str
    ways: tuple[Undo, ...]


_ENDED = (200, 404, 409)
_ENDED_BY_OCTO = ("UNPROCESSABLE_ENTITY", "INVALID_BOOKING_UUID")
WAYS: Mapping[str, Made] = {
    "create_category": Made("id", "category_id", (Undo("delete_category"),)),
    "create_vendor": Made("id", "vendor_id", (Undo("change_vendor", {"active": False}, how="made inactive"),)),
    "create_event": Made(
        "id", "event_id", (Undo("delete_event"), Undo("change_event", {"active": False}, how="made inactive"))
    ),
    "create_order": Made("id", "order_id", (Undo("cancel_order", done=_ENDED, how="cancelled"),)),
    "octo_reserve_booking": Made(
        "uuid", "uuid", (Undo("octo_cancel_booking", {}, errors=_ENDED_BY_OCTO, how="cancelled"),)
    ),
    "create_coupon": Made("id", "coupon_id", (Undo("change_coupon", {"active": False}, how="made inactive"),)),
    "create_voucher": Made("id", "voucher_id", (Undo("change_voucher", {"balance": 0}, how="made inactive"),)),
    "create_user": Made("id", "user_id", (Undo("change_user", {"active": False}, how="made inactive"),)),
}
"""Dates go with their event, payments and tickets with their order."""


@dataclass(frozen=True)
class Thing:
    """One of them."""

    operation: str
    path: Mapping[str, str]
    role: str
    """Whose token created it."""


Ask = Callable[[str, Mapping[str, str], Mapping[str, Any] | None, str], tuple[int, Any]]
"""Operation, values of its path, body, role → status and body of the reply."""


class Ledger:
    """Things that were created, in a file, until they are taken away."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._open: list[Thing] = []

    def __len__(self) -> int:
        return len(self._open)

    def note(self, operation: str, path: Mapping[str, str], reply: Any, role: str) -> None:
        """Write down what an operation has created, if it is of a kind that must be taken away."""
        made = WAYS.get(operation)
        if made is None:
            return
        thing = Thing(operation, {**path, made.hole: str(reply[made.name])}, role)
        self._open.append(thing)
        self._write("made", thing)

    def undo(self, ask: Ask, keep: int = 0) -> list[str]:
        """Take away all but the first `keep` things, the last first. Returns what could not be, in words."""
        failed = []
        while len(self._open) > keep:
            thing = self._open.pop()
            how = _undone(thing, ask)
            if how is None:
                failed.append(f"{thing.operation} {dict(thing.path)} could not be undone")
            else:
                self._write(how, thing)
        return failed

    def _write(self, what: str, thing: Thing) -> None:
        with self._file.open("a") as file:
            file.write(json.dumps([what, thing.operation, dict(thing.path), thing.role]) + "\n")


def left_over(files: Iterable[Path]) -> Iterator[tuple[Path, list[Thing]]]:
    """The files with things that were never taken away, and these things, the last first."""
    for file in files:
        left: dict[str, Thing] = {}
        for what, operation, path, role in map(json.loads, file.read_text().splitlines()):
            key = json.dumps([operation, path])
            if what == "made":
                left[key] = Thing(operation, path, role)
            else:
                left.pop(key, None)
        if left:
            yield file, list(left.values())[::-1]


def counted(files: Iterable[Path]) -> Mapping[str, int]:
    """How many things were created, deleted, made inactive, cancelled."""
    found: dict[str, int] = {}
    for file in files:
        for line in file.read_text().splitlines():
            what = json.loads(line)[0]
            found[what] = found.get(what, 0) + 1
    return found


def take_away(thing: Thing, ask: Ask, file: Path) -> bool:
    """Take away what an earlier run has left, and mark it in that run's file."""
    how = _undone(thing, ask)
    if how is not None:
        with file.open("a") as opened:
            opened.write(json.dumps([how, thing.operation, dict(thing.path), thing.role]) + "\n")
    return how is not None


def _undone(thing: Thing, ask: Ask) -> str | None:
    for way in WAYS[thing.operation].ways:
        status, said = ask(way.operation, thing.path, way.body, thing.role)
        if status in way.done or (status == 400 and said.get("error") in way.errors):
            return way.how
    return None
