"""Which rows of a shard belong to tenants, as SQL: one condition a table.

Holds: a condition follows the foreign keys that the split followed, so that a row belongs to the same tenant for both.
Never: reads a database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from shardgate.move.errors import MoveRefusedError
from shardgate.split.database import sql
from shardgate.split.database.schema import ForeignKey, Table
from shardgate.split.decide.ownership import OwnedTable, Ownership

Relation = Callable[[str], str]
"""The name of a table as SQL."""


class MovedTable(Struct, frozen=True):
    """A divided table, and the condition of the rows that move."""

    number: int
    table: Table
    links: tuple[ForeignKey, ...]
    where: str

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.table.name

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key."""
        return self.table.primary_key


def moved_tables(ownership: Ownership, by: str, keys: Sequence[str], relation: Relation) -> tuple[MovedTable, ...]:
    """All divided tables, parents first. `keys`: of the tenants, as SQL.

    Raises MoveRefusedError for a table whose rows no condition finds.
    """
    owned = {each.table.name: each for each in ownership.owned}
    names = ", ".join(keys)
    made: dict[str, str] = {}
    problems = [
        f"{each.table.name}: has no primary key, by which a movement tells its rows apart. Add one"
        for each in ownership.owned
        if not each.table.primary_key
    ]
    for each in ownership.owned:
        condition = _condition(each, owned, by, names, relation, made)
        if condition is None:
            problems.append(
                f"{each.table.name}: its rows reach their tenant by rows of its own table only, which a movement cannot"
                " follow. Give a foreign key to another divided table with `links`"
            )
        else:
            made[each.table.name] = condition
    if problems:
        raise MoveRefusedError(problems)
    return tuple(
        MovedTable(number, each.table, each.links, made[each.table.name]) for number, each in enumerate(ownership.owned)
    )


def _condition(
    each: OwnedTable, owned: Mapping[str, OwnedTable], by: str, names: str, relation: Relation, made: Mapping[str, str]
) -> str | None:
    if len(each.path) == 1:
        return f"{sql.quote(by)} IN ({names})"
    followed = [link for link in each.links if link.parent in made]
    if followed and followed[0].parent == each.path[1] and not followed[0].nullable:
        followed = followed[:1]
    parts = [_belongs(link, owned, by, names, relation, made) for link in followed]
    return "(" + " OR ".join(parts) + ")" if parts else None


def _belongs(
    link: ForeignKey, owned: Mapping[str, OwnedTable], by: str, names: str, relation: Relation, made: Mapping[str, str]
) -> str:
    if len(owned[link.parent].path) == 1 and link.parent_columns == (by,):
        return f"{sql.quote(link.columns[0])} IN ({names})"
    return f"{_row(link.columns)} IN ({parents(link, relation, made[link.parent])})"


def parents(link: ForeignKey, relation: Relation, where: str) -> str:
    """The keys of the parents that move."""
    return f"SELECT {sql.listed(link.parent_columns)} FROM {relation(link.parent)} WHERE {where}"


def torn(tables: Sequence[MovedTable], relation: Relation) -> list[tuple[MovedTable, ForeignKey, str]]:
    """Queries that find a row with one parent among what moves, and another parent that stays."""
    found = []
    for each, link, there in _linked(tables, relation):
        start = f"SELECT {sql.listed(each.key)} FROM {relation(each.name)} WHERE"
        found.append((each, link, f"{start} {each.where} AND {_given(link)} AND ({there}) IS NOT TRUE LIMIT 1"))
    return [*found, *left_behind(tables, relation)]


def left_behind(tables: Sequence[MovedTable], relation: Relation) -> list[tuple[MovedTable, ForeignKey, str]]:
    """Queries that find a row that stays with a parent among what moves."""
    found = []
    for each, link, there in _linked(tables, relation):
        start = f"SELECT {sql.listed(each.key)} FROM {relation(each.name)} WHERE"
        found.append((each, link, f"{start} {there} AND ({each.where}) IS NOT TRUE LIMIT 1"))
    return found


def _linked(tables: Sequence[MovedTable], relation: Relation) -> Iterator[tuple[MovedTable, ForeignKey, str]]:
    """Each link, and the condition of the rows whose parent moves by it."""
    where = {each.name: each.where for each in tables}
    for each in tables:
        for link in each.links:
            yield each, link, f"{_row(link.columns)} IN ({parents(link, relation, where[link.parent])})"


def cut(tables: Sequence[MovedTable], ownership: Ownership, relation: Relation) -> list[tuple[Table, ForeignKey, str]]:
    """Queries that find a link between a row that moves and one of an empty table, whose rows stay."""
    where = {each.name: each.where for each in tables}
    links = [
        (table, link, f"{_row(link.columns)} IN ({parents(link, relation, where[link.parent])})")
        for table in ownership.empty
        for link in table.foreign_keys
        if link.parent in where
    ]
    links += [
        (table, link, f"{where[table.name]} AND {_given(link)}")
        for table, link in ownership.must_be_null
        if table.name in where
    ]
    return [
        (table, link, f"SELECT {sql.listed(link.columns)} FROM {relation(table.name)} WHERE {condition} LIMIT 1")
        for table, link, condition in links
    ]


def _given(link: ForeignKey) -> str:
    return " AND ".join(f"{sql.quote(column)} IS NOT NULL" for column in link.columns)


def _row(columns: Sequence[str]) -> str:
    return sql.quote(columns[0]) if len(columns) == 1 else f"({sql.listed(columns)})"
