"""The options of `shardgate split` as one value, parsed and checked before any database is opened."""

import fnmatch
from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from shardgate.split.database.schema import ColumnKind, DeclaredLink
from shardgate.split.errors import SplitRefusedError
from shardgate.split.spelling import nearest


class StartMode(Enum):
    """What to do with targets that an earlier run left unfinished."""

    NEW = "new"  # refuse them
    RESUME = "resume"
    RESTART = "restart"


class TypedColumn(Struct, frozen=True):
    """A column whose kind the user gave with --type. SQLite, for example, has no type for a UUID."""

    table: str
    column: str
    kind: ColumnKind


class IdRule(Struct, frozen=True):
    """How each shard gets ids of its own: a range of this size, or every Nth id if there is no size."""

    range_size: int | None = None


class SplitRequest(Struct, frozen=True):
    """One split as its options describe it."""

    source: str  # database URL
    tenant: str  # the table whose rows are the tenants
    targets: tuple[tuple[str, str], ...]  # shard name, database URL
    directory: str  # path of the file
    space: str  # the name of the tenants in the directory
    by: str | None = None  # the column that names a tenant in the directory; None: the primary key
    reference: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    links: tuple[DeclaredLink, ...] = ()
    types: tuple[TypedColumn, ...] = ()
    unowned: tuple[tuple[str, str], ...] = ()  # table, where its rows without a tenant go
    shared: tuple[tuple[str, str], ...] = ()  # table, where its rows of two tenants go
    ids: IdRule | None = None
    mode: StartMode = StartMode.NEW
    plan_only: bool = False
    batch_rows: int = 5_000


def listed_names(values: Sequence[str]) -> tuple[str, ...]:
    """The names of an option that may repeat: `--reference a,b --reference c` names a, b and c."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def expanded(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The names, and for each pattern such as `log.*` the known names that it matches."""
    return tuple(
        dict.fromkeys(
            match
            for name in names
            for match in (fnmatch.filter(known, name) if "*" in name and name not in known else [name]) or [name]
        )
    )


def parse_link(text: str) -> DeclaredLink:
    """Parse `orders.vendor_id=vendors.id`, or `lines.(shop,no)=orders.(shop,no)` for a key of several columns."""
    child, equals, parent = text.partition("=")
    table, columns = _parse_columns(child)
    parent_table, parent_columns = _parse_columns(parent)
    if not (equals and columns and len(columns) == len(parent_columns)):
        raise SplitRefusedError([f"--link {text}: write TABLE.COLUMN=PARENT.COLUMN, as in orders.vendor_id=vendors.id"])
    return DeclaredLink(table, columns, parent_table, parent_columns)


def parse_type(text: str) -> TypedColumn:
    """Parse `events.id=uuid`."""
    column, _, kind = text.partition("=")
    table, columns = _parse_columns(column)
    kinds = [known.value for known in ColumnKind]
    if len(columns) != 1 or kind not in kinds:
        reason = f"--type {text}: write TABLE.COLUMN=TYPE. The types are {', '.join(kinds)}"
        raise SplitRefusedError([reason + "." + nearest(kind, kinds)])
    return TypedColumn(table, columns[0], ColumnKind(kind))


def parse_ids(text: str) -> IdRule:
    """Parse `step` or `range=1000000000`."""
    word, equals, size = text.partition("=")
    if word == "step" and not equals:
        return IdRule()
    if word == "range" and size.replace("_", "").isdecimal() and int(size) > 0:
        return IdRule(int(size))
    raise SplitRefusedError([f"--ids {text}: write step, or range=SIZE, as in range=1000000000"])


def parse_keep(option: str, texts: Sequence[str], words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Parse values like `logs=all`. The words are those that may follow the equals sign."""
    pairs = []
    for text in listed_names(texts):
        table, equals, word = text.rpartition("=")
        if not (equals and table and word in words):
            raise SplitRefusedError(
                [f"{option} {text}: write TABLE=WHERE. WHERE is one of {', '.join(words)}.{nearest(word, words)}"]
            )
        pairs.append((table, word))
    return tuple(pairs)


def _parse_columns(text: str) -> tuple[str, tuple[str, ...]]:
    table, _, columns = text.strip().partition(".")
    return table, listed_names([columns.strip("()")])


def name_targets(
    into: Sequence[str], template: str | None, shards: int | None, names: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """The name and the URL of each shard, from the options --into, --into-template, --shards and --names.

    Raises SplitRefusedError with all mistakes at once.
    """
    count = len(into) or len(names) or shards or 0
    chosen = tuple(names) or tuple(f"shard{number}" for number in range(1, count + 1))
    urls = tuple(into) or tuple((template or "").replace("{shard}", name) for name in chosen)
    problems = []
    if bool(into) == bool(template):
        problems.append("give either --into once for each shard, or --into-template with --shards or --names")
    elif template and "{shard}" not in template:
        problems.append("--into-template: must contain {shard}, which is replaced by the name of each shard")
    elif template and not count:
        problems.append("--into-template needs --shards N or --names a,b,…")
    if shards is not None and shards != count:
        problems.append(f"--shards {shards}: but --into or --names give {count} shards. Leave out --shards")
    if len(chosen) != count:
        problems.append(f"--names gives {len(chosen)} names for {count} shards. Give one name for each shard")
    if len(set(chosen)) != len(chosen):
        problems.append("--names gives the same name twice. Give each shard a name of its own")
    if len(set(urls)) != len(urls) and not problems:
        problems.append("--into gives the same database twice. Give each shard a database of its own")
    if problems:
        raise SplitRefusedError(problems)
    return tuple(zip(chosen, urls, strict=True))
