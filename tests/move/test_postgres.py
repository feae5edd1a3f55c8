"""Movements between shards in PostgreSQL, without a gateway: what moves, and who else may change meanwhile."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from proof.postgres_server import PostgresServer
from shardgate.move.adding import add_shard
from shardgate.move.errors import NotNowError
from shardgate.move.mover import Mover
from shardgate.move.moving_rows import MovingRows
from shardgate.move.request import MoveSettings
from shardgate.store.sqlite import SqliteStore

SCHEMA = """
CREATE TABLE shops (id text PRIMARY KEY, name text UNIQUE);
CREATE TABLE notes (id integer PRIMARY KEY, shop text NOT NULL REFERENCES shops, answers integer REFERENCES notes,
  body text, raw bytea);
CREATE INDEX ON notes (shop);
CREATE TABLE kinds (id integer PRIMARY KEY, above integer REFERENCES kinds);
CREATE TABLE areas (id integer PRIMARY KEY, kind integer REFERENCES kinds);
"""
ROWS = """
INSERT INTO shops VALUES ('a', E'back\\\\slash\\ttab'), ('b', NULL);
INSERT INTO notes SELECT n, 'a', CASE WHEN n < 2500 THEN n + 1 END, E'\\\\N ' || n, '\\x00ff'
  FROM generate_series(1, 2500) n;
INSERT INTO kinds SELECT n, nullif(n + 1, 1501) FROM generate_series(1, 1500) n;
INSERT INTO areas VALUES (1, 1500);
INSERT INTO notes VALUES (3001, 'b', NULL, 'b', NULL);
"""

_databases = count()

Ask = Callable[[str, str], list[tuple[object, ...]]]


@pytest.fixture
def names(server: PostgresServer) -> Iterator[dict[str, str]]:
    """Shard → database: two with the schema, one of them with rows."""
    found = {shard: f"shard_{next(_databases)}" for shard in ("north", "south")}
    for name in found.values():
        server.create(name)
        server.ask(SCHEMA, name)
    server.ask(ROWS, found["north"])
    yield found
    for name in found.values():
        server.ask(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def ask(server: PostgresServer, names: dict[str, str]) -> Ask:
    return lambda shard, statement: server.ask(statement, names[shard])


@pytest.fixture
def settings(server: PostgresServer, names: dict[str, str], tmp_path: Path) -> MoveSettings:
    store = tmp_path / "directory.db"
    with SqliteStore(store) as opened:
        opened.put_many("shops", [("a", "north"), ("b", "north")])
    databases = {shard: server.url(name) for shard, name in names.items()}
    return MoveSettings(store, store, "shops", None, "shops", ("areas", "kinds"), (), (), databases, tuple(names))


def test_rows_that_refer_to_later_rows_of_their_own_table_move(settings: MoveSettings, ask: Ask) -> None:
    before = ask("north", "SELECT * FROM notes WHERE shop = 'a' ORDER BY id")
    mover = Mover(settings, lambda *_: None)
    try:
        (done,) = mover.move(["a"], "south")
    finally:
        mover.close()
    assert (done.phase, done.told.rows) == ("done", 2501)
    assert ask("south", "SELECT * FROM notes ORDER BY id") == before
    assert ask("south", "SELECT name FROM shops") == [("back\\slash\ttab",)]
    assert ask("north", "SELECT id FROM notes") == [(3001,)]
    left = "SELECT relname FROM pg_class WHERE starts_with(relname, '_shardgate') UNION SELECT tgname FROM pg_trigger"
    assert not [name for (name,) in ask("north", left) if str(name).startswith("_shardgate")]


@pytest.mark.parametrize(
    ("change", "succeeds"),
    [
        ("UPDATE notes SET body = 'late' WHERE id = 3001", True),
        ("UPDATE notes SET body = 'late' WHERE id = 7", False),
        ("INSERT INTO notes VALUES (9999, 'a', NULL, 'late', NULL)", False),
    ],
)
def test_a_change_while_rows_are_written_matters_if_it_is_of_the_tenant(
    settings: MoveSettings, ask: Ask, change: str, succeeds: bool
) -> None:
    work = MovingRows(settings, "north", "south", ["a"])
    try:
        assert sum(work.copy()) == 2501
        work.target.begin()
        loaded = work.load()
        ask("north", change)
        if succeeds:
            work.compare(work.unload(), loaded)
            work.target.commit()
            work.source.commit()
            assert ask("north", "SELECT body FROM notes") == [("late",)]
        else:
            with pytest.raises(NotNowError, match="notes: has changed"):
                work.compare(work.unload(), loaded)
            work.rollback()
            assert ask("south", "SELECT count(*) FROM notes") == [(0,)]
    finally:
        work.release()
        work.close()


def test_reference_tables_that_refer_to_each_other_are_brought_up_to_date(settings: MoveSettings, ask: Ask) -> None:
    ask("south", "INSERT INTO kinds VALUES (1); INSERT INTO areas VALUES (7, 1)")
    add_shard(settings, "south", "north")
    assert ask("south", "SELECT * FROM areas") == [(1, 1500)]
    assert ask("south", "SELECT count(*) FROM kinds") == [(1500,)]


def test_keys_of_any_text_are_followed(settings: MoveSettings, ask: Ask) -> None:
    for shard in ("north", "south"):
        ask(shard, "CREATE TABLE words (word text, no integer, shop text REFERENCES shops, PRIMARY KEY (word, no))")
    ask(
        "north", r"INSERT INTO words SELECT E'tab\t, back\\\\slash, \nline ' || n, n, 'a' FROM generate_series(1, 20) n"
    )
    work = MovingRows(settings, "north", "south", ["a"])
    try:
        assert sum(work.copy()) == 2521
        ask("north", "DELETE FROM words WHERE no = 1; UPDATE words SET no = 100 WHERE no = 2")
        ask("north", "INSERT INTO words VALUES ('new', 0, 'a')")
        assert work.catch_up() == 4
        ask("north", "DELETE FROM words WHERE no = 3")
        work.hand_over()
        work.target.commit()
        work.source.commit()
    finally:
        work.release()
        work.close()
    kept = ask("south", "SELECT no FROM words ORDER BY no")
    assert kept == [(0,), *((n,) for n in range(4, 21)), (100,)]
