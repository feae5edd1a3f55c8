"""Asks the databases of the proof: files of SQLite, or URLs of PostgreSQL."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg


def is_url(place: str) -> bool:
    """Whether the database is PostgreSQL's."""
    return "://" in place


def url_of(place: str) -> str:
    """As a configuration writes it."""
    return place if is_url(place) else f"sqlite:///{place}"


def ask(place: str, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement; `?` stands for each value."""
    if is_url(place):
        with psycopg.connect(place, autocommit=True) as server:
            cursor = server.execute(statement.replace("?", "%s").encode(), [*values] or None)
            return cursor.fetchall() if cursor.description else []
    with closing(sqlite3.connect(place)) as file:
        found = file.execute(statement, [*values]).fetchall()
        file.commit()
        return found


def insert(place: str, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows, all with the same columns."""
    given = [*rows]
    columns = [*given[0]]
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    values = [[row[column] for column in columns] for row in given]
    if is_url(place):
        with psycopg.connect(place) as server, server.cursor() as cursor:
            cursor.executemany(statement.replace("?", "%s").encode(), values)
        return
    with closing(sqlite3.connect(place)) as file:
        file.executemany(statement, values)
        file.commit()


def one_row(place: str, source: str, values: Sequence[Any] = ()) -> dict[str, Any]:
    """Some row of a table, by column."""
    statement = f"SELECT * FROM {source} LIMIT 1"
    if is_url(place):
        with psycopg.connect(place, row_factory=psycopg.rows.dict_row) as server:
            return dict(server.execute(statement.replace("?", "%s").encode(), [*values] or None).fetchone() or {})
    with closing(sqlite3.connect(place)) as file:
        cursor = file.execute(statement, [*values])
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def another(data_of: str, name: str, folder: Path) -> str:
    """The place of one more empty database, beside this one."""
    if not is_url(data_of):
        return str(folder / f"{name}.db")
    place, _, options = data_of.partition("?")
    ask(data_of, f'CREATE DATABASE "{name}"')
    return f"{place.rpartition('/')[0]}/{name}{'?' if options else ''}{options}"
