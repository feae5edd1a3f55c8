"""The source: one snapshot of it, from the first look at its schema to the last row."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from shardgate.split.database.address import DatabaseAddress, SqlDialect
from shardgate.split.database.contracts import DatabaseReader
from shardgate.split.database.ddl import Ddl
from shardgate.split.database.drivers import DRIVER_ERRORS
from shardgate.split.database.reflection import inspected, keys_into_other_schemas, read_schema
from shardgate.split.database.schema import Schema, Table
from shardgate.split.errors import SplitRefusedError
from shardgate.split.mysql.ddl import read_mysql_ddl
from shardgate.split.mysql.schema import keys_into_other_databases
from shardgate.split.mysql.schema import read_schema as read_mysql_schema
from shardgate.split.postgres import catalogue
from shardgate.split.postgres.ddl import dumped_postgres_ddl, read_postgres_ddl
from shardgate.split.postgres.dump import DumpTool, find_dump_tool
from shardgate.split.postgres.names import table_name
from shardgate.split.postgres.reader import PostgresReader
from shardgate.split.postgres.schema import read_schema as read_postgres_schema
from shardgate.split.postgres.session import connect, conninfo, freeze
from shardgate.split.request import SplitRequest
from shardgate.split.servers import identity_query
from shardgate.split.sqlite.ddl import read_sqlite_ddl, shadow_tables
from shardgate.split.sqlite.equality import with_equality
from shardgate.split.sqlite.reader import SqliteReader, connect_read_only
from shardgate.split.translate.ddl import translate_ddl

_FAILURES: Final[tuple[type[Exception], ...]] = (*DRIVER_ERRORS, SQLAlchemyError)


class SourceDatabase:
    """The database that is split. It is read and never written."""

    __slots__ = ("_inspected", "address", "reader")

    def __init__(self, address: DatabaseAddress, connection: Connection | None, reader: DatabaseReader) -> None:
        self.address = address
        self.reader = reader
        self._inspected = connection

    def schema(self) -> Schema:
        if self.address.dialect is SqlDialect.POSTGRESQL:
            return read_postgres_schema(self.reader.query)
        if self.address.dialect is SqlDialect.MYSQL:
            return read_mysql_schema(self.reader.query)
        return with_equality(read_schema(self._reflected(), shadow_tables(self.reader.query)), self.reader.query)

    def refusals(self, target: SqlDialect) -> list[str]:
        """The reasons why this database cannot be split, whatever the options are."""
        if self.address.dialect is SqlDialect.POSTGRESQL:
            dumped = target is SqlDialect.POSTGRESQL and self._dump_tool() is not None
            return [] if dumped else keys_into_other_schemas(self._reflected())
        if self.address.dialect is SqlDialect.MYSQL:
            return keys_into_other_databases(self.reader.query)
        broken = self.reader.query('SELECT DISTINCT "table", parent FROM pragma_foreign_key_check')
        return [
            f"{table}: has rows that refer to rows of {parent} that do not exist. List them with"
            " PRAGMA foreign_key_check, then correct them, or add the rows that they refer to"
            for table, parent in broken
        ]

    def ddl(self, schema: Schema, target: SqlDialect, request: SplitRequest) -> Ddl:
        """The statements that create the schema in targets of this kind."""
        if target is not self.address.dialect:
            return self._translated(schema, target, request)
        if target is SqlDialect.MYSQL:
            return read_mysql_ddl(self.reader.query)
        if target is SqlDialect.SQLITE:
            return read_sqlite_ddl(self.reader.query, request.reference)
        if (tool := self._dump_tool()) is None:
            return read_postgres_ddl(self.reader.query)
        names = [
            table_name(str(place), str(name), str(current))
            for place, name, current in self.reader.query(catalogue.NAMES)
        ]
        return dumped_postgres_ddl(self.reader.query, tool, conninfo(self.address), names)

    def _translated(self, schema: Schema, target: SqlDialect, request: SplitRequest) -> Ddl:
        if SqlDialect.MYSQL in (target, self.address.dialect):
            reason = (
                f"--into: from {self.address.dialect.value} to {target.value} the schema cannot be translated. Give"
                " databases of the source's kind"
            )
            return Ddl((), (), refusals=(reason,))
        to_postgres = target is SqlDialect.POSTGRESQL
        if outside := [table.name for table in schema.tables if "." in table.name and not to_postgres]:
            reason = "is in another schema, which SQLite does not have. Move it into the schema that is split"
            return Ddl((), (), refusals=tuple(f"{name}: {reason}" for name in outside))
        known = {(typed.table, typed.column): typed.kind for typed in request.types}
        return translate_ddl(self._reflected(), schema, known, to_postgres=to_postgres)

    def cure_for_schema(self, target: SqlDialect) -> str:
        """What to do where the statements of this package do not make the whole schema."""
        if self.address.dialect is SqlDialect.MYSQL:
            return "Create the shard's database with the CHARACTER SET and COLLATE of the source, on a server like it"
        if {self.address.dialect, target} != {SqlDialect.POSTGRESQL}:
            return "Make it by hand in the source's way, or remove it from the source first"
        ((version,),) = self.reader.query("SELECT current_setting('server_version_num')")
        major = int(str(version)) // 10_000
        return f"Put PostgreSQL's own pg_dump, version {major} or newer, on the PATH: it carries the whole schema"

    def _dump_tool(self) -> DumpTool | None:
        ((version,),) = self.reader.query("SELECT current_setting('server_version_num')")
        return find_dump_tool(int(str(version)))

    def count(self, table: Table) -> int:
        """The number of rows in the table."""
        return self.reader.count(table.name)

    def identity(self) -> tuple[object, ...]:
        """A value that two connections have in common if and only if they see the same schema of the same database."""
        if self.address.dialect is SqlDialect.SQLITE:
            return (self.address.path.resolve(),)
        return self.reader.query(identity_query(self.address.dialect))[0]

    def close(self) -> None:
        if self._inspected is not None:
            self._inspected.close()
            self._inspected.engine.dispose()
        self.reader.close()

    def _reflected(self) -> Connection:
        """The connection of SQLAlchemy, which reads SQLite and translates."""
        assert self._inspected is not None, "only a source of MySQL has none"
        return self._inspected


@contextmanager
def opened_source(address: DatabaseAddress, batch_rows: int) -> Iterator[SourceDatabase]:
    """Open the source and take its snapshot. Raises SplitRefusedError if it cannot be opened."""
    try:
        source = _open(address, batch_rows)
    except _FAILURES as error:
        raise SplitRefusedError([f"--source {address}: cannot open it: {str(error).strip()}"]) from error
    with closing(source):
        yield source


def _open(address: DatabaseAddress, batch_rows: int) -> SourceDatabase:
    if address.dialect is SqlDialect.SQLITE:
        if not address.path.is_file():
            raise SplitRefusedError([f"--source {address}: there is no such file. Correct the path"])
        file = connect_read_only(address.path)
        connection = inspected(address, file)
        return SourceDatabase(address, connection, SqliteReader(address.path, file, batch_rows))
    if address.dialect is SqlDialect.MYSQL:
        from shardgate.split.mysql.reader import open_reader  # noqa: PLC0415 - its driver may be missing

        return SourceDatabase(address, None, open_reader(address, batch_rows))
    server = connect(conninfo(address))
    connection = inspected(address, server)
    server.rollback()  # SQLAlchemy has read: end its transaction, so that the snapshot begins after `freeze`
    freeze(server)
    return SourceDatabase(address, connection, PostgresReader(server, batch_rows))
