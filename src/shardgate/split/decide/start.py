"""Decides how a run begins, from what is in its targets: from the start, where an earlier run stopped, or not at all.

Holds: a run deletes only from targets that carry our mark, and there only what the marked run made.
Never: reads or writes a target.
"""

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from shardgate.split.database.mark import TargetMark, foreign_names
from shardgate.split.request import StartMode


class TargetContents(Struct, frozen=True):
    """What is in one target before the run."""

    shard: str
    address: str
    names: tuple[str, ...] = ()  # of tables and views
    mark: TargetMark | None = None


class TargetStep(Enum):
    """What happens to one target before rows are copied."""

    MAKE = "make"  # it is empty: create the tables
    KEEP = "keep"  # an earlier run created the tables: continue there
    ERASE = "erase"  # delete what an earlier run made, then create the tables


class SplitStart(Struct, frozen=True):
    """How the run begins. With refusals, it does not."""

    steps: tuple[TargetStep, ...] = ()  # one for each target
    run: str | None = None  # the earlier run that is continued
    verified: bool = False  # the earlier run verified all shards: only the directory and the marks are left to do
    refusals: tuple[str, ...] = ()


def decide_start(
    targets: Sequence[TargetContents], mode: StartMode, *, fingerprint: str | None, directory_written: bool
) -> SplitStart:
    """One step for each target, or the reasons why the run may not begin.

    The fingerprint is the plan's; it is None if there is no plan. Then only the refusals count.
    """
    marks = [found.mark for found in targets if found.mark is not None]
    if mode is StartMode.RESUME and any(mark.state == "done" for mark in marks):
        return _finish(marks, fingerprint, directory_written=directory_written)
    refusals = [line for found in targets for line in _refusals(found, mode)]
    if mode is StartMode.NEW and marks:
        refusals.append(
            "An earlier split did not finish. Run the same command with --resume to continue where it stopped, or with"
            " --restart to delete what it made and begin again"
        )
    if mode is StartMode.RESUME:
        refusals += _differences(marks, fingerprint)
    if refusals:
        return SplitStart(refusals=tuple(refusals))
    run = marks[0].run if marks and mode is StartMode.RESUME else None
    return SplitStart(steps=tuple(_step(found, mode) for found in targets), run=run)


def _finish(marks: Sequence[TargetMark], fingerprint: str | None, *, directory_written: bool) -> SplitStart:
    """A mark says `done` only once all shards are verified: the directory and the marks are all that is left to do."""
    if not directory_written and (differences := _differences(marks, fingerprint)):
        return SplitStart(refusals=tuple(differences))
    return SplitStart(run=marks[0].run, verified=True)


def _refusals(found: TargetContents, mode: StartMode) -> list[str]:
    where = f"{found.shard} ({found.address})"
    if found.mark is None:
        if not found.names:
            return []
        shown = ", ".join(sorted(found.names)[:3])
        return [f"{where}: is not empty, it has {shown}. Give an empty database, or a file that does not exist"]
    if mode is StartMode.NEW:
        return [f"{where}: holds an unfinished split and must not be used"]
    if others := foreign_names(found.names, found.mark):
        return [
            f"{where}: holds an unfinished split, but also {', '.join(others)}, which the split did not make."
            " Move these tables to another database first"
        ]
    return []


def _differences(marks: Sequence[TargetMark], fingerprint: str | None) -> list[str]:
    if len({mark.run for mark in marks}) > 1:
        return ["The targets hold unfinished splits of different runs. Begin again with --restart"]
    if fingerprint is not None and any(mark.plan != fingerprint for mark in marks):
        return [
            "The interrupted split had another plan: its options were different, or the source has changed since then."
            " Give the same options, or begin again with --restart"
        ]
    return []


def _step(found: TargetContents, mode: StartMode) -> TargetStep:
    if found.mark is None:
        return TargetStep.MAKE
    return TargetStep.ERASE if mode is StartMode.RESTART else TargetStep.KEEP
