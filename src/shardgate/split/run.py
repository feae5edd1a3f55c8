"""A split from beginning to end, on one screen. Start reading here.

Holds: nothing is written before the whole plan is known to be good. Every target carries a mark from its first table
until all shards are verified. The directory is written once all shards are verified, and not before.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from shardgate.split.copying import Copier
from shardgate.split.database import mark as marks
from shardgate.split.database.address import parse_address
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.rows import TableDigest
from shardgate.split.database.schema import Table
from shardgate.split.decide.plan import SplitPlan, lookup_for
from shardgate.split.decide.start import SplitStart, TargetStep, decide_start
from shardgate.split.errors import SplitFailedError, SplitRefusedError
from shardgate.split.planning import directory_has, plan_split
from shardgate.split.proof import objects_missing, tables_outside
from shardgate.split.report import SplitReport
from shardgate.split.request import SplitRequest
from shardgate.split.source import SourceDatabase, opened_source
from shardgate.split.targets import ShardTarget, opened_shards
from shardgate.split.verify import VerifiedTable, Verifier
from shardgate.store.database import StoreError
from shardgate.store.map_build import renew_map
from shardgate.store.opening import open_store, store_place

T = TypeVar("T")

_FAILURES: Final[tuple[type[Exception], ...]] = (*DRIVER_ERRORS, SQLAlchemyError, StoreError, OSError)


def run_split(request: SplitRequest, console: Console) -> None:
    """Do what the request says. Raises SplitRefusedError before the first write, SplitFailedError after it."""
    report = SplitReport(console)
    address = parse_address(request.source, "--source")
    with (
        opened_source(address, request.batch_rows) as source,
        opened_shards(request.targets) as shards,
    ):
        report.stage("reading the keys of every row")
        with _reported_as(SplitRefusedError):
            plan, start = _decide(request, source, shards, report)
        if request.plan_only:
            report.plan_end()
            return
        with _reported_as(SplitFailedError):
            verified = [] if start.verified else _make(request, source, shards, plan, start, report)
            _publish(request, shards, plan)
        report.end(verified, shards=len(shards), directory=request.directory)


@contextmanager
def _reported_as(kind: type[SplitRefusedError] | type[SplitFailedError], where: str = "") -> Iterator[None]:
    """Raise the error of a driver, the store or the disk as an error of the split, with the name of the shard."""
    try:
        yield
    except _FAILURES as error:
        reason = f"{where}: {str(error).strip()}" if where else str(error).strip()
        if kind is SplitFailedError:
            reason += ". Correct the cause, then run the same command with --resume"
        raise kind([reason]) from error


def _decide(
    request: SplitRequest, source: SourceDatabase, shards: tuple[ShardTarget, ...], report: SplitReport
) -> tuple[SplitPlan, SplitStart]:
    """Make the plan and decide how to begin. Raises SplitRefusedError with all reasons against it at once."""
    planned, problems = _attempt(lambda: plan_split(request, source, shards))
    written, more = _attempt(lambda: directory_has(request.directory, request.space))
    start = decide_start(
        [shard.contents() for shard in shards],
        request.mode,
        fingerprint=planned[0].fingerprint if planned else None,
        directory_written=bool(written),
    )
    problems += (*more, *start.refusals)
    if written and not start.verified:
        where = f"--directory {request.directory}"
        problems += (
            f"{where}: has a space {request.space!r} already. Give another file, or another name with --space",
        )
    if problems or planned is None:
        raise SplitRefusedError(problems)
    plan, warnings = planned
    report.plan(plan, warnings, source.count)
    return plan, start


def _attempt(action: Callable[[], T]) -> tuple[T | None, tuple[str, ...]]:
    """The result, or the reasons of its SplitRefusedError."""
    try:
        return action(), ()
    except SplitRefusedError as refused:
        return None, refused.reasons


def _make(
    request: SplitRequest,
    source: SourceDatabase,
    shards: tuple[ShardTarget, ...],
    plan: SplitPlan,
    start: SplitStart,
    report: SplitReport,
) -> list[VerifiedTable]:
    """Make the shards. Afterwards every mark says that its shard is verified."""
    report.stage("creating the tables")
    _mark(shards, plan, start)
    sent = _copy(source, shards, plan, report)
    report.stage("creating indexes, foreign keys, counters, views and triggers")
    _finish_schema(shards, plan)
    report.stage("reading every row back from the shards")
    verified = _verify(request, source, shards, plan, sent, report)
    report.stage("comparing the catalogues of the shards with the source's")
    _check_catalogues(source, shards, plan)
    for shard in shards:
        shard.database.settle(plan.ddl.closing)
    for shard in shards:
        shard.database.run([marks.statement_to_mark_done()])
    return verified


def _mark(shards: Sequence[ShardTarget], plan: SplitPlan, start: SplitStart) -> None:
    """Create the tables of each target together with its mark, or keep those of an earlier run."""
    run = start.run or secrets.token_hex(8)
    for shard, step in zip(shards, start.steps, strict=True):
        if step is TargetStep.KEEP:
            if plan.ddl.repeatable and marks.SCHEMA_DONE not in shard.finished():
                shard.database.run(plan.ddl.before)
            continue
        if step is TargetStep.ERASE:
            found = shard.contents().mark
            shard.database.erase((*marks.statements_to_unmark(), *(found.undo if found else ())))
        mark = marks.TargetMark(run, plan.fingerprint, shard.name, "copying", plan.ddl.objects, plan.ddl.undo)
        with _reported_as(SplitFailedError, shard.name):
            shard.database.prepare(plan.ddl.opening)
            shard.database.run([*marks.statements_to_mark(mark, shard.database.mark_types), *plan.ddl.before])


def _copy(
    source: SourceDatabase, shards: Sequence[ShardTarget], plan: SplitPlan, report: SplitReport
) -> dict[str, list[TableDigest]]:
    finished = [shard.finished() for shard in shards]
    targets = [shard.database for shard in shards]
    owned = {each.table.name: each for each in plan.ownership.owned}
    sent: dict[str, list[TableDigest]] = {}
    with report.copying() as advance:
        copier = Copier(source.reader, targets, plan.shard_of, plan.shards_of, plan.ddl.kinds, advance)
        for table in plan.ownership.copied():
            known = {i: done[table.name] for i, done in enumerate(finished) if table.name in done}
            lookup = lookup_for(owned[table.name], plan.survey) if table.name in owned else None
            report.table("copying", table.name)
            sent[table.name] = copier.copy(table.with_hidden(plan.ddl.rowids.get(table.name)), lookup, known)
    return sent


def _finish_schema(shards: Sequence[ShardTarget], plan: SplitPlan) -> None:
    """Create indexes, foreign keys, counters, views and triggers, in one transaction on each shard."""
    finished = marks.statement_to_mark_finished(marks.SCHEMA_DONE, TableDigest())
    ids = plan.ids or ((),) * len(shards)
    for shard, own in zip(shards, ids, strict=True):
        if marks.SCHEMA_DONE not in shard.finished():
            with _reported_as(SplitFailedError, shard.name):
                shard.database.run([*plan.ddl.after, *own, finished])


def _verify(
    request: SplitRequest,
    source: SourceDatabase,
    shards: Sequence[ShardTarget],
    plan: SplitPlan,
    sent: dict[str, list[TableDigest]],
    report: SplitReport,
) -> list[VerifiedTable]:
    targets = [shard.database for shard in shards]
    with report.verifying() as advance:
        verifier = Verifier(targets, plan.ddl.kinds, request.batch_rows, advance)
        with closing(verifier):
            verified = [
                VerifiedTable(
                    table.name,
                    divided=table.name in plan.survey.rows,
                    source_rows=_counted(source, plan, table),
                    sent=tuple(sent[table.name]),
                    found=verifier.found(table.with_hidden(plan.ddl.rowids.get(table.name))),
                    expected=plan.expected(table.name) if table.name in plan.survey.rows else (),
                )
                for table in plan.ownership.copied()
            ]
            ordinary = set(source.reader.tables())  # a virtual table of SQLite may make its rows up
            empty = [table for table in plan.ownership.empty if table.name in ordinary]
            filled = [table.name for table in empty if any(verifier.counted(table))]
    report.verification(verified, plan.shards)
    wrong = [f"{each.table}: the shards do not hold what was copied" for each in verified if not each.sound]
    wrong += [f"{name}: is --empty, but a shard has rows" for name in filled]
    if wrong:
        raise SplitFailedError([f"{reason}. Begin again with --restart" for reason in wrong])
    return verified


def _counted(source: SourceDatabase, plan: SplitPlan, table: Table) -> int:
    return source.count(table) if table.name not in plan.survey.rows else plan.source_rows(table.name)


def _check_catalogues(source: SourceDatabase, shards: Sequence[ShardTarget], plan: SplitPlan) -> None:
    """Check that each shard has every object of the source, and that every foreign key value refers to a row."""
    broken = [f"{shard.name}: {line}" for shard in shards for line in shard.database.broken_keys()]
    planned = [table.name for table in (*plan.ownership.copied(), *plan.ownership.empty)]
    broken += tables_outside(source.reader.tables(), planned)
    if {source.address.dialect} == {shard.address.dialect for shard in shards}:
        made = {shard.name: shard.database.inventory() for shard in shards}
        broken += objects_missing(source.reader.inventory(), made, plan.not_carried)
    if broken:
        raise SplitFailedError(broken)


def _publish(request: SplitRequest, shards: Sequence[ShardTarget], plan: SplitPlan) -> None:
    """Write the directory in one transaction, then remove the marks: from then on applications may use the shards."""
    place = store_place(request.directory)
    if isinstance(place, Path):
        place.parent.mkdir(parents=True, exist_ok=True)
    with open_store(place) as store:
        if request.space not in store.spaces():
            store.put_many(request.space, plan.directory, only_if_new=True)
            renew_map(store)
    for shard in shards:
        if marks.MARK in shard.database.names():
            shard.database.run(marks.statements_to_unmark())
