"""The source: one snapshot of it, held from the first look at its schema to the last row."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from shardgate.split import catalogue, sql
from shardgate.split.database import Address, Dialect, conninfo, inspected
from shardgate.split.ddl import Ddl
from shardgate.split.ddl_postgres import read_postgres_ddl
from shardgate.split.ddl_sqlite import read_sqlite_ddl, shadow_tables
from shardgate.split.errors import RefusedError
from shardgate.split.postgres_read import PostgresReader, connect, freeze
from shardgate.split.reflect import other_schemas, read_schema
from shardgate.split.request import Request
from shardgate.split.rows import Reader
from shardgate.split.schema import Schema, Table
from shardgate.split.sqlite_read import SqliteReader, connect_read_only
from shardgate.split.translate import translate_ddl


class Source:
    """A database that is read, and never written."""

    __slots__ = ("_inspected", "address", "reader")

    def __init__(self, address: Address, connection: Connection, reader: Reader) -> None:
        self.address = address
        self.reader = reader
        self._inspected = connection

    def schema(self) -> Schema:
        sqlite = self.address.dialect is Dialect.SQLITE
        return read_schema(self._inspected, shadow_tables(self.reader.query) if sqlite else ())

    def refusals(self) -> list[str]:
        """What is wrong with the source itself, whatever is asked of it."""
        if self.address.dialect is Dialect.POSTGRESQL:
            return other_schemas(self._inspected)
        broken = self.reader.query('SELECT DISTINCT "table", parent FROM pragma_foreign_key_check')
        return [
            f"{table}: has rows that refer to rows of {parent} that do not exist. See them with"
            " PRAGMA foreign_key_check, and correct them"
            for table, parent in broken
        ]

    def ddl(self, schema: Schema, target: Dialect, request: Request) -> Ddl:
        if target is not self.address.dialect:
            to_postgres = target is Dialect.POSTGRESQL
            known = {(typed.table, typed.column): typed.kind for typed in request.types}
            return translate_ddl(self._inspected, schema, known, to_postgres=to_postgres)
        if target is Dialect.SQLITE:
            return read_sqlite_ddl(self.reader.query, request.reference)
        return read_postgres_ddl(self.reader.query)

    def count(self, table: Table) -> int:
        return int(str(self.reader.query(sql.select(["count(*)"], sql.quote(table.name)))[0][0]))

    def identity(self) -> tuple[object, ...]:
        """The same for two connections if and only if they see the same schema of one database."""
        if self.address.dialect is Dialect.SQLITE:
            return (self.address.path.resolve(),)
        return self.reader.query(catalogue.IDENTITY)[0]

    def close(self) -> None:
        self._inspected.close()
        self._inspected.engine.dispose()
        self.reader.close()


@contextmanager
def opened_source(address: Address, batch_rows: int) -> Iterator[Source]:
    try:
        source = _open(address, batch_rows)
    except (sqlite3.Error, psycopg.Error, SQLAlchemyError) as error:
        raise RefusedError([f"--source {address}: {str(error).strip()}"]) from error
    with closing(source):
        yield source


def _open(address: Address, batch_rows: int) -> Source:
    if address.dialect is Dialect.SQLITE:
        if not address.path.is_file():
            raise RefusedError([f"--source {address}: there is no such file"])
        file = connect_read_only(address.path)
        connection = inspected(address, file)
        return Source(address, connection, SqliteReader(address.path, file, batch_rows))
    server = connect(conninfo(address))
    connection = inspected(address, server)
    server.rollback()
    freeze(server)
    return Source(address, connection, PostgresReader(server, batch_rows))
