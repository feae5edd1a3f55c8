"""The mark of a target that is not finished: two tables that say which run made the target, and how far it came.

Holds: a target carries the mark from its first table until all shards are verified and the directory is written. The
mark says which run made the target, from which plan, and the digest of each finished table. A target that has tables
but no mark is not ours, and the split leaves it alone.
"""

import json
from collections.abc import Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.rows import TableDigest

MARK: Final = "_shardgate_split"
FINISHED: Final = "_shardgate_split_tables"
SCHEMA_DONE: Final = "*schema*"  # listed among the finished tables once indexes, keys, views and triggers exist

MarkState: TypeAlias = Literal["copying", "done"]  # done: every shard is verified


class TargetMark(Struct, frozen=True):
    """What a run writes into each of its targets."""

    run: str  # the same in all targets of one run
    plan: str  # the fingerprint of the plan
    shard: str
    state: MarkState = "copying"
    objects: tuple[str, ...] = ()  # every name that the run makes here
    undo: tuple[str, ...] = ()  # the statements that delete them


def statements_to_mark(mark: TargetMark, types: tuple[str, str] = ("TEXT", "TEXT")) -> tuple[str, ...]:
    """The statements that mark a target. The types are those of a name and of a long text."""
    name, text = types
    values = (
        mark.run,
        mark.plan,
        mark.shard,
        mark.state,
        json.dumps(mark.objects),
        json.dumps(mark.undo),
    )
    return (
        f"CREATE TABLE {MARK} (run {name} PRIMARY KEY, plan {name}, shard {name}, state {name}, objects {text},"
        f' "undo" {text})',  # UNDO is a word of MariaDB
        f"CREATE TABLE {FINISHED} (name {name} PRIMARY KEY, row_count {name}, checksum {name})",
        sql.insert_text(MARK, values),
    )


def statement_to_mark_done() -> str:
    return f"UPDATE {MARK} SET state = 'done'"  # noqa: S608 - a constant name


def statement_to_mark_finished(table: str, digest: TableDigest) -> str:
    return sql.insert_text(FINISHED, (table, str(digest.rows), f"{digest.checksum:x}"))


def statements_to_unmark() -> tuple[str, ...]:
    return (f"DROP TABLE {FINISHED}", f"DROP TABLE {MARK}")


def read_mark(names: Iterable[str], query: RunQuery) -> TargetMark | None:
    """The mark of a target whose tables have these names, or None if it carries no mark."""
    if MARK not in set(names):
        return None
    columns = ("run", "plan", "shard", "state", "objects", "undo")
    ((run, plan, shard, state, objects, undo),) = query(sql.select_columns(MARK, columns))
    return TargetMark(
        run=str(run),
        plan=str(plan),
        shard=str(shard),
        state="done" if state == "done" else "copying",
        objects=tuple(json.loads(str(objects))),
        undo=tuple(json.loads(str(undo))),
    )


def read_finished(query: RunQuery) -> dict[str, TableDigest]:
    """The digest of each finished table. Once the schema is complete, SCHEMA_DONE is one of the names."""
    rows = query(sql.select_columns(FINISHED, ("name", "row_count", "checksum")))
    return {str(name): TableDigest(int(str(n)), int(str(total), 16)) for name, n, total in rows}


def foreign_names(names: Iterable[str], mark: TargetMark) -> list[str]:
    """The tables of a marked target that its run did not make."""
    return sorted({*names} - {*mark.objects, MARK, FINISHED})
