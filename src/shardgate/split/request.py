"""What was asked for: the options of `shardgate split`, understood before any database is opened."""

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from shardgate.split.errors import RefusedError
from shardgate.split.schema import Kind, Link, nearest


class Mode(Enum):
    """What to do with targets that an earlier run has left unfinished."""

    NEW = "new"
    RESUME = "resume"
    RESTART = "restart"


class TypedColumn(Struct, frozen=True):
    """What a column holds, where the database says less: SQLite has no type for a UUID."""

    table: str
    column: str
    kind: Kind


class Request(Struct, frozen=True):
    """One split, as its options say it."""

    source: str
    tenant: str
    targets: tuple[tuple[str, str], ...]  # shard name, database URL
    directory: str
    space: str
    by: str | None = None
    reference: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    types: tuple[TypedColumn, ...] = ()
    mode: Mode = Mode.NEW
    plan_only: bool = False
    batch_rows: int = 5_000


def listed_names(values: Sequence[str]) -> tuple[str, ...]:
    """`--reference a,b --reference c` names a, b and c."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def parse_link(text: str) -> Link:
    """`orders.vendor_id=vendors.id`; `lines.(shop,no)=orders.(shop,no)` for several columns."""
    child, equals, parent = text.partition("=")
    table, columns = _parse_columns(child)
    parent_table, parent_columns = _parse_columns(parent)
    if not (equals and columns and len(columns) == len(parent_columns)):
        raise RefusedError([f"--link {text}: write TABLE.COLUMN=PARENT.COLUMN"])
    return Link(table, columns, parent_table, parent_columns)


def parse_type(text: str) -> TypedColumn:
    """`events.id=uuid`."""
    column, _, kind = text.partition("=")
    table, columns = _parse_columns(column)
    kinds = [known.value for known in Kind]
    if len(columns) != 1 or kind not in kinds:
        reason = f"--type {text}: write TABLE.COLUMN=TYPE, with one of {', '.join(kinds)}"
        raise RefusedError([reason + "." + nearest(kind, kinds)])
    return TypedColumn(table, columns[0], Kind(kind))


def _parse_columns(text: str) -> tuple[str, tuple[str, ...]]:
    table, _, columns = text.strip().partition(".")
    return table, listed_names([columns.strip("()")])


def name_targets(
    into: Sequence[str], template: str | None, shards: int | None, names: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """The shards' names and URLs, from either way to give them; every mistake at once."""
    count = len(into) or len(names) or shards or 0
    chosen = tuple(names) or tuple(f"shard{number}" for number in range(1, count + 1))
    urls = tuple(into) or tuple((template or "").replace("{shard}", name) for name in chosen)
    problems = []
    if bool(into) == bool(template):
        problems.append("give either --into for each shard, or --into-template with --shards")
    elif template and "{shard}" not in template:
        problems.append("--into-template must contain {shard}, where each shard's name goes")
    elif template and not count:
        problems.append("--into-template needs --shards N or --names a,b,…")
    if shards is not None and shards != count:
        problems.append(f"--shards {shards}, but {count} are given by --into or --names")
    if len(chosen) != count:
        problems.append(f"--names gives {len(chosen)} names for {count} shards")
    if len(set(chosen)) != len(chosen):
        problems.append("--names gives the same name twice")
    if len(set(urls)) != len(urls) and not problems:
        problems.append("--into gives the same database twice")
    if problems:
        raise RefusedError(problems)
    return tuple(zip(chosen, urls, strict=True))
