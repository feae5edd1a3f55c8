"""Case D1: the proof compares with the database's own catalogue, so no table can be outside of it."""

import sqlite3
from contextlib import closing

import pytest

from shardgate.split import run
from shardgate.split.database.inventory import ObjectName, differences
from shardgate.split.postgres.inventory import QUERIES, UNREAD
from shardgate.split.proof import tables_outside

TWO_ITEMS = """
CREATE TABLE vendors (id int PRIMARY KEY);
CREATE TABLE items (id int PRIMARY KEY, vendor_id int NOT NULL REFERENCES vendors);
CREATE TABLE "Items" (id int PRIMARY KEY, vendor_id int NOT NULL REFERENCES vendors);
CREATE TABLE "a.b" (id int PRIMARY KEY, vendor_id int NOT NULL REFERENCES vendors);
INSERT INTO vendors SELECT generate_series(1, 4);
INSERT INTO items SELECT n, 1 + n % 4 FROM generate_series(1, 20) n;
INSERT INTO "Items" SELECT n, 1 + n % 4 FROM generate_series(1, 8) n;
INSERT INTO "a.b" SELECT n, 1 + n % 4 FROM generate_series(1, 12) n;
"""


@pytest.mark.parametrize("tool", ["dump_tool", "no_dump_tool"])
def test_names_that_differ_in_case_alone_are_two_tables(split, postgres, query, request, tool) -> None:
    request.getfixturevalue(tool)
    into = [postgres(), postgres()]
    result = split(postgres(TWO_ITEMS), into=into)
    assert result.exit_code == 0, result.output
    for table, rows in (("items", 20), ('"Items"', 8), ('"a.b"', 12)):
        counts = [query(shard, f"SELECT count(*) FROM {table}")[0][0] for shard in into]
        assert sum(counts) == rows
        assert 0 not in counts


def test_a_table_of_another_schema_is_divided_too(split, postgres, query, dump_tool) -> None:
    source = postgres(
        TWO_ITEMS
        + """CREATE SCHEMA log; CREATE TABLE log.items (id serial PRIMARY KEY, vendor_id int REFERENCES vendors);
        INSERT INTO log.items (vendor_id) SELECT 1 + n % 4 FROM generate_series(1, 6) n;"""
    )
    into = [postgres(), postgres()]
    result = split(source, into=into)
    assert result.exit_code == 0, result.output
    assert "log.items → vendors" in result.output
    assert sum(query(shard, "SELECT count(*) FROM log.items")[0][0] for shard in into) == 6
    assert [query(shard, "SELECT nextval('log.items_id_seq')") for shard in into] == [[(7,)], [(7,)]]


def test_every_catalogue_of_the_server_is_read_or_has_a_reason(postgres, query) -> None:
    """A server with a catalogue that this test does not know may have objects that no split would carry."""
    found = query(
        postgres(),
        "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'",
    )
    assert {name for (name,) in found} - {*QUERIES, *UNREAD} == set()
    assert {*QUERIES} & {*UNREAD} == set()


def test_a_table_that_the_plan_does_not_have_is_named() -> None:
    assert tables_outside(["items", "Items"], ["items"])[0].startswith("Items: is in the catalogue of the source")
    assert tables_outside(["items"], ["items", "other"]) == []


def test_an_object_that_is_missing_or_different_is_named() -> None:
    source = {ObjectName("view", "a"): "SELECT 1", ObjectName("view", "b"): "SELECT 2", ObjectName("grant", "g"): ""}
    found = differences(source, {ObjectName("view", "a"): "SELECT 3"}, {"grant"})
    assert [str(each) for each in found] == ["view a is different", "view b is missing"]


def test_what_a_server_writes_anew_is_the_same_but_a_text_in_quotes_is_not() -> None:
    name = ObjectName("constraint", "c")
    one = "CHECK (((s)::text = ANY ((ARRAY['a (b)'::character varying])::text[])))"
    same = "CHECK ((s)::text = ANY (ARRAY[('a (b)'::character varying)::text]))"
    other = "CHECK ((s)::text = ANY (ARRAY[('ab'::character varying)::text]))"
    assert differences({name: one}, {name: same}) == []
    assert len(differences({name: one}, {name: other})) == 1
    assert len(differences({ObjectName("function", "f"): "( a )"}, {ObjectName("function", "f"): "(a)"})) == 1


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (
            "DROP INDEX by_vendor",
            "north: index by_vendor is missing on this shard, by the catalogues of both databases",
        ),
        ("DROP VIEW all_items; CREATE VIEW all_items AS SELECT 1", "view all_items is different on this shard"),
        ("INSERT INTO sessions VALUES (1)", "sessions: is --empty, but a shard has rows"),
    ],
)
def test_a_shard_that_differs_from_the_source_is_not_verified(
    split, sqlite, shards, directory, monkeypatch, harm: str, said: str
) -> None:
    source = sqlite("""CREATE TABLE vendors (id INTEGER PRIMARY KEY); INSERT INTO vendors VALUES (1), (2);
    CREATE TABLE items (id INTEGER PRIMARY KEY, vendor_id INTEGER NOT NULL REFERENCES vendors (id));
    CREATE TABLE sessions (id INTEGER PRIMARY KEY);
    CREATE INDEX by_vendor ON items (vendor_id); CREATE VIEW all_items AS SELECT * FROM items;""")
    verify = run._verify

    def harmed(*arguments, **named):
        with closing(sqlite3.connect(shards[0])) as connection:
            connection.executescript(harm)
        return verify(*arguments, **named)

    monkeypatch.setattr(run, "_verify", harmed)
    result = split(source, empty="sessions")
    assert result.exit_code == 1
    assert said in result.output
    assert not directory.exists()
