"""Unique indexes as SQLite's catalogue has them."""

import sqlite3
from contextlib import closing

import pytest

from shardgate.move.sqlite_unique import index_parts, sqlite_unique_indexes
from shardgate.move.unique_indexes import unique_keys


@pytest.mark.parametrize(
    ("text", "parts", "where"),
    [
        ("CREATE UNIQUE INDEX i ON t (a, b DESC)", ["a", "b"], ""),
        ('CREATE UNIQUE INDEX "odd ( name" ON "t, (" (lower(a), coalesce(b, 1) asc) WHERE c > 1',
         ["lower(a)", "coalesce(b, 1)"], "c > 1"),
        ("CREATE UNIQUE INDEX i ON t(replace(a, ')', ', ('), [odd ) name])where(a IS NOT NULL)",
         ["replace(a, ')', ', (')", "[odd ) name]"], "(a IS NOT NULL)"),
        ("CREATE UNIQUE INDEX i ON t (a -- ) one\n, /* ( two */ b) -- three\nWHERE a <> '''('", ["a", "b"],
         "a <> '''('"),
        ("CREATE UNIQUE INDEX i ON t ((a || b) COLLATE NOCASE\nDESC, `x ``, y`)",
         ["(a || b) COLLATE NOCASE", "`x ``, y`"], ""),
    ],
)  # fmt: skip
def test_the_text_of_an_index_is_cut_at_its_own_commas(text: str, parts: list[str], where: str) -> None:
    assert index_parts(text) == (parts, where)


def test_the_indexes_of_a_table_are_read_with_collations_and_conditions() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE UNIQUE, b TEXT);"
            "CREATE UNIQUE INDEX part ON t (b COLLATE RTRIM DESC, lower(a)) WHERE b > '(';"
            "CREATE INDEX no_matter ON t (b)"
        )
        found = sqlite_unique_indexes(lambda statement: database.execute(statement).fetchall(), "t", ("id",))
    assert [(each.name, each.terms, each.where) for each in found] == [
        ("", ('"id"',), ""),
        ("part", ('("b") COLLATE "RTRIM"', '(lower(a)) COLLATE "BINARY"'), "b > '('"),
        ("sqlite_autoindex_t_1", ('("a") COLLATE "NOCASE"',), ""),
    ]
    assert [each.columns for each in found] == [("id",), (), ("a",)]
    assert unique_keys(("id",), found) == [("id",), ("a",)]


def test_a_primary_key_that_has_an_index_is_asked_once() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (a TEXT, b INTEGER, PRIMARY KEY (b, a)) WITHOUT ROWID")
        found = sqlite_unique_indexes(lambda statement: database.execute(statement).fetchall(), "t", ("b", "a"))
    assert [each.shown for each in found] == [("b", "a")]
