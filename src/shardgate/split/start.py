"""Decides how a run begins, from what stands in its targets: anew, where another stopped, or not.

Holds: only what carries our mark, and nothing but what that run made, is ever taken away.
Never: reads or writes a target.
"""

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from shardgate.split.marker import Marker, strangers
from shardgate.split.request import Mode


class Found(Struct, frozen=True):
    """What stands in one target."""

    shard: str
    address: str
    names: tuple[str, ...] = ()
    marker: Marker | None = None


class Step(Enum):
    """What to do with one target before the copy."""

    MAKE = "make"
    KEEP = "keep"
    ERASE = "erase"


class Start(Struct, frozen=True):
    """How the run begins."""

    steps: tuple[Step, ...] = ()
    run: str | None = None  # the run that is continued
    verified: bool = False  # an earlier run did all but tidy up
    refusals: tuple[str, ...] = ()


def decide_start(targets: Sequence[Found], mode: Mode, *, fingerprint: str | None, directory_written: bool) -> Start:
    """One step for each target, or reasons why the run may not begin. Without a plan (no fingerprint) only those."""
    marked = [found.marker for found in targets if found.marker is not None]
    if mode is Mode.RESUME and any(marker.state == "done" for marker in marked):
        return _finish(marked, fingerprint, directory_written=directory_written)
    refusals = [line for found in targets for line in _refusals(found, mode)]
    if mode is Mode.NEW and marked:
        refusals.append(
            "An earlier split was interrupted. Run again with --resume to go on where it stopped,"
            " or with --restart to delete what it made and begin again"
        )
    if mode is Mode.RESUME:
        refusals += _differences(marked, fingerprint)
    if refusals:
        return Start(refusals=tuple(refusals))
    run = marked[0].run if marked and mode is Mode.RESUME else None
    return Start(steps=tuple(_step(found, mode) for found in targets), run=run)


def _finish(marked: Sequence[Marker], fingerprint: str | None, *, directory_written: bool) -> Start:
    """Marks say `done` only when all shards are verified: what is left are the directory and them."""
    if not directory_written and (differences := _differences(marked, fingerprint)):
        return Start(refusals=tuple(differences))
    return Start(run=marked[0].run, verified=True)


def _refusals(found: Found, mode: Mode) -> list[str]:
    where = f"{found.shard} ({found.address})"
    if found.marker is None:
        if not found.names:
            return []
        shown = ", ".join(sorted(found.names)[:3])
        return [f"{where}: is not empty, it has {shown}. Give an empty database, or a new file"]
    if mode is Mode.NEW:
        return [f"{where}: holds an unfinished split and must not be used"]
    if others := strangers(found.names, found.marker):
        return [
            f"{where}: holds an unfinished split, but also {', '.join(others)}, which the split"
            " did not make. Move that elsewhere first"
        ]
    return []


def _differences(marked: Sequence[Marker], fingerprint: str | None) -> list[str]:
    if len({marker.run for marker in marked}) > 1:
        return ["The targets were left by different runs. Begin again with --restart"]
    if fingerprint is not None and any(marker.plan != fingerprint for marker in marked):
        return [
            "The interrupted split had another plan: its options were different, or the source"
            " has changed since. Begin again with --restart"
        ]
    return []


def _step(found: Found, mode: Mode) -> Step:
    if found.marker is None:
        return Step.MAKE
    return Step.ERASE if mode is Mode.RESTART else Step.KEEP
