"""Reads source, targets and directory and makes the plan, or reports everything that is wrong with them.

Never: writes anything. With `--plan`, the command ends here.
"""

from pathlib import Path
from typing import Final

from shardgate.split.database.address import SqlDialect
from shardgate.split.database.ddl import Ddl
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.inventory import Inventory
from shardgate.split.database.schema import ColumnKind, Schema
from shardgate.split.decide.balance import balance
from shardgate.split.decide.guests import find_guests
from shardgate.split.decide.homes import NOWHERE, Keep
from shardgate.split.decide.links import with_links
from shardgate.split.decide.ownership import Ownership, TableRoles, clashing_ids, decide_ownership
from shardgate.split.decide.plan import SplitPlan
from shardgate.split.decide.survey import Survey, take_survey
from shardgate.split.errors import SplitRefusedError
from shardgate.split.ids import IdPlan, plan_ids
from shardgate.split.postgres import catalogue
from shardgate.split.postgres.schema import columns_of_large_objects
from shardgate.split.proof import notes_of_left_out, objects_not_made, tables_outside
from shardgate.split.request import SplitRequest, expanded
from shardgate.split.source import SourceDatabase
from shardgate.split.spelling import nearest
from shardgate.split.targets import ShardTarget, targets_given_twice
from shardgate.split.translate.untranslated import kinds_not_translated
from shardgate.store.database import StoreError
from shardgate.store.opening import look, store_place

_CURE_OF_NUMBERS: Final = "Copy each object's bytes, by lo_get, into a bytea column, drop this column"


def plan_split(
    request: SplitRequest, source: SourceDatabase, shards: tuple[ShardTarget, ...]
) -> tuple[SplitPlan, list[str]]:
    """The plan and its warnings. Raises SplitRefusedError with all reasons against the plan at once."""
    schema, problems = with_links(source.schema(), request.links)
    schema = schema.with_equality()
    reference, empty = (expanded(names, schema.names()) for names in (request.reference, request.empty))
    ownership = decide_ownership(schema, TableRoles(request.tenant, reference, empty))
    problems += ownership.refusals
    ddl = _ddl(request, source, schema, shards, problems)
    problems += targets_given_twice(source.identity(), shards)
    problems += _other_schema_names(source, shards)
    problems += tables_outside(source.reader.tables(), schema.names())
    inventory = source.reader.inventory()
    if not ddl.refusals:
        problems += _rehearsal(ddl, source, inventory, shards[0])
    problems += source.refusals(shards[0].address.dialect)
    problems += _large_objects(ownership, source, inventory)
    problems += _rows_into_empty_tables(ownership, source)
    problems += _unknown_keepers(request, ownership)
    problems += _unkeyed_with_keepers(request, ownership)
    ids = _ids(request, source, ownership, shards, problems)
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
        ids=ids.statements,
        not_carried=ddl.not_carried | ({"steps of sequence"} if ids.statements else set()),
    )
    warnings = [
        *_kept_apart(plan, request),
        *_binary_names(plan, _key_column(request, schema)),
        *ids.notes,
        *clashing_ids(ownership, ids.tables),
        *ddl.warnings,
        *_foreign_tables(inventory),
        *_warnings(plan, source, shards),
    ]
    same = source.address.dialect is shards[0].address.dialect
    warnings += notes_of_left_out(inventory, ddl.not_carried if same else kinds_not_translated(inventory))
    return plan, warnings


def _ids(
    request: SplitRequest,
    source: SourceDatabase,
    ownership: Ownership,
    shards: tuple[ShardTarget, ...],
    problems: list[str],
) -> IdPlan:
    if request.ids is None:
        return IdPlan()
    tables = [*(each.table for each in ownership.owned), *ownership.empty]
    kinds = (source.address.dialect, shards[0].address.dialect)
    ids = plan_ids(request.ids, source.reader.query, tables, kinds, len(shards))
    problems += ids.refusals
    return ids


def _unknown_keepers(request: SplitRequest, ownership: Ownership) -> list[str]:
    names = {each.table.name for each in ownership.owned}
    return [
        f"{option} {table}: only a divided table has such rows, and {table} is none.{nearest(table, names)}"
        for option, pairs in (("--unowned", request.unowned), ("--shared", request.shared))
        for table, _ in pairs
        if table not in names
    ]


def _unkeyed_with_keepers(request: SplitRequest, ownership: Ownership) -> list[str]:
    """Rows that belong to no single tenant are told apart by their primary key."""
    named = {table for table, _ in (*request.unowned, *request.shared)}
    return [
        f"{each.table.name}: has no primary key, which --unowned and --shared need here to tell its rows apart. Add one"
        for each in (ownership.owned if named else ())
        if not each.table.primary_key and (each.table.name in named or len(each.links) > 1)
    ]


def _kept_apart(plan: SplitPlan, request: SplitRequest) -> list[str]:
    """What happens to rows that belong to no single tenant, with their number."""
    notes = []
    for name, homes in plan.survey.others.items():
        for home, rows in homes.items():
            where = [plan.shards[shard] for shard in plan.shards_of(home)]
            if home == NOWHERE:
                notes.append(f"{name}: {rows:,} rows are left out, because no tenant owns them")
            else:
                notes.append(f"{name}: {rows:,} rows without one owner go to {', '.join(where)}")
    for name, visits in plan.survey.visits.items():
        notes.append(f"{name}: {len(visits):,} rows go to other shards too, because rows of two tenants refer to them")
    return notes


def _binary_names(plan: SplitPlan, key: tuple[str, str]) -> list[str]:
    form = plan.survey.binary_form
    if not form or not plan.survey.tenants:
        return []
    example = next(iter(plan.survey.tenants))
    return [f"{'.'.join(key)}: is binary. The directory names tenants by its {form}, as in {example}"]


def _foreign_tables(inventory: Inventory) -> list[str]:
    return [
        f"{name.name}: is a foreign table. Each shard gets its definition; its rows stay on their own server, undivided"
        for name in inventory
        if name.kind == "foreign table"
    ]


def _large_objects(ownership: Ownership, source: SourceDatabase, inventory: Inventory) -> list[str]:
    """Large objects are outside of all tables: a column has only their numbers."""
    found = [name.name for name in inventory if name.kind == "large object"]
    if not found or source.address.dialect is not SqlDialect.POSTGRESQL:
        return []
    copied = {table.name for table in ownership.copied()}
    columns = [each for each in columns_of_large_objects(source.reader.query) if each[0] in copied]
    return [
        f"{table}.{column}: may refer to large objects, which are not copied ({found[0]} in the database)."
        f" {_cure_of_number(table, column) if single else _CURE_OF_NUMBERS}, then delete the large"
        " objects with lo_unlink"
        for table, column, single in columns
    ]


def _cure_of_number(table: str, column: str) -> str:
    return (
        f"Turn the column into bytea first: ALTER TABLE {table} ALTER COLUMN {column} TYPE bytea USING lo_get({column})"
    )


def directory_has(directory: str, space: str) -> bool:
    """Whether the directory has this space already. Raises SplitRefusedError if it is not in a store."""
    place = store_place(directory)
    if isinstance(place, Path) and not place.exists():
        return False
    try:
        return space in look(place)
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
        problems.append("--into: all shards must be of the same kind. Give databases of one kind")
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


def _rehearsal(ddl: Ddl, source: SourceDatabase, inventory: Inventory, shard: ShardTarget) -> list[str]:
    """Create the schema once and undo it, so that a statement that the database rejects is known before any row.

    What it makes is compared with the source, so that an object that would be missing is known too.
    """
    if shard.database.names():
        return []  # either an earlier run has rehearsed it, or the target is refused because it is not empty
    cure = "" if ddl.made_by else source.cure_for_schema(shard.address.dialect)
    try:
        made = shard.database.rehearse((*ddl.opening, *ddl.before, *ddl.after))
    except DRIVER_ERRORS as error:
        return [f"{shard.name}: the schema cannot be created there: {str(error).strip()}. {cure}".rstrip(". ")]
    if made is None or source.address.dialect is not shard.address.dialect:
        return []
    return objects_not_made(inventory, made, ddl.not_carried, cure=cure)


def _survey(request: SplitRequest, source: SourceDatabase, ownership: Ownership, problems: list[str]) -> Survey:
    """Survey the rows even if some tables are refused, so that one report has all problems."""
    if ownership.tenant is None:
        return Survey(())
    tenant = ownership.tenant
    if request.by is None and len(tenant.primary_key) != 1:
        problems.append(f"{tenant.name}: has no primary key of a single column. Name a unique column with --by")
        return Survey(())
    by = request.by or tenant.primary_key[0]
    if by not in tenant.readable:
        problems.append(f"--by {by}: {tenant.name} has no such column.{nearest(by, tenant.readable)}")
        return Survey(())
    keep = Keep(dict(request.unowned), dict(request.shared))
    try:
        survey = take_survey(source.reader, ownership, by, keep, [name for name, _ in request.targets])
    except DRIVER_ERRORS as error:
        raise SplitRefusedError([*problems, _unread(error, ownership)]) from error
    problems += survey.findings.lines()
    if not problems:
        find_guests(source.reader, ownership, survey)
    if not survey.tenants:
        problems.append(f"{tenant.name}: has no rows, so there are no tenants to divide. Give another --tenant table")
    return survey


def _unread(error: Exception, ownership: Ownership) -> str:
    """Why the keys could not be read: mostly, because the database cannot compare the columns of a link."""
    links = [f"{each.table.name} {link}" for each in ownership.owned for link in each.links if link.by_user]
    said = str(error).strip()
    if not links:
        return f"the keys of the rows cannot be read: {said}"
    return (
        f"the keys of the rows cannot be read: {said}\nThe columns of a --link must be comparable in the database:"
        f" {', '.join(links)}. Add a generated column of the parent's type to the table, and name that column"
    )


def _rows_into_empty_tables(ownership: Ownership, source: SourceDatabase) -> list[str]:
    counted = [(table, key, source.reader.count(table.name, key.columns)) for table, key in ownership.must_be_null]
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
