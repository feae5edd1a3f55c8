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
from shardgate.move.adding import add_shard
from shardgate.move.balance import PlannedMove
from shardgate.move.errors import MoveFailedError, MoverBusyError, MoveRefusedError
from shardgate.move.mover import Mover
from shardgate.move.rebalancing import carry_out, planned, set_draining, what_is_left
from shardgate.move.request import MoveSettings, settings_of
from shardgate.move.shares import Departure
from shardgate.move.splitting import DivisionPlan
from shardgate.store.journal import Journal
from shardgate.store.movements import Movement, MovementReport, Movements
from shardgate.store.opening import open_for_worker, open_store

_SHOWN_MAX = 20


def settings_from(loaded: Loaded, given: Mapping[ShardId, str]) -> MoveSettings:
    """What the configuration says of movements. Raises MoveRefusedError."""
    shards = tuple(loaded.shards)
    variables = {shard: url for shard in shards if (url := os.environ.get(_variable(shard)))}
    given = {**variables, **given}
    instances = {
        shard.id: f"{'http' if shard.tls is None else 'https'}://{shard.address}{shard.base}"
        for shard in loaded.shards.values()
    }
    return settings_of(loaded.config.movements, shards, loaded.directory, loaded.store, given, instances)


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
    store, leases = open_for_worker(settings.store)
    with closing(store), closing(leases):
        if leases.lives(current.owner):
            console.print(f"movement {current.id} goes on")
            return
    with _mover(settings, console) as mover:
        _say(mover.resume(), console)


def run_abandon(settings: MoveSettings, console: Console) -> None:
    """Give it up: by its mover, if that lives. Raises MoveError."""
    with open_store(settings.store) as store:
        movements = Movements(store)
        current = movements.current()
        if current is None:
            raise MoveRefusedError(["no movement is under way"])
        movements.wish(current.id, "abandon")
    try:
        with _mover(settings, console) as mover:
            _say(mover.abandon(), console)
    except MoverBusyError:
        console.print(f"movement {current.id} will be given up by its mover")


def run_undo(settings: MoveSettings, number: int, console: Console) -> None:
    """Move the tenants of a movement back. Raises MoveError."""
    with open_store(settings.store) as store:
        movement = Movements(store).find(number)
    if movement is None or movement.phase != "done":
        raise MoveRefusedError([f"movement {number} is not one that is done: see shardgate move --status"])
    run_move(settings, movement.tenants, movement.source, console)


def wish(settings: MoveSettings, what: str) -> Movement:
    """Let the mover pause, or go on. Raises MoveRefusedError."""
    with open_store(settings.store) as store:
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
    with open_store(settings.store) as store:
        for each in Movements(store).last(_SHOWN_MAX):
            told = each.told
            since = datetime.fromtimestamp(each.began_at, UTC).isoformat(" ", "seconds")
            phase = each.phase if each.wish == "go" or each.ended_at else f"{each.phase} ({each.wish})"
            held = f"{told.held_s * 1000:.0f} ms" if told.held_s else ""
            rows = f"{told.copied:,} of {told.rows:,}"
            tenants = ", ".join(each.tenants)
            why = f"changed too late, and lost: {told.late}" if told.late else told.why
            table.add_row(str(each.id), since, tenants, each.source, each.target, phase, rows, held, told.by, why)
    console.print(table)


def run_add(settings: MoveSettings, shard: ShardId, like: ShardId | None, console: Console) -> None:
    """Make the database of a new shard. Raises MoveError."""
    others = [each for each in settings.shards if each != shard]
    if not others:
        raise MoveRefusedError(["there is no other shard whose schema it could have"])
    console.print(add_shard(settings, shard, like or others[0]), highlight=False, soft_wrap=True)


def run_drain(
    settings: MoveSettings, shard: ShardId, console: Console, *, plan_only: bool = False, stop: bool = False
) -> None:
    """Empty a shard. Raises MoveError."""
    if not plan_only:
        set_draining(settings, shard, drains=not stop)
    if stop:
        console.print(f"{shard}: takes new tenants again")
        return
    plan = planned(settings, {shard}, even=False)
    _show_and_carry_out(settings, plan, console, apply=not plan_only)
    if not plan_only:
        console.print(f"{shard}: is empty. Next: shardgate shard remove {shard}", highlight=False)


def run_remove(settings: MoveSettings, shard: ShardId, console: Console) -> None:
    """Say that nothing is on a shard any more. Raises MoveRefusedError."""
    found = what_is_left(settings, shard)
    with open_store(settings.journal) as store:
        journal = Journal(store)
        if journal.waits_for(shard, journal.last()):
            found.append(f"{shard}: a change is not over there: see shardgate journal list")
    if found:
        raise MoveRefusedError(found)
    console.print(
        f"{shard}: nothing is on it. Remove it from `shards` in shardgate.yaml, and reload the gateway: kill -HUP",
        highlight=False,
        soft_wrap=True,
    )


def run_rebalance(settings: MoveSettings, console: Console, *, apply: bool) -> None:
    """Level the shards. Raises MoveError."""
    _show_and_carry_out(settings, planned(settings), console, apply=apply)


def run_split_shard(settings: MoveSettings, plan: DivisionPlan, console: Console, *, apply: bool) -> None:
    """Show the plan of a division, and carry it out. Raises MoveError."""
    table = Table(box=None, pad_edge=False)
    for title in ("tenants", "to", "weight"):
        table.add_column(title, justify="right" if title == "weight" else "left", overflow="fold")
    for each in plan.departures:
        table.add_row(", ".join(each.tenants), each.target, f"{each.weight:,}")
    console.print(table if plan.departures else f"{plan.shard}: has no more than the new shards: nothing moves")
    for shard, before in plan.before.items():
        console.print(f"{shard}: {before:,}, then {plan.after[shard]:,}", highlight=False)
    if apply:
        _carry_out(settings, plan.departures, console)


def _show_and_carry_out(settings: MoveSettings, plan: Sequence[PlannedMove], console: Console, *, apply: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("tenant", "from", "to", "rows"):
        table.add_column(title, justify="right" if title == "rows" else "left", no_wrap=True)
    for each in plan:
        table.add_row(each.tenant, each.source, each.target, f"{each.rows:,}")
    console.print(table if plan else "the shards are level: nothing moves")
    if apply:
        _carry_out(settings, plan, console)


def _carry_out(settings: MoveSettings, plan: Sequence[PlannedMove | Departure], console: Console) -> None:
    if not plan:
        return
    with _mover(settings, console) as mover:
        refused = carry_out(mover, plan, lambda each: _say(each, console), lambda why: console.print(why, markup=False))
    if refused:
        tenants = sum(len(each.tenants) for each in plan)
        raise MoveFailedError([f"{refused} of {tenants} tenants could not be moved, and stay where they are"])


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

    def report(movement: Movement, told: MovementReport) -> None:
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
    if told.late:
        console.print(
            f"movement {movement.id}: somebody changed rows on {movement.source} after {movement.target} had them;"
            f" these changes are lost: {told.late}",
            style="bold red",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"movement {movement.id}: {', '.join(movement.tenants)} {what} {where}; {told.rows:,} rows,"
        f" changes waited {told.held_s * 1000:.0f} ms",
        highlight=False,
        soft_wrap=True,
    )
