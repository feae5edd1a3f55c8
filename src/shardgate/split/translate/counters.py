"""Sets the counters of a target of the other kind to the last numbers of the source's counters.

Holds: every shard gives the id next that the source would have given next.
"""

from collections.abc import Iterable

from shardgate.split.database import sql
from shardgate.split.database.contracts import RunQuery
from shardgate.split.database.schema import Table
from shardgate.split.postgres.counters import read_postgres_counter, statement_to_set_postgres_counter
from shardgate.split.sqlite.counters import read_sqlite_counter, statements_to_set_sqlite_counter


def statements_to_set_counters(query: RunQuery, tables: Iterable[Table], *, to_postgres: bool) -> list[str]:
    """The statements for a target. The query reads the source."""
    statements: list[str] = []
    for table in (table for table in tables if table.counts_up):
        column, name = table.primary_key[0], table.name
        used = query(sql.select([f"max({sql.quote(column)})"], sql.quote(name)))[0][0]
        counted = read_sqlite_counter(query, name) if to_postgres else read_postgres_counter(query, name, column)
        last = max(int(str(used or 0)), counted)
        if to_postgres and last:
            statements.append(statement_to_set_postgres_counter(name, column, last))
        elif last:
            statements += statements_to_set_sqlite_counter(name, last)
    return statements
