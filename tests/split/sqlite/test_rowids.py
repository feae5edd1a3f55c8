"""Rowids are carried, since views, triggers, indexes and applications use them as keys."""

import sqlite3
from contextlib import closing

from shardgate.split.sqlite.rowids import hidden_rowids, indexed_tables

SHOP = """
CREATE TABLE vendors (id TEXT PRIMARY KEY, name TEXT);
CREATE TABLE "Order Lines" ("select" TEXT PRIMARY KEY, vendor_id TEXT REFERENCES vendors (id));
CREATE TABLE notes (vendor_id TEXT REFERENCES vendors (id), line INTEGER, body TEXT);
CREATE TABLE odd (rowid TEXT, vendor_id TEXT REFERENCES vendors (id));
CREATE VIEW joined AS SELECT n.body, o."select" FROM notes n JOIN "Order Lines" o ON o.rowid = n.line;
INSERT INTO vendors VALUES ('a', 'A'), ('b', 'B'), ('c', 'C');
INSERT INTO "Order Lines" VALUES ('x1', 'a'), ('x2', 'b'), ('x3', 'a'), ('x4', 'c'), ('x5', 'b');
DELETE FROM "Order Lines" WHERE "select" = 'x1';
INSERT INTO notes SELECT vendor_id, rowid, 'of ' || "select" FROM "Order Lines";
INSERT INTO odd VALUES ('text', 'b'), ('text', 'c');
"""
POSTS = """
CREATE TABLE vendors (id TEXT PRIMARY KEY);
CREATE TABLE posts (id INTEGER PRIMARY KEY, vendor_id TEXT REFERENCES vendors (id), body TEXT);
CREATE VIRTUAL TABLE found USING fts5 (body, content='posts', content_rowid='id');
CREATE VIRTUAL TABLE own USING fts5 (title);
CREATE TRIGGER gone AFTER DELETE ON posts BEGIN
  INSERT INTO found (found, rowid, body) VALUES ('delete', old.id, old.body);
END;
INSERT INTO vendors VALUES ('a'), ('b');
INSERT INTO posts VALUES (1, 'a', 'hello'), (2, 'b', 'hello there'), (3, 'a', 'else');
INSERT INTO found (found) VALUES ('rebuild');
"""


def test_rows_that_are_linked_by_rowid_stay_linked(split, sqlite, shards, query) -> None:
    # Found: each shard numbered its rows anew, so that notes belonged to other lines, and the split was verified.
    source = sqlite(SHOP)
    assert split(source).exit_code == 0
    for table in ('rowid, * FROM "Order Lines"', "rowid, * FROM notes", "_rowid_, * FROM odd", "* FROM joined"):
        statement = f"SELECT {table} ORDER BY 1, 2"
        whole = query(source, statement)
        assert sorted(row for shard in shards for row in query(shard, statement)) == whole
        assert whole


def test_a_full_text_index_finds_the_rows_of_its_shard(split, sqlite, shards) -> None:
    # Found: it was empty, and the trigger of a row that was deleted left it malformed.
    result = split(sqlite(POSTS), empty=["found", "own"])
    assert result.exit_code == 0
    assert "own: is a virtual table and is created without content" in " ".join(result.output.split())
    assert "found: is a virtual table" not in result.output
    for shard in shards:
        with closing(sqlite3.connect(shard)) as database:
            asked = "SELECT rowid FROM found WHERE found MATCH 'hello'"
            there = database.execute("SELECT id FROM posts WHERE body LIKE 'hello%'").fetchall()
            assert database.execute(asked).fetchall() == there
            database.execute("DELETE FROM posts")
            database.execute("INSERT INTO found (found, rank) VALUES ('integrity-check', 1)")


def test_which_tables_have_a_hidden_rowid() -> None:
    schema = """
    CREATE TABLE plain (a);
    CREATE TABLE alias (id INTEGER PRIMARY KEY);
    CREATE TABLE no_alias (id INT PRIMARY KEY);
    CREATE TABLE descending (id INTEGER PRIMARY KEY DESC);
    CREATE TABLE two (a INTEGER, b INTEGER, PRIMARY KEY (a, b));
    CREATE TABLE without (id TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE shadowed (RowID TEXT, _rowid_ TEXT);
    CREATE TABLE hidden (rowid, _rowid_, oid);
    CREATE VIRTUAL TABLE one USING fts5 (a, content="plain");
    CREATE VIRTUAL TABLE other USING FTS4 (a, Content=Plain);
    CREATE VIRTUAL TABLE alone USING fts5 (a, content='');
    """
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(schema)

        def ask(statement: str) -> list[tuple[object, ...]]:
            return database.execute(statement).fetchall()

        assert hidden_rowids(ask) == {
            **dict.fromkeys(("plain", "no_alias", "descending", "two"), "rowid"),
            "shadowed": "oid",
        }
        assert indexed_tables(ask) == {"one": "plain", "other": "Plain"}
