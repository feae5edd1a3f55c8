"""Puts many rows into an empty database fast, SQLite or PostgreSQL.

Holds: an interrupted seed leaves nothing behind. A SQLite file is made beside its place and moved
there when it is whole; in PostgreSQL all is one transaction. Indexes are made after the rows.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from psycopg import sql
from sqlalchemy import Connection, Table, create_engine, inspect
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateTable

from bookings.seed.catalogue import Row
from bookings.tables import metadata

Rows: TypeAlias = tuple[Table, list[Row]]
Progress: TypeAlias = Callable[[Table, int, int], None]

_BATCH = 5_000


class NotEmptyError(Exception):
    """The target holds something, and nobody said that it may go."""


def load(url: str, data: Iterable[Rows], progress: Progress, *, force: bool) -> None:
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        _load_file(target, data, progress, force=force)
    else:
        _load_server(target, data, progress, force=force)


def tables_of(url: str | URL) -> set[str]:
    """The names of the tables that are there; looking makes no file."""
    target = make_url(url)
    file = target.get_backend_name() == "sqlite"
    if file and not Path(target.database or "").exists():
        return set()
    engine = create_engine(target, poolclass=NullPool)
    return set(inspect(engine).get_table_names())


def _load_file(target: URL, data: Iterable[Rows], progress: Progress, *, force: bool) -> None:
    place = Path(target.database or "")
    if not force and tables_of(target):
        raise NotEmptyError(str(place))
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}.seeding")
    draft.unlink(missing_ok=True)
    try:
        _fill_file(target.set(database=str(draft)), data, progress)
        for name in (f"{place.name}-wal", f"{place.name}-shm"):
            place.with_name(name).unlink(missing_ok=True)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def _fill_file(target: URL, data: Iterable[Rows], progress: Progress) -> None:
    # Nothing needs to survive a crash: the file is not in its place yet.
    for_speed = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -200000")
    engine = create_engine(target, poolclass=NullPool)
    with engine.connect() as connection:
        for pragma in for_speed:
            connection.exec_driver_sql(f"PRAGMA {pragma}")
        _fill(connection, data, progress, _insert_many)
        connection.exec_driver_sql("ANALYZE")
        connection.commit()
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _load_server(target: URL, data: Iterable[Rows], progress: Progress, *, force: bool) -> None:
    if not force and tables_of(target) & metadata.tables.keys():
        raise NotEmptyError(target.render_as_string())
    engine = create_engine(target, poolclass=NullPool)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        _fill(connection, data, progress, _copy)
        connection.exec_driver_sql("ANALYZE")


def _fill(
    connection: Connection,
    data: Iterable[Rows],
    progress: Progress,
    write: Callable[[Connection, Table, list[Row]], None],
) -> None:
    for table in metadata.sorted_tables:
        connection.execute(CreateTable(table))
    for table, rows in data:
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            write(connection, table, batch)
            progress(table, start + len(batch), len(rows))
    for table in metadata.sorted_tables:
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            index.create(connection)


def _insert_many(connection: Connection, table: Table, rows: list[Row]) -> None:
    names = list(rows[0])
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
    connection.exec_driver_sql(statement, _values(rows, names))


def _copy(connection: Connection, table: Table, rows: list[Row]) -> None:
    names = list(rows[0])
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    cursor: Any = connection.connection.cursor()
    with cursor.copy(statement) as copy:
        for values in _values(rows, names):
            copy.write_row(values)


def _values(rows: list[Row], names: list[str]) -> list[tuple[Any, ...]]:
    return list(map(itemgetter(*names), rows))
