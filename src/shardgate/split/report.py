"""What the command prints: the plan, the progress, the verification, and what to do next."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table as Grid

from shardgate.split.database.schema import Table
from shardgate.split.decide.plan import SplitPlan
from shardgate.split.verify import VerifiedTable

# Yields a function that is called with each number of rows done.
ProgressContext: TypeAlias = AbstractContextManager[Callable[[int], None]]

_LINE_EVERY_S: Final = 2.0
_PLACES_NAMED: Final = 8  # of one warning: enough to see what they have in common
_FRAME: Final = 3  # of a cell, in characters: a space on either side, and a line
_VERDICTS: Final = (
    26  # the last two columns of the verification, with all frames but those of the shards, in characters
)


class SplitReport:
    """Prints to one console. Progress is a bar on a terminal, and a line every two seconds anywhere else."""

    __slots__ = ("_begun_at", "_console", "_copied", "_verified")

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun_at = time.perf_counter()
        self._copied = 0
        self._verified = 0

    def stage(self, text: str) -> None:
        """Print what begins now."""
        self._console.print(text, style="dim", highlight=False)

    def table(self, verb: str, name: str) -> None:
        """Print which table is next, unless a terminal shows a bar."""
        if not self._console.is_terminal:
            self._line(f"{verb} {name}")

    def plan(self, plan: SplitPlan, warnings: Sequence[str], count: Callable[[Table], int]) -> None:
        """Show the role of each table, the load of each shard, and the warnings. `count` counts rows of the source."""
        reference = {table.name: count(table) for table in plan.ownership.reference}
        empty = {table.name: count(table) for table in plan.ownership.empty}
        divided = sum(load.rows for load in plan.loads)
        self._copied = sum(map(plan.source_rows, plan.survey.rows)) + sum(reference.values())
        self._verified = divided + sum(reference.values()) * len(plan.shards)
        self._roles(plan, reference, empty)
        self._loads(plan)
        if plan.ddl.made_by:
            self._line(f"schema: made by {plan.ddl.made_by}")
        for warning in grouped(warnings):
            self._console.print("[yellow]warning:[/] ", end="")
            self._console.print(warning, markup=False, highlight=False, soft_wrap=True)

    def plan_end(self) -> None:
        self._line("split: this was the plan, nothing was written. Run the same command without --plan to split")

    def copying(self) -> ProgressContext:
        return self._progress("copying", self._copied)

    def verifying(self) -> ProgressContext:
        return self._progress("verifying", self._verified)

    def verification(self, verified: Sequence[VerifiedTable], shards: Sequence[str]) -> None:
        """Show as many shards side by side as the console has room for, and the others in further grids below."""
        tables = max((len(each.table) for each in verified), default=0)
        counts = max((len(f"{each.source_rows:,}") for each in verified), default=0)
        cell = max(counts, *(len(name) for name in shards)) + _FRAME
        room = max(1, (self._console.width - tables - cell - _VERDICTS) // cell)
        for first in range(0, len(shards), room):
            self._console.print(_verification(verified, shards, slice(first, first + room)))

    def end(self, verified: Sequence[VerifiedTable], *, shards: int, directory: str) -> None:
        """Say that the split succeeded. `verified` is empty if an interrupted run had verified everything before."""
        took_s = time.perf_counter() - self._begun_at
        if not verified:
            line = f"split: finished in {took_s:.1f} s. An earlier run had verified the {shards} shards"
        else:
            rows = sum(each.source_rows for each in verified)
            line = f"split: verified, {len(verified)} tables, {rows} rows, {shards} shards in {took_s:.1f} s"
        self._line(line)
        self._line(
            f"next: start one instance of the application on each shard, and name {directory} as the `directory` in"
            " shardgate.yaml"
        )

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _roles(self, plan: SplitPlan, reference: dict[str, int], empty: dict[str, int]) -> None:
        grid = Grid(title="tables", title_justify="left")
        for name in ("table", "role", "details"):
            grid.add_column(name)
        grid.add_column("rows", justify="right")
        for owned in plan.ownership.owned:
            rows = plan.source_rows(owned.table.name)
            role = "divided" if len(owned.path) > 1 else "the tenants"
            grid.add_row(escape(owned.table.name), role, escape(" → ".join(owned.path)), f"{rows:,}")
        for name, rows in reference.items():
            grid.add_row(escape(name), "reference", "copied to every shard", f"{rows:,}")
        for name, rows in empty.items():
            left = f"created without rows: {rows:,} are left out" if rows else "created without rows"
            grid.add_row(escape(name), "empty", left, "")
        self._console.print(grid)

    def _loads(self, plan: SplitPlan) -> None:
        grid = Grid(title="shards", title_justify="left")
        for name in ("shard", "tenants", "rows", "bytes"):
            grid.add_column(name, justify="left" if name == "shard" else "right")
        for load in plan.loads:
            grid.add_row(load.name, f"{load.tenants:,}", f"{load.rows:,}", f"{load.bytes:,}")
        self._console.print(grid)
        self._console.print(
            f"imbalance: the fullest shard has {plan.imbalance:.2%} more bytes than the average",
            highlight=False,
        )
        if plan.sole_tenant:
            self._console.print(
                f"           it holds only one tenant, {plan.sole_tenant}: a tenant is never divided", markup=False
            )

    @contextmanager
    def _progress(self, verb: str, total: int) -> Iterator[Callable[[int], None]]:
        if self._console.is_terminal:
            with _bar(self._console) as progress:
                task = progress.add_task(verb, total=total)
                yield lambda rows: progress.advance(task, rows)
            return
        yield _Lines(self._console, verb, total)


def grouped(warnings: Sequence[str]) -> list[str]:
    """One line for each wording, the rare ones first. A warning is "WHERE: what is the case"."""
    places: dict[str, list[str]] = {}
    for warning in dict.fromkeys(warnings):
        where, colon, text = warning.partition(": ")
        places.setdefault(text if colon else where, []).append(where if colon else "")
    return [_group(where, text) for text, where in sorted(places.items(), key=lambda item: len(item[1]))]


def _group(where: Sequence[str], text: str) -> str:
    if not where[0]:
        return text
    named = ", ".join(where[:_PLACES_NAMED])
    more = len(where) - _PLACES_NAMED
    if more <= 0:
        return f"{named}: {text}"
    return f"{named} and {more:,} more: {text}"


class _Lines:
    """Progress without a terminal: a line every two seconds."""

    __slots__ = ("_console", "_done", "_said_at", "_total", "_verb")

    def __init__(self, console: Console, verb: str, total: int) -> None:
        self._console = console
        self._verb = verb
        self._total = total
        self._done = 0
        self._said_at = time.perf_counter()

    def __call__(self, rows: int) -> None:
        self._done += rows
        now = time.perf_counter()
        if now - self._said_at >= _LINE_EVERY_S:
            self._said_at = now
            line = f"{self._verb}: {self._done:,} of {self._total:,} rows"
            self._console.print(line, highlight=False)


def _verification(verified: Sequence[VerifiedTable], shards: Sequence[str], shown: slice) -> Grid:
    grid = Grid(
        title="verification: row counts and checksums",
        title_justify="left",
        caption="= sum: the shards together have the rows of the source. = plan: with those that the plan sends to"
        " several shards or to none. = each: every shard has all of them.",
        caption_justify="left",
    )
    grid.add_column("table", no_wrap=True)
    for name in ("source", *shards[shown]):
        grid.add_column(name, justify="right", no_wrap=True)
    for name in ("rows", "checksum"):
        grid.add_column(name, no_wrap=True)
    for each in verified:
        counts = [f"{content.rows:,}" for content in each.found[shown]]
        grid.add_row(escape(each.table), f"{each.source_rows:,}", *counts, *_verdict(each))
    return grid


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )


def _verdict(each: VerifiedTable) -> tuple[str, str]:
    moved = each.divided and sum(each.expected) != each.source_rows
    rows = "= plan" if moved and each.expected else "= sum" if each.divided else "= each"
    return (
        rows if each.complete else "[red]DIFFER[/]",
        "equal" if each.sent == each.found else "[red]DIFFERS[/]",
    )
