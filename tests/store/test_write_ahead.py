"""The log has its length from the start, and nothing else is different."""

import sqlite3
from pathlib import Path

from shardgate.store.sqlite import SqliteStore
from shardgate.store.write_ahead import LOG_BYTES, lengthen
from shardgate.store.writer import Writer
from tests.locking import locked


def log_bytes(store: Path) -> int:
    return store.with_name(f"{store.name}-wal").stat().st_size


def test_commits_after_the_start_do_not_lengthen_the_log(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        lengthen(store.connection, store.path)
        before = log_bytes(store.path)
        for number in range(300):
            store.put_many("events", [(str(number), "north")])
        assert before >= LOG_BYTES
        assert log_bytes(store.path) == before


def test_the_store_has_the_same_content_and_the_same_bytes(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        store.put_many("events", [("1", "north")])
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, pages = store.path.stat().st_size, store.connection.execute("PRAGMA cache_size").fetchone()
        lengthen(store.connection, store.path)
        assert store.connection.execute("PRAGMA cache_size").fetchone() == pages
    with SqliteStore(tmp_path / "store.db") as store:
        assert store.read("events") == {"1": "north"}
        assert store.connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'filler'").fetchone() == (0,)
        assert store.path.stat().st_size == size


def test_what_another_process_reads_and_writes_meanwhile_is_right(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store, SqliteStore(tmp_path / "store.db") as other:
        lengthen(store.connection, store.path)
        other.put_many("events", [("1", "north")])
        lengthen(store.connection, store.path)
        assert store.read("events") == other.read("events") == {"1": "north"}
        assert other.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_log_that_has_its_length_is_left_alone(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        lengthen(store.connection, store.path)
        before = store.connection.total_changes
        lengthen(store.connection, store.path)
        assert store.connection.total_changes == before


def test_a_store_that_is_locked_or_cannot_be_written_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with SqliteStore(path, busy_ms=10) as store:
        with locked(path):
            lengthen(store.connection, path)
        assert log_bytes(path) < LOG_BYTES
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    lengthen(reader, path)
    assert reader.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone() == (0,)
    reader.close()


def test_a_writer_lengthens_the_log(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "store.db")
    other = SqliteStore(tmp_path / "store.db")  # the last one that closes takes the log away
    writer.close()
    assert log_bytes(other.path) >= LOG_BYTES
    other.close()
