"""Looks at source, targets and directory, and makes the plan, or says everything that is wrong.

Never: writes anything. `--plan` ends here.
"""

import sqlite3
from pathlib import Path

import psycopg

from shardgate.split import catalogue, sql
from shardgate.split.balance import balance
from shardgate.split.database import Dialect
from shardgate.split.ddl import Ddl
from shardgate.split.errors import RefusedError
from shardgate.split.ownership import Ownership, Roles, decide_ownership
from shardgate.split.plan import Plan
from shardgate.split.reflect import with_links
from shardgate.split.request import Request
from shardgate.split.schema import Kind, Schema, nearest
from shardgate.split.source import Source
from shardgate.split.survey import Survey, take_survey
from shardgate.split.targets import Shard, refuse_same
from shardgate.store.sqlite import SqliteStore, StoreError


def plan_split(request: Request, source: Source, shards: tuple[Shard, ...]) -> tuple[Plan, list[str]]:
    """The plan, and its warnings. Raises RefusedError with all reasons against it at once."""
    schema, problems = with_links(source.schema(), request.links)
    roles = Roles(request.tenant, request.reference, request.empty)
    ownership = decide_ownership(schema, roles)
    problems += ownership.refusals
    ddl = _ddl(request, source, schema, shards, problems)
    problems += refuse_same(source.identity(), shards)
    problems += _other_schemas(source, shards)
    if not ddl.refusals:
        problems += _rehearsal(ddl, shards[0])
    problems += source.refusals()
    problems += _into_empty(ownership, source)
    survey = _survey(request, source, ownership, problems)
    if problems:
        raise RefusedError(list(dict.fromkeys(problems)))
    uuids = {(t.table, t.column) for t in request.types if t.kind is Kind.UUID}
    plan = Plan(
        space=request.space,
        shards=tuple(shard.name for shard in shards),
        ownership=ownership,
        ddl=ddl,
        survey=survey,
        shard_of=balance(survey.weights, len(shards)),
        uuid_keys=_key_column(request, schema) in uuids,
    )
    return plan, [*ownership.warnings, *ddl.warnings, *_doubts(plan, source, shards)]


def _key_column(request: Request, schema: Schema) -> tuple[str, str]:
    return request.tenant, request.by or schema.table(request.tenant).primary_key[0]


def directory_has(path: Path, space: str) -> bool:
    """Whether the directory file already knows the space; a file that is none is refused."""
    if not path.exists():
        return False
    try:
        with SqliteStore(path) as store:
            return space in store.spaces()
    except StoreError as error:
        raise RefusedError([f"--directory {error}"]) from error


def _ddl(
    request: Request,
    source: Source,
    schema: Schema,
    shards: tuple[Shard, ...],
    problems: list[str],
) -> Ddl:
    columns = {(table.name, column) for table in schema.tables for column in table.columns}
    names = [f"{table}.{column}" for table, column in columns]
    problems += [
        f"--type {typed.table}.{typed.column}: there is no such column."
        + nearest(f"{typed.table}.{typed.column}", names)
        for typed in request.types
        if (typed.table, typed.column) not in columns
    ]
    dialects = {shard.address.dialect for shard in shards}
    if len(dialects) > 1:
        problems.append("--into: all shards must be of one kind, SQLite or PostgreSQL")
    ddl = source.ddl(schema, shards[0].address.dialect, request)
    problems += ddl.refusals
    return ddl


def _other_schemas(source: Source, shards: tuple[Shard, ...]) -> list[str]:
    """PostgreSQL writes a schema's name into indexes and views: in another one they would name the source's."""
    if {source.address.dialect, shards[0].address.dialect} != {Dialect.POSTGRESQL}:
        return []
    ours = source.identity()[-1]
    return [
        f"{shard.name} ({shard.address}): its schema is {theirs}, the source's is {ours}. Use one of the same name"
        for shard in shards
        if (theirs := shard.identity()[-1]) != ours
    ]


def _rehearsal(ddl: Ddl, shard: Shard) -> list[str]:
    """The schema is made once, and undone: what the database refuses is known before any row."""
    if shard.target.names():
        return []  # left by an earlier run, which had its rehearsal; or refused for not being empty
    try:
        shard.target.rehearse((*ddl.before, *ddl.after))
    except (sqlite3.Error, psycopg.Error) as error:
        return [f"{shard.name}: the schema cannot be made there: {str(error).strip()}"]
    return []


def _survey(request: Request, source: Source, ownership: Ownership, problems: list[str]) -> Survey:
    """Even where tables are refused, the rows of the others are looked at: one report for all."""
    if ownership.tenant is None:
        return Survey(())
    tenant = ownership.tenant
    if request.by is None and len(tenant.primary_key) != 1:
        problems.append(f"{tenant.name}: has no single primary key. Name a unique column with --by")
        return Survey(())
    by = request.by or tenant.primary_key[0]
    if by not in tenant.columns:
        problems.append(f"--by {by}: {tenant.name} has no such column.{nearest(by, tenant.columns)}")
        return Survey(())
    survey = take_survey(source.reader, ownership, by)
    problems += survey.findings.lines()
    if not survey.tenants:
        problems.append(f"{tenant.name}: has no rows, so there is nothing to divide")
    return survey


def _into_empty(ownership: Ownership, source: Source) -> list[str]:
    counted = [
        (table, key, source.reader.query(sql.count_linked(table.name, key.columns))[0][0])
        for table, key in ownership.must_be_null
    ]
    return [
        f"{table.name}: {rows} rows refer by {key} to {key.parent}, which is --empty."
        f" Take {key.parent} out of --empty, or put {table.name} in"
        for table, key, rows in counted
        if rows
    ]


def _doubts(plan: Plan, source: Source, shards: tuple[Shard, ...]) -> list[str]:
    doubts = []
    if len(plan.survey.tenants) < len(shards):
        doubts.append(f"{len(plan.survey.tenants)} tenants leave some of {len(shards)} shards empty")
    if source.address.dialect is Dialect.POSTGRESQL:
        collation = source.reader.query(catalogue.COLLATION)
        doubts += [
            f"{shard.name}: its database sorts text by {theirs[0][0]}, the source by"
            f" {collation[0][0]}: lists will come in another order. Make it like the source"
            for shard in shards
            if shard.address.dialect is Dialect.POSTGRESQL
            and (theirs := shard.target.query(catalogue.COLLATION)) != collation
        ]
    return doubts
