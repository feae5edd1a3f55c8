"""The mark a target carries from its first moment until it is verified: ours, and not to be used.

Holds: which run made it, of which plan, how far it came, and the content of each finished table.
A target without a mark and with tables is somebody's database, and left alone.
"""

import json
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from shardgate.split import sql
from shardgate.split.rows import Content

MARK: Final = "_shardgate_split"
FINISHED: Final = "_shardgate_split_tables"
SCHEMA_DONE: Final = "*schema*"  # stands among the finished tables when indexes and keys are made

State: TypeAlias = Literal["copying", "done"]
Query: TypeAlias = Callable[[str], list[tuple[object, ...]]]


class Marker(Struct, frozen=True):
    """What a run writes into each of its targets."""

    run: str
    plan: str
    shard: str
    state: State = "copying"
    objects: tuple[str, ...] = ()  # every name the run makes here
    undo: tuple[str, ...] = ()  # the statements that take them away


def marking(marker: Marker) -> tuple[str, ...]:
    values = (
        marker.run,
        marker.plan,
        marker.shard,
        marker.state,
        json.dumps(marker.objects),
        json.dumps(marker.undo),
    )
    return (
        f"CREATE TABLE {MARK} (run TEXT, plan TEXT, shard TEXT, state TEXT, objects TEXT, undo TEXT)",
        f"CREATE TABLE {FINISHED} (name TEXT PRIMARY KEY, row_count TEXT, checksum TEXT)",
        sql.insert_text(MARK, values),
    )


def marking_done() -> str:
    return f"UPDATE {MARK} SET state = 'done'"  # noqa: S608 - a constant name


def unmarking() -> tuple[str, ...]:
    return (f"DROP TABLE {FINISHED}", f"DROP TABLE {MARK}")


def marking_finished(table: str, content: Content) -> str:
    return sql.insert_text(FINISHED, (table, str(content.rows), f"{content.checksum:x}"))


def read_marker(names: Iterable[str], query: Query) -> Marker | None:
    """The mark of a target that has these tables, if one of them is a mark."""
    if MARK not in set(names):
        return None
    columns = ("run", "plan", "shard", "state", "objects", "undo")
    ((run, plan, shard, state, objects, undo),) = query(sql.select_columns(MARK, columns))
    return Marker(
        run=str(run),
        plan=str(plan),
        shard=str(shard),
        state="done" if state == "done" else "copying",
        objects=tuple(json.loads(str(objects))),
        undo=tuple(json.loads(str(undo))),
    )


def read_finished(query: Query) -> dict[str, Content]:
    rows = query(sql.select_columns(FINISHED, ("name", "row_count", "checksum")))
    return {str(name): Content(int(str(n)), int(str(total), 16)) for name, n, total in rows}


def strangers(names: Iterable[str], marker: Marker) -> list[str]:
    """Tables in a marked target that its run did not make."""
    return sorted({*names} - {*marker.objects, MARK, FINISHED})
