"""A split that is interrupted, and what --resume and --restart do about it. The processes are real."""

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from shardgate.store.sqlite import SqliteStore

# Small tables first, so that some are finished while the big one is being copied.
SHOP = """
CREATE TABLE vendors (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors, name TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL REFERENCES events, note TEXT);
CREATE INDEX orders_by_note ON orders (note);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
  INSERT INTO vendors SELECT i, 'vendor ' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
  INSERT INTO events SELECT i, 1 + i % 20, 'event ' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
  INSERT INTO orders SELECT i, 1 + i % 2000, hex(i) FROM n;
"""
COMMAND = """
import signal
import typer
from shardgate.cli.split import split
signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
app = typer.Typer()
app.command()(split)
app()
"""


def start(source: str, into: list[str], directory: Path) -> subprocess.Popen[str]:
    """The command in a process of its own. Small batches make it slow enough to be interrupted anywhere."""
    arguments = ["--source", source, "--tenant", "vendors", "--directory", str(directory)]
    arguments += ["--names", "north,south", "--batch-rows", "20"]
    arguments += [part for url in into for part in ("--into", url)]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def interrupt(process: subprocess.Popen[str], line: str, how: signal.Signals) -> tuple[int, str]:
    """Send the signal once the command has printed this line. Returns the exit code and the rest of the output."""
    assert process.stdout is not None
    with process.stdout:
        assert any(printed.startswith(line) for printed in process.stdout), f"it ended without the line {line!r}"
        process.send_signal(how)
        rest = process.stdout.read()
    return process.wait(), rest


@pytest.fixture
def killed(sqlite, shards, directory) -> str:
    """A source whose split was killed while it copied the last of three tables."""
    source = sqlite(SHOP)
    into = [f"sqlite:///{path}" for path in shards]
    process = start(source, into, directory)
    assert interrupt(process, "copying orders", signal.SIGKILL)[0] == -signal.SIGKILL
    assert not directory.exists()
    return source


def assert_whole(query, source: str, shards: list, directory: Path) -> None:
    for table in ("vendors", "events", "orders"):
        found = [row for shard in shards for row in query(shard, f"SELECT * FROM {table}")]
        assert sorted(found) == query(source, f"SELECT * FROM {table} ORDER BY id")
    with SqliteStore(directory) as store:
        assert len(store.read("vendors")) == 20
        assert store.epoch() == 1


def tables(query, path: Path) -> set[str]:
    return {name for (name,) in query(path, "SELECT name FROM sqlite_master")}


def test_a_killed_split_is_refused_without_resume_or_restart(killed, split, shards, directory) -> None:
    result = split(killed)
    assert result.exit_code == 1
    assert "north" in result.output
    assert "holds an unfinished split and must not be used" in result.output
    assert "--resume to continue where it stopped" in result.output
    assert "--restart to delete what it made" in result.output
    assert not directory.exists()


def test_resume_finishes_a_killed_split(killed, split, query, shards, directory) -> None:
    before = query(shards[0], "SELECT run FROM _shardgate_split")
    assert before
    result = split(killed, resume=True)
    assert result.exit_code == 0, result.output
    assert "split: verified, 3 tables, 32020 rows, 2 shards" in result.output
    assert_whole(query, killed, shards, directory)
    assert tables(query, shards[0]) == {"vendors", "events", "orders", "orders_by_note"}


def test_restart_makes_the_shards_again(killed, split, query, shards, directory) -> None:
    result = split(killed, restart=True)
    assert result.exit_code == 0, result.output
    assert_whole(query, killed, shards, directory)


def test_resume_says_when_the_source_has_changed(killed, split, sqlite, query, shards, directory):
    path = killed.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as application, application:
        application.execute("UPDATE vendors SET name = 'VENDOR 1' WHERE id = 1")
    result = split(killed, resume=True)
    assert result.exit_code == 1
    assert "vendors: the source has changed since the interrupted run copied it" in result.output
    assert "--restart" in result.output
    assert split(killed).exit_code == 1  # still marked
    assert split(killed, restart=True).exit_code == 0
    assert_whole(query, killed, shards, directory)


def test_resume_refuses_other_options(killed, split) -> None:
    result = split(killed, resume=True, names="south,north", space="shops")
    assert result.exit_code == 1
    assert "had another plan" in result.output


def test_restart_deletes_nothing_that_the_split_did_not_make(killed, split, query, shards) -> None:
    with closing(sqlite3.connect(shards[0])) as connection, connection:
        connection.execute("CREATE TABLE backup (id INTEGER)")
    result = split(killed, restart=True)
    assert result.exit_code == 1
    assert "also backup, which the split did not make" in result.output
    assert "backup" in tables(query, shards[0])


def test_a_table_that_was_altered_is_not_verified(killed, split, query, shards, directory) -> None:
    """A finished table of the killed run is altered: the count of its rows stays, a value changes."""
    with closing(sqlite3.connect(shards[0])) as connection, connection:
        connection.execute("UPDATE events SET name = 'x' WHERE id = (SELECT min(id) FROM events)")
    result = split(killed, resume=True)
    assert result.exit_code == 1
    assert "events: the shards do not hold what was copied" in result.output
    assert "DIFFERS" in result.output
    assert query(shards[0], "SELECT state FROM _shardgate_split") == [("copying",)]
    assert not directory.exists()


@pytest.mark.parametrize("line", ["copying vendors", "copying events", "creating indexes", "reading every row back"])
def test_a_split_killed_at_any_stage_is_resumed(sqlite, split, query, shards, directory, line: str) -> None:
    source = sqlite(SHOP)
    process = start(source, [f"sqlite:///{path}" for path in shards], directory)
    assert interrupt(process, line, signal.SIGKILL)[0] == -signal.SIGKILL
    assert split(source).exit_code == 1
    result = split(source, resume=True)
    assert result.exit_code == 0, result.output
    assert_whole(query, source, shards, directory)


def test_resume_removes_the_marks_that_a_finished_split_left(split, sqlite, query, shards, directory):
    """Every shard is verified and the directory is written, but one shard still has its mark."""
    source = sqlite(SHOP)
    assert split(source).exit_code == 0
    with closing(sqlite3.connect(shards[1])) as connection, connection:
        connection.executescript(
            "CREATE TABLE _shardgate_split (run, plan, shard, state, objects, undo);"
            "CREATE TABLE _shardgate_split_tables (name, row_count, checksum);"
            "INSERT INTO _shardgate_split VALUES ('r', 'p', 'south', 'done', '[]', '[]');"
        )
    assert split(source).exit_code == 1
    result = split(source, resume=True)
    assert result.exit_code == 0, result.output
    assert "An earlier run had verified" in result.output
    assert "_shardgate_split" not in tables(query, shards[1])
    assert_whole(query, source, shards, directory)


def test_a_split_that_could_not_write_the_directory_is_resumed(sqlite, split, query, shards, tmp_path: Path) -> None:
    source, blocked = sqlite(SHOP), tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    result = split(source, directory=blocked / "directory.db")
    assert result.exit_code == 1
    assert "split: failed, the targets must not be used" in result.output
    assert "blocked" in result.output
    assert "Correct the cause, then run the same command with --resume" in result.output
    blocked.unlink()
    assert split(source, directory=blocked / "directory.db", resume=True).exit_code == 0
    assert_whole(query, source, shards, blocked / "directory.db")


def test_control_c_says_what_to_do(sqlite, shards, directory, split, query) -> None:
    source = sqlite(SHOP)
    process = start(source, [f"sqlite:///{path}" for path in shards], directory)
    code, said = interrupt(process, "copying orders", signal.SIGINT)
    assert code == 130
    assert "Run the same command with --resume to continue, or with --restart" in said
    assert split(source, resume=True).exit_code == 0
    assert_whole(query, source, shards, directory)


@pytest.mark.parametrize("flag", ["resume", "restart"])
def test_a_killed_split_into_postgresql_is_finished(sqlite, postgres, split, query, directory, flag: str) -> None:
    source, into = sqlite(SHOP), [postgres(), postgres()]
    process = start(source, into, directory)
    assert interrupt(process, "copying orders", signal.SIGKILL)[0] == -signal.SIGKILL
    assert split(source, into=into).exit_code == 1
    result = split(source, into=into, names="north,south", **{flag: True})
    assert result.exit_code == 0, result.output
    assert_whole(query, source, into, directory)
    names = query(into[0], "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in names} == {"vendors", "events", "orders"}
