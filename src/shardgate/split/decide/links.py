"""Adds the foreign keys that the user declares with `--link` to the schema that the database declares."""

from collections.abc import Iterable

from msgspec.structs import replace

from shardgate.split.database.schema import DeclaredLink, ForeignKey, Schema, Table
from shardgate.split.spelling import nearest


def with_links(schema: Schema, links: Iterable[DeclaredLink]) -> tuple[Schema, list[str]]:
    """The schema with the declared foreign keys, and one reason for each link that names what does not exist."""
    problems: list[str] = []
    tables = {table.name: table for table in schema.tables}
    for link in links:
        wrong = _wrong_names(tables, link)
        problems += wrong
        if not wrong:
            child = tables[link.table]
            key = ForeignKey(link.columns, link.parent, link.parent_columns, nullable=True, by_user=True)
            tables[link.table] = replace(child, foreign_keys=(*child.foreign_keys, key))
    return Schema(tuple(tables.values())), problems


def _wrong_names(tables: dict[str, Table], link: DeclaredLink) -> list[str]:
    problems = []
    for name, columns in ((link.table, link.columns), (link.parent, link.parent_columns)):
        if name not in tables:
            problems.append(f"--link: there is no table {name}.{nearest(name, tables)}")
            continue
        known = tables[name].readable
        problems += [
            f"--link: {name} has no column {column}.{nearest(column, known)}"
            for column in columns
            if column not in known
        ]
    return problems
