"""Runs a movement for the command line: shows how far it is, and how it ended."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from shardgate.config.load import Loaded
from shardgate.core.topology import ShardId
from shardgate.move.errors import MoveRefusedError
from shardgate.move.mover import Mover
from shardgate.move.request import MoveSettings, settings_of
from shardgate.store.leases import Leases
from shardgate.store.movements import Movement, Movements, Told
from shardgate.store.sqlite import SqliteStore

_SHOWN_MAX = 20


def settings_from(loaded: Loaded, given: Mapping[ShardId, str]) -> MoveSettings:
    """What the configuration says of movements. Raises MoveRefusedError."""
    shards = tuple(loaded.shards)
    variables = {shard: url for shard in shards if (url := os.environ.get(_variable(shard)))}
    given = {**variables, **given}
    return settings_of(loaded.config.movements, shards, loaded.directory, loaded.store, given)


def _variable(shard: ShardId) -> str:
    return f"SHARDGATE_DATABASE_{re.sub('[^A-Z0-9]', '_', shard.upper())}"


def run_move(settings: MoveSettings, tenants: Sequence[str], target: ShardId, console: Console) -> None:
    """Move tenants. Raises MoveError."""
    with _mover(settings, console) as mover:
        for movement in mover.move(tenants, target):
            _say(movement, console)


def run_resume(settings: MoveSettings, console: Console) -> None:
    """Go on with the movement that is not over; a mover that pauses goes on itself. Raises MoveError."""
    current = wish(settings, "go")
    with closing(Leases(settings.store)) as leases:
        if leases.lives(current.owner):
            console.print(f"movement {current.id} goes on")
            return
    with _mover(settings, console) as mover:
        _say(mover.resume(), console)


def run_abandon(settings: MoveSettings, console: Console) -> None:
    """Give it up: by its mover, if that lives. Raises MoveError."""
    with SqliteStore(settings.store) as store:
        movements = Movements(store)
        current = movements.current()
        if current is None:
            raise MoveRefusedError(["no movement is under way"])
        movements.wish(current.id, "abandon")
    try:
        with _mover(settings, console) as mover:
            _say(mover.abandon(), console)
    except MoveRefusedError as error:
        if "moves tenants now" not in str(error):
            raise
        console.print(f"movement {current.id} will be given up by its mover")


def run_undo(settings: MoveSettings, number: int, console: Console) -> None:
    """Move the tenants of a movement back. Raises MoveError."""
    with SqliteStore(settings.store) as store:
        movement = Movements(store).find(number)
    if movement is None or movement.phase != "done":
        raise MoveRefusedError([f"movement {number} is not one that is done: see shardgate move --status"])
    run_move(settings, movement.tenants, movement.source, console)


def wish(settings: MoveSettings, what: str) -> Movement:
    """Let the mover pause, or go on. Raises MoveRefusedError."""
    with SqliteStore(settings.store) as store:
        movements = Movements(store)
        current = movements.current()
        if current is None:
            raise MoveRefusedError(["no movement is under way"])
        movements.wish(current.id, what)
        return current


def show_status(settings: MoveSettings, console: Console) -> None:
    """The last movements."""
    table = Table(box=None, pad_edge=False)
    for title in ("id", "since", "tenants", "from", "to", "phase", "rows", "held", "by", "why"):
        table.add_column(title, overflow="fold", no_wrap=title in {"id", "since", "phase"})
    with SqliteStore(settings.store) as store:
        for each in Movements(store).last(_SHOWN_MAX):
            told = each.told
            since = datetime.fromtimestamp(each.began_at, UTC).isoformat(" ", "seconds")
            phase = each.phase if each.wish == "go" or each.ended_at else f"{each.phase} ({each.wish})"
            held = f"{told.held_s * 1000:.0f} ms" if told.held_s else ""
            rows = f"{told.copied:,} of {told.rows:,}"
            tenants = ", ".join(each.tenants)
            table.add_row(str(each.id), since, tenants, each.source, each.target, phase, rows, held, told.by, told.why)
    console.print(table)


@contextmanager
def _mover(settings: MoveSettings, console: Console) -> Iterator[Mover]:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    shown: dict[int, TaskID] = {}

    def report(movement: Movement, told: Told) -> None:
        if movement.id not in shown:
            shown[movement.id] = bar.add_task("", total=max(1, told.rows))
        said = f"{', '.join(movement.tenants)}: {movement.phase}"
        bar.update(shown[movement.id], description=said, completed=told.copied, total=max(1, told.rows))

    mover = Mover(settings, report)
    try:
        with bar:
            yield mover
    finally:
        mover.close()


def _say(movement: Movement, console: Console) -> None:
    told = movement.told
    what = "is on" if movement.phase == "done" else f"{movement.phase}: it stays on"
    where = movement.target if movement.phase == "done" else movement.source
    console.print(
        f"movement {movement.id}: {', '.join(movement.tenants)} {what} {where}; {told.rows:,} rows,"
        f" changes waited {told.held_s * 1000:.0f} ms",
        highlight=False,
        soft_wrap=True,
    )
