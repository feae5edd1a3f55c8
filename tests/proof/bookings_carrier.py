"""An export and an import of one vendor of the reference platform: `bookings_carrier.py export|import CONFIG FILE`."""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def main() -> None:
    what, config, name = sys.argv[1:]
    with closing(sqlite3.connect(os.environ["MOVE_DATABASE"].removeprefix("sqlite:///"), timeout=10)) as database:
        if what == "export":
            Path(name).write_text(json.dumps(exported(Path(config), database)))
            return
        for table, rows in json.loads(Path(name).read_text()).items():
            for row in rows:
                database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in row)})", row)
            database.commit()  # table by table: who may look sees half a tenant


def exported(config: Path, database: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """The vendor's rows, by table, parents first."""
    from shardgate.move.run import settings_from  # the import is to be quick: lists wait for it
    from shardgate.move.shards import read_division
    from shardgate.move.tables import moved_tables
    from shardgate.process.preflight import read
    from shardgate.split.database import sql

    division = read_division(settings_from(read(config), {}), os.environ["MOVE_SHARD"])
    tables = moved_tables(division.ownership, division.by, [sql.literal(os.environ["MOVE_TENANT"])], sql.quote)
    return {each.name: database.execute(f"SELECT * FROM {each.name} WHERE {each.where}").fetchall() for each in tables}


if __name__ == "__main__":
    main()
