"""Writes the joins from a table to the tenants of its rows, as SQL.

Never: reads a database.
"""

from collections.abc import Iterator, Mapping
from itertools import count

from msgspec import Struct

from shardgate.move.tables import Relation
from shardgate.split.database import sql
from shardgate.split.database.schema import ForeignKey
from shardgate.split.decide.ownership import OwnedTable, Ownership


class TenantPath(Struct, frozen=True):
    """A divided table `t`, joined with what leads to its tenant."""

    table: OwnedTable
    source: str
    tenant: str
    """The column that names the tenant, as SQL."""


def tenant_paths(ownership: Ownership, by: str, relation: Relation) -> list[TenantPath]:
    """The path of every divided table."""
    owned = {each.table.name: each for each in ownership.owned}
    return [
        path_by(each, each.links[0] if len(each.path) > 1 else None, owned, by, relation) for each in ownership.owned
    ]


def path_by(
    table: OwnedTable,
    link: ForeignKey | None,
    owned: Mapping[str, OwnedTable],
    by: str,
    relation: Relation,
    numbers: Iterator[int] | None = None,
) -> TenantPath:
    """The path that begins with this link; None: the row is a tenant itself. `numbers` give the joined tables names."""
    source, alias, numbers = f"{relation(table.table.name)} AS t", "t", numbers or count()
    while link is not None and not (link.parent_columns == (by,) and len(owned[link.parent].path) == 1):
        parent = f"p{next(numbers)}"
        same = " AND ".join(
            f"{parent}.{sql.quote(theirs)} = {alias}.{sql.quote(mine)}"
            for mine, theirs in zip(link.columns, link.parent_columns, strict=True)
        )
        source += f" JOIN {relation(link.parent)} AS {parent} ON {same}"
        above = owned[link.parent]
        alias, link = parent, above.links[0] if len(above.path) > 1 else None
    return TenantPath(table, source, f"{alias}.{sql.quote(by if link is None else link.columns[0])}")
