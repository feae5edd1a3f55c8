"""Finds the rows that a shard needs because a row of two tenants is there and refers to them.

A row of two tenants that goes to the shard of each refers, on each of them, to a row of the other tenant. That row goes
there too, and the rows that it refers to, up to the tenant itself.
Holds: afterwards no row of two tenants refers to a row that its shard does not have.
"""

from operator import itemgetter
from typing import cast

from shardgate.split.database.contracts import DatabaseReader
from shardgate.split.database.rows import ColumnValues, RowKey
from shardgate.split.database.schema import KeyColumn
from shardgate.split.decide.homes import Home
from shardgate.split.decide.ownership import OwnedTable, Ownership
from shardgate.split.decide.survey import PickKey, Survey, is_null


def find_guests(reader: DatabaseReader, ownership: Ownership, survey: Survey) -> None:
    """Fill `survey.visits`. Children come before their parents; a ring of tables is read again until nothing is new."""
    new = bool(survey.guests)
    while new:
        new = False
        for owned in reversed(ownership.owned):
            if any(table == owned.table.name for table, _ in survey.guests):
                new |= _read(reader, owned, survey)


def _read(reader: DatabaseReader, owned: OwnedTable, survey: Survey) -> bool:
    """Read the keys of one table, and invite the parents of its guests. Returns whether any was new."""
    name, primary = owned.table.name, owned.table.primary_key
    invited = [(columns, guests) for (table, columns), guests in survey.guests.items() if table == name]
    keys: list[tuple[KeyColumn, ...]] = [primary, *(columns for columns, _ in invited), *(k.read for k in owned.links)]
    columns = list(dict.fromkeys(column for key in keys for column in key))
    of_row = _pick(columns, primary)
    picks = [(_pick(columns, key), guests) for key, guests in invited]
    parents = [((k.parent, k.parent_columns), _pick(columns, k.read)) for k in owned.links]
    homes = survey.owners[name, primary]
    visits = survey.visits.setdefault(name, {})
    new = False
    for batch in reader.values(name, columns):
        for row in batch:
            home = _wanted(row, picks, survey)
            if home is None:
                continue
            visits[of_row(row)] = (homes[of_row(row)], home)
            for key_set, pick in parents:
                if not is_null(key := pick(row)):
                    new |= survey.invite(key_set, key, home)
    return new


def _wanted(row: ColumnValues, picks: list[tuple[PickKey, dict[RowKey, Home]]], survey: Survey) -> Home | None:
    wanted: Home | None = None
    for pick, guests in picks:
        found = guests.get(pick(row))
        if found is not None:
            wanted = found if wanted is None else survey.homes.both(wanted, found)
    return wanted


def _pick(columns: list[KeyColumn], key: tuple[KeyColumn, ...]) -> PickKey:
    return cast(PickKey, itemgetter(*(columns.index(column) for column in key)))
