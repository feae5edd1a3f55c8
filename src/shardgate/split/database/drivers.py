"""The errors of all database drivers, as far as they are installed."""

import sqlite3
from importlib.util import find_spec
from typing import Final

import psycopg


def _errors() -> tuple[type[Exception], ...]:
    if find_spec("pymysql") is None:
        return (sqlite3.Error, psycopg.Error)
    from pymysql import MySQLError  # noqa: PLC0415 - the package may be missing

    return (sqlite3.Error, psycopg.Error, MySQLError)


DRIVER_ERRORS: Final[tuple[type[Exception], ...]] = _errors()
