"""Whole runs from SQLite to SQLite: the schema word for word, and a source in which nothing changes."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from shardgate.store.sqlite import SqliteStore

SHOP = """
PRAGMA user_version = 42;
CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE);
CREATE TABLE vendors (id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
  vendor_id TEXT NOT NULL REFERENCES vendors (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  category_id INTEGER REFERENCES categories (id),
  after_number INTEGER,
  name TEXT NOT NULL DEFAULT 'no name',
  shout TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL,
  price NUMERIC CHECK (price >= 0),
  PRIMARY KEY (vendor_id, number),
  FOREIGN KEY (vendor_id, after_number) REFERENCES events (vendor_id, number)
);
CREATE TABLE "order" (
  id INTEGER PRIMARY KEY AUTOINCREMENT, vendor_id TEXT NOT NULL, event INTEGER NOT NULL, "to" BLOB,
  FOREIGN KEY (vendor_id, event) REFERENCES Events (vendor_id, number)
);
CREATE TABLE audit (id INTEGER PRIMARY KEY, what TEXT);
CREATE INDEX events_by_lower ON events (lower(name));
CREATE UNIQUE INDEX cheap ON events (vendor_id, name) WHERE price < 10;
CREATE VIEW dear AS SELECT * FROM events WHERE price >= 10;
CREATE TRIGGER audited AFTER INSERT ON events BEGIN
  INSERT INTO audit (what) VALUES (new.name);
END;
INSERT INTO categories VALUES (1, 'Walks'), (2, 'Boats');
INSERT INTO vendors VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');
INSERT INTO events (vendor_id, number, category_id, after_number, name, price) VALUES
  ('a', 1, 1, 2, 'one', 1), ('a', 2, 2, NULL, 'two', 20.5), ('b', 1, 1, NULL, 'one', 3),
  ('c', 1, NULL, NULL, 'x', '12');
INSERT INTO "order" (vendor_id, event, "to") VALUES ('a', 1, x'00ff'), ('b', 1, 'text'), ('c', 1, 5);
DELETE FROM "order" WHERE id = 3;
"""
ROLES = {"reference": "categories", "empty": "audit"}


def ddl(query, path: Path) -> list[tuple[str, str]]:
    return query(path, "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")


def state(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_the_shards_have_the_schema_word_for_word(split, sqlite, shards, query, tmp_path) -> None:
    source = sqlite(SHOP)
    result = split(source, **ROLES)
    assert result.exit_code == 0, result.output
    for shard in shards:
        assert ddl(query, shard) == ddl(query, tmp_path / "source0.db")
        assert query(shard, "PRAGMA user_version") == [(42,)]
        assert query(shard, "PRAGMA foreign_key_check") == []
        assert query(shard, "PRAGMA integrity_check") == [("ok",)]
        assert not shard.with_name(shard.name + "-journal").exists()


def test_the_shards_have_the_rows_of_their_tenants(split, sqlite, shards, query, directory) -> None:
    source = sqlite(SHOP)
    assert split(source, **ROLES).exit_code == 0
    with SqliteStore(directory) as store:
        tenants = store.read("vendors")
        assert sorted(tenants) == ["a", "b", "c"]
        assert store.epoch() == 1
    for shard in shards:
        mine = {key for key, name in tenants.items() if name == shard.stem}
        for table in ("events", '"order"'):
            found = query(shard, f"SELECT *, typeof(vendor_id) FROM {table}")
            everything = query(source, f"SELECT *, typeof(vendor_id) FROM {table}")
            owner = 0 if table == "events" else 1
            assert found == [row for row in everything if row[owner] in mine]
        assert query(shard, "SELECT * FROM categories") == query(source, "SELECT * FROM categories")


def test_triggers_do_not_fire_and_counters_continue(split, sqlite, shards, query) -> None:
    assert split(sqlite(SHOP), **ROLES).exit_code == 0
    for shard in shards:
        assert query(shard, "SELECT count(*) FROM audit") == [(0,)]
        assert query(shard, "SELECT seq FROM sqlite_sequence WHERE name = 'order'") == [(3,)]


def test_a_key_that_counts_up_gets_a_warning(split, sqlite) -> None:
    result = split(sqlite(SHOP), **ROLES)
    assert "order: the database counts up its ids" in result.output


def test_a_link_replaces_a_foreign_key_that_is_not_declared(split, sqlite, shards, query) -> None:
    source = sqlite("""
    CREATE TABLE vendors (id INTEGER PRIMARY KEY);
    CREATE TABLE events (id INTEGER PRIMARY KEY, vendor INTEGER);
    INSERT INTO vendors VALUES (1), (2);
    INSERT INTO events VALUES (1, 1), (2, 2), (3, 1);""")
    assert split(source).exit_code == 1
    assert split(source, link="events.vendor=vendors.id").exit_code == 0
    assert sum(query(shard, "SELECT count(*) FROM events")[0][0] for shard in shards) == 3


def test_the_directory_may_be_keyed_by_another_column(split, sqlite, directory) -> None:
    assert split(sqlite(SHOP), by="name", space="vendor", **ROLES).exit_code == 0
    with SqliteStore(directory) as store:
        assert sorted(store.read("vendor")) == ["A", "B", "C"]


def test_uuids_are_in_the_directory_as_applications_write_them(split, sqlite, directory) -> None:
    source = sqlite("""CREATE TABLE vendors (id CHAR(32) PRIMARY KEY);
    INSERT INTO vendors VALUES ('00000000000000000000000000000001');""")
    assert split(source, type="vendors.id=uuid").exit_code == 0
    with SqliteStore(directory) as store:
        assert list(store.read("vendors")) == ["00000000-0000-0000-0000-000000000001"]


def test_nothing_changes_in_the_source(split, sqlite, tmp_path: Path) -> None:
    source = sqlite(SHOP)
    before = (tmp_path / "source0.db").read_bytes()
    assert split(source, **ROLES).exit_code == 0
    assert (tmp_path / "source0.db").read_bytes() == before


def make_wal(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SHOP)
    return path


def test_a_source_in_wal_mode_is_left_without_side_files(split, tmp_path: Path, shards) -> None:
    path = make_wal(tmp_path / "wal")
    before = state(path.parent)
    assert list(before) == ["shop.db"]
    assert split(f"sqlite:///{path}", **ROLES).exit_code == 0
    assert state(path.parent) == before
    with closing(sqlite3.connect(shards[0])) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_application_may_write_to_the_source_during_the_split(split, query, tmp_path) -> None:
    path = make_wal(tmp_path / "wal")
    with closing(sqlite3.connect(path)) as application:
        application.execute("INSERT INTO categories VALUES (3, 'Caves')")
        application.commit()
        result = split(f"sqlite:///{path}", **ROLES)
        assert result.exit_code == 0, result.output
        application.execute("INSERT INTO categories VALUES (4, 'Trains')")
        application.commit()
        assert sorted(p.name for p in path.parent.iterdir()) == [
            "shop.db", "shop.db-shm", "shop.db-wal"
        ]  # fmt: skip
    assert query(path, "SELECT count(*) FROM categories") == [(4,)]
    assert query(tmp_path / "north.db", "SELECT count(*) FROM categories") == [(3,)]


def test_what_a_killed_application_left_is_read_and_kept(split, query, tmp_path: Path) -> None:
    """The last commit is only in the -wal file. Neither that file nor the database may change."""
    live = make_wal(tmp_path / "live")
    path = tmp_path / "left" / "shop.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(live)) as application:
        application.execute("INSERT INTO categories VALUES (3, 'Caves')")
        application.commit()
        for ending in ("", "-wal", "-shm"):
            copy = path.with_name(path.name + ending)
            copy.write_bytes(live.with_name(live.name + ending).read_bytes())
    before = {name: digest for name, digest in state(path.parent).items() if "shm" not in name}
    assert split(f"sqlite:///{path}", **ROLES).exit_code == 0
    after = {name: digest for name, digest in state(path.parent).items() if "shm" not in name}
    assert after == before
    assert query(tmp_path / "north.db", "SELECT count(*) FROM categories") == [(3,)]
