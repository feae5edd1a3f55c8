"""An export and an import as an application has them, of the tables of tests/move/worlds.py, by its own SQL.

`python carrier.py export|import DATABASE TENANT FILE [FAULT]`; faults: fail, half, other, more, slow.
"""

import json
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

WHERE = {
    "shops": "id = ?",
    "goods": "shop = ?",
    "sales": "shop = ?",
    "lines": "sale IN (SELECT id FROM sales WHERE shop = ?)",
}


def connected(database: str) -> Any:
    """A connection and its mark for a value."""
    if database.startswith("sqlite:///"):
        connection = sqlite3.connect(database.removeprefix("sqlite:///"))
        return connection, "?"
    import psycopg  # only where the database is PostgreSQL's

    return psycopg.connect(database), "%s"


def exported(database: str, tenant: str) -> dict[str, list[list[Any]]]:
    """The tenant's rows, by table."""
    connection, mark = connected(database)
    with closing(connection):
        return {
            table: [
                [*row]
                for row in connection.execute(
                    f"SELECT * FROM {table} WHERE {where.replace('?', mark)}", (tenant,)
                ).fetchall()
            ]
            for table, where in WHERE.items()
        }


def take_in(database: str, tenant: str, rows: dict[str, list[list[Any]]], fault: str = "") -> None:
    """Store them."""
    connection, mark = connected(database)
    with closing(connection):
        for table, found in rows.items():
            if table == "lines" and fault == "half":
                raise SystemExit("the import broke in the middle")
            for row in found:
                values = [f"{value} again" if fault == "other" and value == "note 1" else value for value in row]
                marks = ", ".join(mark for _ in row)
                connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)
            connection.commit()
        if fault == "more":
            connection.execute(f"INSERT INTO goods VALUES ('{tenant}-more', '{tenant}', 1, 'imported')")
            connection.commit()


def main() -> None:
    what, database, tenant, name, fault = (*sys.argv[1:], "")[:5]
    if fault == "fail":
        raise SystemExit("the application is not well")
    if what == "export":
        Path(name).write_text(json.dumps(exported(database, tenant)))
        return
    rows = json.loads(Path(name).read_text())
    if fault == "slow":
        signal.pause()
    take_in(database, tenant, rows, fault)


if __name__ == "__main__":
    main()
