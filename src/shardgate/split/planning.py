"""Reads source, targets and directory and makes the plan, or reports everything that is wrong with them.

Never: writes anything. With `--plan`, the command ends here.
"""

import sqlite3
from pathlib import Path

import psycopg

from shardgate.split.database import sql
from shardgate.split.database.address import SqlDialect
from shardgate.split.database.ddl import Ddl
from shardgate.split.database.schema import ColumnKind, Schema
from shardgate.split.decide.balance import balance
from shardgate.split.decide.links import with_links
from shardgate.split.decide.ownership import Ownership, TableRoles, decide_ownership
from shardgate.split.decide.plan import SplitPlan
from shardgate.split.decide.survey import Survey, take_survey
from shardgate.split.errors import SplitRefusedError
from shardgate.split.postgres import catalogue
from shardgate.split.request import SplitRequest
from shardgate.split.source import SourceDatabase
from shardgate.split.spelling import nearest
from shardgate.split.targets import ShardTarget, targets_given_twice
from shardgate.store.sqlite import SqliteStore, StoreError


def plan_split(
    request: SplitRequest, source: SourceDatabase, shards: tuple[ShardTarget, ...]
) -> tuple[SplitPlan, list[str]]:
    """The plan and its warnings. Raises SplitRefusedError with all reasons against the plan at once."""
    schema, problems = with_links(source.schema(), request.links)
    roles = TableRoles(request.tenant, request.reference, request.empty)
    ownership = decide_ownership(schema, roles)
    problems += ownership.refusals
    ddl = _ddl(request, source, schema, shards, problems)
    problems += targets_given_twice(source.identity(), shards)
    problems += _other_schema_names(source, shards)
    if not ddl.refusals:
        problems += _rehearsal(ddl, shards[0])
    problems += source.refusals()
    problems += _rows_into_empty_tables(ownership, source)
    survey = _survey(request, source, ownership, problems)
    if problems:
        raise SplitRefusedError(list(dict.fromkeys(problems)))
    uuids = {(t.table, t.column) for t in request.types if t.kind is ColumnKind.UUID}
    plan = SplitPlan(
        space=request.space,
        shards=tuple(shard.name for shard in shards),
        ownership=ownership,
        ddl=ddl,
        survey=survey,
        shard_of=balance(survey.weights, len(shards)),
        uuid_keys=_key_column(request, schema) in uuids,
    )
    return plan, [*ownership.warnings, *ddl.warnings, *_warnings(plan, source, shards)]


def directory_has(path: Path, space: str) -> bool:
    """Whether the directory has this space already. Raises SplitRefusedError if the file is not a store."""
    if not path.exists():
        return False
    try:
        with SqliteStore(path) as store:
            return space in store.spaces()
    except StoreError as error:
        raise SplitRefusedError([f"--directory {error}"]) from error


def _key_column(request: SplitRequest, schema: Schema) -> tuple[str, str]:
    """The table and the column that name a tenant in the directory."""
    return request.tenant, request.by or schema.table(request.tenant).primary_key[0]


def _ddl(
    request: SplitRequest,
    source: SourceDatabase,
    schema: Schema,
    shards: tuple[ShardTarget, ...],
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
        problems.append("--into: all shards must be of the same kind. Give either SQLite or PostgreSQL databases")
    ddl = source.ddl(schema, shards[0].address.dialect, request)
    problems += ddl.refusals
    return ddl


def _other_schema_names(source: SourceDatabase, shards: tuple[ShardTarget, ...]) -> list[str]:
    """PostgreSQL writes the schema's name into indexes and views, so a target's schema must have the same name."""
    if {source.address.dialect, shards[0].address.dialect} != {SqlDialect.POSTGRESQL}:
        return []
    ours = source.identity()[-1]
    return [
        f"{shard.name} ({shard.address}): its schema is {theirs}, the source's is {ours}. Use a schema of the same name"
        for shard in shards
        if (theirs := shard.identity()[-1]) != ours
    ]


def _rehearsal(ddl: Ddl, shard: ShardTarget) -> list[str]:
    """Create the schema once and undo it, so that a statement that the database rejects is known before any row."""
    if shard.database.names():
        return []  # either an earlier run has rehearsed it, or the target is refused because it is not empty
    try:
        shard.database.rehearse((*ddl.before, *ddl.after))
    except (sqlite3.Error, psycopg.Error) as error:
        return [f"{shard.name}: the schema cannot be created there: {str(error).strip()}"]
    return []


def _survey(request: SplitRequest, source: SourceDatabase, ownership: Ownership, problems: list[str]) -> Survey:
    """Survey the rows even if some tables are refused, so that one report has all problems."""
    if ownership.tenant is None:
        return Survey(())
    tenant = ownership.tenant
    if request.by is None and len(tenant.primary_key) != 1:
        problems.append(f"{tenant.name}: has no primary key of a single column. Name a unique column with --by")
        return Survey(())
    by = request.by or tenant.primary_key[0]
    if by not in tenant.columns:
        problems.append(f"--by {by}: {tenant.name} has no such column.{nearest(by, tenant.columns)}")
        return Survey(())
    survey = take_survey(source.reader, ownership, by)
    problems += survey.findings.lines()
    if not survey.tenants:
        problems.append(f"{tenant.name}: has no rows, so there are no tenants to divide. Give another --tenant table")
    return survey


def _rows_into_empty_tables(ownership: Ownership, source: SourceDatabase) -> list[str]:
    counted = [
        (table, key, source.reader.query(sql.count_linked(table.name, key.columns))[0][0])
        for table, key in ownership.must_be_null
    ]
    return [
        f"{table.name}: {rows} rows refer by {key} to {key.parent}, which is --empty and will have no rows."
        f" Remove {key.parent} from --empty, or add {table.name} to --empty"
        for table, key, rows in counted
        if rows
    ]


def _warnings(plan: SplitPlan, source: SourceDatabase, shards: tuple[ShardTarget, ...]) -> list[str]:
    warnings = []
    if (tenants := len(plan.survey.tenants)) < len(shards):
        warnings.append(f"there are only {tenants} tenants for {len(shards)} shards: some shards get no tenant")
    if source.address.dialect is SqlDialect.POSTGRESQL:
        collation = source.reader.query(catalogue.COLLATION)
        warnings += [
            f"{shard.name}: its database sorts text by {theirs[0][0]}, the source by {collation[0][0]}. The order of"
            " lists will change. Create the database with the source's collation"
            for shard in shards
            if shard.address.dialect is SqlDialect.POSTGRESQL
            and (theirs := shard.database.query(catalogue.COLLATION)) != collation
        ]
    return warnings
