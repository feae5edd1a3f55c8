"""A split from beginning to end, on one screen. Start reading here.

Holds: nothing is written before the whole plan is known to be good; every target is marked as
unfinished from its first moment; the directory is written when, and only when, all are verified.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from shardgate.split import marker as marks
from shardgate.split.catalogue import FOREIGN_KEYS
from shardgate.split.copying import Copier
from shardgate.split.database import Dialect, parse_address
from shardgate.split.errors import FailedError, RefusedError
from shardgate.split.marker import Marker
from shardgate.split.plan import Plan, route_of
from shardgate.split.planning import directory_has, plan_split
from shardgate.split.report import Report
from shardgate.split.request import Request
from shardgate.split.rows import Content
from shardgate.split.schema import Table
from shardgate.split.source import Source, opened_source
from shardgate.split.start import Start, Step, decide_start
from shardgate.split.targets import Shard, opened_shards
from shardgate.split.verify import Verified, Verifier
from shardgate.store.sqlite import SqliteStore, StoreError

T = TypeVar("T")


def run_split(request: Request, console: Console) -> None:
    """Do what the request says. Raises RefusedError before, FailedError after the first write."""
    report = Report(console)
    address = parse_address(request.source, "--source")
    with (
        opened_source(address, request.batch_rows) as source,
        opened_shards(request.targets) as shards,
    ):
        report.stage("reading the keys of every row")
        with _told_as(RefusedError):
            plan, start = _decide(request, source, shards, report)
        if request.plan_only:
            return
        with _told_as(FailedError):
            verified = [] if start.verified else _make(request, source, shards, plan, start, report)
            _publish(request, shards, plan)
        report.end(verified, shards=len(shards))


@contextmanager
def _told_as(kind: type[RefusedError] | type[FailedError]) -> Iterator[None]:
    """What a driver or the disk says goes to the person in its own words."""
    try:
        yield
    except (sqlite3.Error, psycopg.Error, SQLAlchemyError, StoreError, OSError) as error:
        raise kind([str(error).strip()]) from error


def _decide(request: Request, source: Source, shards: tuple[Shard, ...], report: Report) -> tuple[Plan, Start]:
    """Everything that can be known before the first write, with all reasons against it at once."""
    planned, problems = _attempt(lambda: plan_split(request, source, shards))
    written, more = _attempt(lambda: directory_has(Path(request.directory), request.space))
    start = decide_start(
        [shard.look() for shard in shards],
        request.mode,
        fingerprint=planned[0].fingerprint if planned else None,
        directory_written=bool(written),
    )
    problems += (*more, *start.refusals)
    if written and not start.verified:
        where = f"--directory {request.directory}"
        problems += (f"{where}: has a space {request.space!r} already. Give another file or another --space",)
    if problems or planned is None:
        raise RefusedError(problems)
    plan, warnings = planned
    report.plan(plan, warnings, source.count)
    return plan, start


def _attempt(look: Callable[[], T]) -> tuple[T | None, tuple[str, ...]]:
    """What was looked for, or the reasons why it is not to be had."""
    try:
        return look(), ()
    except RefusedError as refused:
        return None, refused.reasons


def _make(
    request: Request,
    source: Source,
    shards: tuple[Shard, ...],
    plan: Plan,
    start: Start,
    report: Report,
) -> list[Verified]:
    _mark(shards, plan, start)
    sent = _copy(source, shards, plan, report)
    _finish_schema(shards, plan)
    verified = _verify(request, source, shards, plan, sent, report)
    _check_keys(source, shards)
    for shard in shards:
        shard.target.settle(plan.ddl.closing)
    for shard in shards:
        shard.target.run([marks.marking_done()])
    return verified


def _mark(shards: Sequence[Shard], plan: Plan, start: Start) -> None:
    """Make each target's tables together with its mark, or leave it as an earlier run did."""
    run = start.run or secrets.token_hex(8)
    for shard, step in zip(shards, start.steps, strict=True):
        if step is Step.KEEP:
            continue
        if step is Step.ERASE:
            found = shard.look().marker
            shard.target.erase((*marks.unmarking(), *(found.undo if found else ())))
        mark = Marker(run, plan.fingerprint, shard.name, "copying", plan.ddl.objects, plan.ddl.undo)
        shard.target.prepare(plan.ddl.opening)
        shard.target.run([*marks.marking(mark), *plan.ddl.before])


def _copy(source: Source, shards: Sequence[Shard], plan: Plan, report: Report) -> dict[str, list[Content]]:
    finished = [shard.finished() for shard in shards]
    targets = [shard.target for shard in shards]
    owned = {each.table.name: each for each in plan.ownership.owned}
    sent: dict[str, list[Content]] = {}
    with report.copying() as advance:
        copier = Copier(source.reader, targets, plan.shard_of, plan.ddl.kinds, advance)
        for table in plan.ownership.copied():
            known = {i: done[table.name] for i, done in enumerate(finished) if table.name in done}
            route = route_of(owned[table.name], plan.survey) if table.name in owned else None
            sent[table.name] = copier.copy(table, route, known)
    return sent


def _finish_schema(shards: Sequence[Shard], plan: Plan) -> None:
    """Indexes, foreign keys, counters, views and triggers: all of them, or none yet."""
    noted = marks.marking_finished(marks.SCHEMA_DONE, Content())
    for shard in shards:
        if marks.SCHEMA_DONE not in shard.finished():
            shard.target.run([*plan.ddl.after, noted])


def _verify(
    request: Request,
    source: Source,
    shards: Sequence[Shard],
    plan: Plan,
    sent: dict[str, list[Content]],
    report: Report,
) -> list[Verified]:
    targets = [shard.target for shard in shards]
    with report.verifying() as advance:
        verifier = Verifier(targets, plan.ddl.kinds, request.batch_rows, advance)
        with closing(verifier):
            verified = [
                Verified(
                    table.name,
                    divided=table.name in plan.survey.rows,
                    source_rows=_counted(source, plan, table),
                    sent=tuple(sent[table.name]),
                    found=verifier.found(table),
                )
                for table in plan.ownership.copied()
            ]
    report.verification(verified, plan.shards)
    wrong = [each.table for each in verified if not each.sound]
    if wrong:
        raise FailedError([f"{name}: what was written is not what was read" for name in wrong])
    return verified


def _counted(source: Source, plan: Plan, table: Table) -> int:
    rows = plan.survey.rows.get(table.name)
    return source.count(table) if rows is None else sum(rows)


def _check_keys(source: Source, shards: Sequence[Shard]) -> None:
    broken = [f"{shard.name}: {line}" for shard in shards for line in shard.target.broken_keys()]
    kinds = {source.address.dialect, shards[0].address.dialect}
    if kinds == {Dialect.POSTGRESQL}:
        wanted = source.reader.query(FOREIGN_KEYS)
        broken += [
            f"{shard.name}: lacks foreign keys of the source"
            for shard in shards
            if shard.target.query(FOREIGN_KEYS) != wanted
        ]
    if broken:
        raise FailedError(broken)


def _publish(request: Request, shards: Sequence[Shard], plan: Plan) -> None:
    """The directory, in one transaction; then the marks go, and applications may start."""
    path = Path(request.directory)
    path.parent.mkdir(parents=True, exist_ok=True)
    with SqliteStore(path) as store:
        if request.space not in store.spaces():
            store.put_many(request.space, plan.directory, only_if_new=True)
    for shard in shards:
        if marks.MARK in shard.target.names():
            shard.target.run(marks.unmarking())
