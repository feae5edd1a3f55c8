"""The SQLite store: the directory is read back, the epoch counts changes, and other files are left alone."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from shardgate.store import sqlite as store_module
from shardgate.store.directory_reader import DirectoryReader
from shardgate.store.leases import FileLeases
from shardgate.store.sqlite import SqliteStore, StoreError
from tests.locking import locked


def test_keys_are_read_back_by_space(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendor", [("1", "north"), ("2", "south")])
        store.put_many("city", [("1", "south")])

        assert store.read("vendor") == {"1": "north", "2": "south"}
        assert store.read("nobody") == {}
        assert store.spaces() == ("city", "vendor")


def test_what_was_put_survives_the_process(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendor", [("1", "north")])
    with SqliteStore(tmp_path / "directory.db") as store:
        assert store.read("vendor") == {"1": "north"}
        assert store.epoch() == 1


def test_each_change_raises_the_epoch_once(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "directory.db") as store:
        assert store.epoch() == 0
        assert store.put_many("vendor", [("1", "north"), ("2", "south")]) == 1
        assert store.put_many("vendor", [("1", "south")]) == 2
        assert store.read("vendor") == {"1": "south", "2": "south"}


def test_a_failed_change_changes_nothing(tmp_path: Path) -> None:
    def pairs():
        yield ("1", "north")
        raise RuntimeError("the source went away")

    with SqliteStore(tmp_path / "directory.db") as store:
        with pytest.raises(RuntimeError):
            store.put_many("vendor", pairs())
        assert store.read("vendor") == {}
        assert store.epoch() == 0


def test_a_space_is_created_only_once_when_asked_so(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendor", [("1", "north")], only_if_new=True)
        with pytest.raises(StoreError, match="'vendor' exists"):
            store.put_many("vendor", [("2", "north")], only_if_new=True)
        assert store.epoch() == 1


def test_two_processes_see_each_other(tmp_path: Path) -> None:
    with (
        SqliteStore(tmp_path / "directory.db") as writer,
        SqliteStore(tmp_path / "directory.db") as reader,
    ):
        writer.put_many("vendor", [("1", "north")])
        assert reader.epoch() == 1
        assert reader.read("vendor") == {"1": "north"}


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 100)
    with pytest.raises(StoreError, match="Is this the file of a store"):
        SqliteStore(path)
    assert path.read_text().startswith("not a database")


def test_the_database_of_an_application_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE vendors (id INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a store of shardgate"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "directory.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = 99 WHERE name = 'schema'")
    with pytest.raises(StoreError, match=r"newer shardgate \(schema 99.*Upgrade"):
        SqliteStore(path)


def test_an_older_store_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "directory.db"
    with SqliteStore(path) as store:
        store.put_many("vendor", [("1", "north")])
    notes = ("CREATE TABLE notes (id INTEGER PRIMARY KEY)",)
    monkeypatch.setattr(store_module, "MIGRATIONS", (*store_module.MIGRATIONS, notes))
    with SqliteStore(path) as store:
        assert store.read("vendor") == {"1": "north"}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Does the folder exist"):
        SqliteStore(tmp_path / "nowhere" / "directory.db")


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_a_new_store_and_the_files_beside_it_are_their_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with SqliteStore(tmp_path / "store.db") as store:
            store.put_many("vendor", [("1", "north")])
            made = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert made == dict.fromkeys(["store.db", "store.db-shm", "store.db-wal"], 0o600)


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "store.db").symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match="symbolic link that leads nowhere"):
        SqliteStore(tmp_path / "store.db")
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_store_that_is_locked_opens_and_is_read(tmp_path: Path) -> None:
    """Found: to open a store wrote into it, so that no worker could start while another process held its lock."""
    path = tmp_path / "store.db"
    with SqliteStore(path) as store:
        store.put_many("vendor", [("1", "north")])
    with locked(path), SqliteStore(path, busy_ms=0) as store:
        assert store.read("vendor") == {"1": "north"}
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            store.put_many("vendor", [("2", "south")])


class OpenedByOthers(sqlite3.Connection):
    """As SQLite now and then says, without waiting, when several processes make one store: 1 of 360 openings."""

    busy = 3

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if "WAL" in sql and self.busy:
            self.busy -= 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return super().execute(sql, *values)


@pytest.mark.parametrize("busy_ms", [5000, 0])
def test_a_new_store_that_others_open_just_now_is_tried_again(tmp_path: Path, busy_ms: int) -> None:
    """Found by `make chaos`: a gateway did not start, as both of its workers made the store at once."""
    with SqliteStore(tmp_path / "store.db", busy_ms=busy_ms) as store:
        store._connection.close()
        store._connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None, factory=OpenedByOthers)
        with nullcontext() if busy_ms else pytest.raises(sqlite3.OperationalError, match="locked"):
            store._write_ahead()


@pytest.mark.parametrize("others_read", [True, False])
def test_a_store_that_can_only_be_read_is_read(others_read: bool) -> None:
    """Found: a store on a medium that had become read-only killed each worker that opened it."""
    folder = Path(tempfile.mkdtemp())  # unlike pytest's own, others may enter it
    path = folder / "store.db"
    try:
        with ExitStack() as stack:
            store = stack.enter_context(SqliteStore(path))
            store.put_many("vendor", [("1", "north")])
            if not others_read:
                stack.close()
            for file in folder.iterdir():
                file.chmod(0o444)
            folder.chmod(0o555)
            assert _in_another_process(lambda: _reads_and_cannot_write(path)) == 0
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


def _reads_and_cannot_write(path: Path) -> bool:
    with SqliteStore(path, busy_ms=0) as store:
        assert store.read("vendor") == {"1": "north"}
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            store.put_many("vendor", [("2", "south")])
    leases = FileLeases(path)
    return not leases.lead("replay") and leases.lives("12345")


@pytest.mark.parametrize("tried", [True, False])
def test_a_store_that_was_opened_to_be_read_only_is_written_as_soon_as_it_can_be(tried: bool) -> None:
    """Found by `make chaos`: a worker that was started meanwhile refused the first change afterwards."""
    assert _in_another_process(lambda: _is_written_again(tried)) == 0


def _is_written_again(tried: bool) -> bool:
    folder = Path(tempfile.mkdtemp())
    path = folder / "store.db"
    SqliteStore(path).close()
    path.chmod(0o400)
    folder.chmod(0o500)
    try:
        with SqliteStore(path, busy_ms=0) as store:
            store.prepare()
            if tried:
                with pytest.raises(sqlite3.OperationalError, match="readonly"):
                    store.put_many("vendor", [("1", "north")])
            folder.chmod(0o700)
            path.chmod(0o600)
            store.prepare()
            return store.put_many("vendor", [("2", "south")]) > 0
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


@pytest.mark.parametrize("is_open", [True, False])
def test_a_reader_of_a_store_that_could_only_be_read_sees_what_others_write(is_open: bool) -> None:
    """Found: a worker that was started meanwhile had the directory as it was then, until its end."""
    assert _in_another_process(lambda: _sees(is_open=is_open)) == 0


def _sees(*, is_open: bool) -> bool:
    """`is_open`: who writes has the store open when it is read."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "store.db"
    try:
        with SqliteStore(path) as store:
            store.put_many("vendor", [("1", "north")])
        path.chmod(0o400)
        folder.chmod(0o500)
        with SqliteStore(path, busy_ms=0) as store, ExitStack() as stack:
            reader = DirectoryReader(store, ("north", "south"), {})
            view = reader.first()
            folder.chmod(0o700)
            path.chmod(0o600)
            other = stack.enter_context(SqliteStore(path))
            other.put_many("vendor", [("2", "south")])
            if not is_open:
                stack.close()
            after = reader.next(view)
            return after is not None and after.tables["vendor"].get("2", None) == "south"
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed")
@pytest.mark.parametrize("is_open", [True, False])
def test_a_reader_that_may_never_write_sees_what_another_user_writes(is_open: bool) -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "store.db"
    may_write, may_read = os.pipe(), os.pipe()

    def sees() -> bool:
        with SqliteStore(path, busy_ms=0) as store:
            before = store.read("vendor")
            os.write(may_write[1], b".")
            os.read(may_read[0], 1)
            store.prepare()
            return [*before, *store.read("vendor")] == ["1", "1", "2"]

    def writes() -> None:
        os.read(may_write[0], 1)
        with SqliteStore(path) as store:
            store.put_many("vendor", [("2", "south")])
            for file in folder.iterdir():
                file.chmod(0o444)
            if is_open:
                os.write(may_read[1], b".")
                writing.wait()
        os.write(may_read[1], b".")

    with SqliteStore(path) as store:
        store.put_many("vendor", [("1", "north")])
    path.chmod(0o444)
    folder.chmod(0o755)
    writing = Event()
    thread = Thread(target=writes)
    thread.start()
    try:
        assert _in_another_process(sees) == 0
    finally:
        writing.set()
        thread.join()
        shutil.rmtree(folder)
        for end in (*may_write, *may_read):
            os.close(end)


def _in_another_process(work: Callable[[], bool]) -> int:
    """Do it as nobody, where the test itself may write into everything. Returns 0 where it gives true."""
    if (pid := os.fork()) == 0:
        code = 1
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_full_disk_leaves_no_transaction_open(tmp_path: Path) -> None:
    """Found: where a commit failed, each later one failed, too, until the worker was restarted."""
    with SqliteStore(tmp_path / "store.db") as store:
        (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
        store.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            store.put_many("vendor", [("x" * 1000 + str(number), "north") for number in range(1000)])
        store.connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        assert store.put_many("vendor", [("1", "north")]) == 1
