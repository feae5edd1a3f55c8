"""Connections to PostgreSQL, of which none waits without a bound, on either side.

Holds: the server ends a session that is silent within a transaction after SILENT_IN_TRANSACTION_S, so that a gateway
that was cut off holds up the others no longer.
"""

import time
from contextlib import suppress
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from shardgate.core.hosts import PostgresUrl
from shardgate.store.database import StoreError
from shardgate.store.postgres_sql import Loader, TextDumper

SCHEMA: Final = "shardgate"
CHANNEL: Final = "shardgate"
LOCK: Final = 0x5347_4154_0000_0001
"""The advisory lock of write transactions. Those of workers are smaller numbers (leases.py)."""
ANSWER_S: Final = 8.0
LOCK_S: Final = 5.0  # as long as a job waits for the lock of a SQLite store
SILENT_IN_TRANSACTION_S: Final = 3.0  # less than others wait for the lock
CONNECT_S: Final = 3
TRANSACTION_TIMEOUT_SINCE: Final = 170_000
VERSION_MIN: Final = 140_000  # idle_session_timeout ends the session of a silent gateway

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def uptime() -> float:
    """Seconds on a clock that goes on while the machine or the process sleeps."""
    return time.clock_gettime(_CLOCK)


class Session(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits for no answer longer than a bound; then it is broken."""

    answer_s: float = ANSWER_S

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer. Raises psycopg.OperationalError where there is none in time."""
        if timeout is not None:  # of `notifies`, for which silence is no failure
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.answer_s)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.answer_s:g} s") from error


def connect(place: PostgresUrl, *, answer_s: float = ANSWER_S, silent_s: float = 0) -> Session:
    """Connect to a server that can be written.

    `silent_s`: how long the session may be silent until the server ends it; 0: for ever. Raises psycopg.Error,
    StoreError.
    """
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_S,
        "application_name": "shardgate",
        "target_session_attrs": "read-write",
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": int(ANSWER_S * 1000),
        **_given(place),
        "client_encoding": "UTF8",
    }
    try:
        connection = Session.connect(**options, autocommit=True)
    except psycopg.Error as error:
        if (told := place.scrubbed(str(error))) != str(error):
            raise type(error)(told) from None  # with the first one, a traceback would say it
        raise
    try:
        connection.answer_s = answer_s
        connection.adapters.register_dumper(str, TextDumper)
        connection.adapters.register_loader("text", Loader)
        if connection.info.server_version < VERSION_MIN:
            version = connection.info.server_version // 10_000
            raise StoreError(f"{place}: PostgreSQL {version} is too old. Take 14 or newer")
        if (encoding := connection.info.parameter_status("server_encoding")) != "UTF8":
            cure = "Take a database that has all characters: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
            raise StoreError(f"{place}: the database has the encoding {encoding}. {cure}")
        connection.execute(_settings(silent_s, connection.info.server_version))
    except BaseException:
        connection.close()
        raise
    return connection


def _given(place: PostgresUrl) -> dict[str, Any]:
    """What the URL says. What libpq says of one that it cannot read has parts of the password, and is not told."""
    if place.mistake:
        raise StoreError(f"{place}: {place.mistake}")
    with suppress(psycopg.Error):
        return conninfo_to_dict(place.text)
    cure = "Its parameters are those of libpq, as `name=value`, and characters such as a space are written as %20"
    raise StoreError(f"{place}: libpq cannot read this URL. {cure}")


def _settings(silent_s: float, version: int) -> str:
    wanted = {
        "search_path": SCHEMA,
        "lock_timeout": f"{LOCK_S * 1000:.0f}",
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": f"{SILENT_IN_TRANSACTION_S * 1000:.0f}",
        "idle_session_timeout": f"{silent_s * 1000:.0f}",
        "default_transaction_isolation": "read committed",
        "default_transaction_deferrable": "off",
        "tcp_keepalives_idle": "2",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "3",
        "client_min_messages": "error",
    }
    if version >= TRANSACTION_TIMEOUT_SINCE:
        wanted["transaction_timeout"] = "0"  # an operator's would end an import, or a map that is made
    said = [f"set_config('{name}', '{value}', false)" for name, value in wanted.items()]
    # What is answered is on the disk, also where the database would answer earlier.
    durable = (
        "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END"
    )
    return f"SELECT {', '.join(said)}, set_config('synchronous_commit', {durable}, false)"


def said(error: Exception) -> str:
    """What a driver said, in one line. What the server adds in detail has values of rows, and is left out."""
    text = str(error)
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        text = ". ".join(filter(None, (error.diag.message_primary, error.diag.message_hint)))
    return " ".join(text.split()).rstrip(".")
