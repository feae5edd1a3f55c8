"""Connects to MySQL or MariaDB with settings that make the text of a value the same on every server.

Holds: double quotes are for names and a backslash is a character, as in standard SQL, so that the statements of
`database/sql.py` mean the same here. Values are texts as the server writes them, or bytes where they are binary.
"""

from typing import Final, TypeAlias

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from shardgate.split.database.address import DatabaseAddress
from shardgate.split.mysql.catalogue import SQL_MODE

MysqlConnection: TypeAlias = Connection

_SETTINGS: Final = (
    f"SET SESSION sql_mode = '{SQL_MODE}'",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_quote_show_create = 1",
    "SET SESSION foreign_key_checks = 0",  # all are checked together at the end
    "SET SESSION unique_checks = 1",
    "SET SESSION wait_timeout = 86400",
    "SET SESSION net_write_timeout = 3600",  # a reader may wait for a target before it takes the next rows
)


def connect(address: DatabaseAddress) -> MysqlConnection:
    """Open a session. The URL may name a socket and certificates: ?unix_socket=…&ssl_ca=…"""
    url = address.url
    options = {name: str(value) for name, value in url.query.items() if name in _OPTIONS}
    connection = pymysql.connect(
        host=url.host or "localhost",
        port=url.port or 3306,
        user=url.username,
        password=url.password or "",
        database=url.database,
        charset="utf8mb4",
        autocommit=True,
        conv={},  # no conversion: this package reads all values as text
        **options,
    )
    for setting in _SETTINGS:
        run(connection, setting)
    return connection


_OPTIONS: Final = ("unix_socket", "ssl_ca", "ssl_cert", "ssl_key")


def run(connection: MysqlConnection, statement: str) -> list[tuple[object, ...]]:
    """Run one statement and return all of its rows."""
    with connection.cursor(Cursor) as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def freeze(connection: MysqlConnection) -> None:
    """Take one snapshot, which all later statements read, and forbid writing."""
    run(connection, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    run(connection, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
