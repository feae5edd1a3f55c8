"""Clashes by unique indexes and exclusion constraints of every kind: refused before anything is touched, by row.

A partial index and one by an expression were noticed when the rows were written: the movement stood still then.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.postgres_server import PostgresServer
from shardgate.move.unique_indexes import UniqueIndex, plain_key
from tests.move.worlds import World, running_world

OWN_NOTES = "UPDATE goods SET note = id || ' Note'"
OTHER = "INSERT INTO shops VALUES ('z', NULL); INSERT INTO goods VALUES ('z-1', 'z', {kind}, {note})"

# The index, what the target has, and what is said of it; nothing is said of rows that may stand together.
BOTH = [
    ("UNIQUE INDEX once ON goods (lower(note))", ("1", "'A-1 NOTE'"), "lower(note) = a-1 note, and so has north"),
    ("UNIQUE INDEX once ON goods (lower(note))", ("1", "'a-7 note'"), ""),
    ("UNIQUE INDEX once ON goods (lower(note), kind)", ("1", "'A-1 NOTE'"), "lower(note), kind = a-1 note, 1"),
    ("UNIQUE INDEX once ON goods (lower(note), kind)", ("NULL", "'A-1 NOTE'"), ""),
    ("UNIQUE INDEX once ON goods (note) WHERE kind IS NOT NULL", ("1", "'a-1 Note'"), "note = a-1 Note"),
    ("UNIQUE INDEX once ON goods (note) WHERE kind IS NOT NULL", ("NULL", "'a-1 Note'"), ""),
    ("UNIQUE INDEX once ON goods (note) WHERE kind IS NULL", ("NULL", "'a-1 Note'"), ""),
    ("UNIQUE INDEX once ON goods (kind DESC, note DESC)", ("1", "'a-1 Note'"), "kind, note = 1, a-1 Note"),
    ("UNIQUE INDEX once ON goods ((length(note) + kind)) WHERE id IN ('a-1', 'z-1')", ("1", "'8 letter'"), "= 9"),
    ("UNIQUE INDEX once ON goods (coalesce(note, ', )''--'), id) WHERE note <> ')'", ("1", "'a-1 Note'"), ""),
]  # fmt: skip
SQLITE = [
    ("UNIQUE INDEX once ON goods (note COLLATE NOCASE)", ("1", "'A-1 NOTE'"), "note = A-1 NOTE, and so has north"),
    ("UNIQUE INDEX once ON goods (note COLLATE RTRIM DESC)", ("1", "'a-1 Note  '"), "note = a-1 Note  , and so"),
    ("UNIQUE INDEX once ON goods (trim(note, '- ') COLLATE NOCASE DESC /* , ( */, shop IS NULL)", ("1", "'A-1 NOTE-'"),
     "trim(note, '- ') COLLATE NOCASE, shop IS NULL = A-1 NOTE, 0"),
]  # fmt: skip
POSTGRESQL = [
    ("UNIQUE INDEX once ON goods (note) INCLUDE (kind) NULLS NOT DISTINCT", ("1", "'a-1 Note'"), "note = a-1 Note"),
    ("UNIQUE INDEX once ON goods ((NULL::text), (note = 'q')) NULLS NOT DISTINCT WHERE note IN ('a-1 Note', 'q')",
     ("1", "'q'"), ""),
    ("UNIQUE INDEX once ON goods (note text_pattern_ops)", ("1", "'a-1 Note'"), "note = a-1 Note"),
    ("UNIQUE INDEX once ON goods ((note::varchar(5)) COLLATE \"C\") WHERE shop <> 'b'", None, ""),
]  # fmt: skip


def _with(world: World, index: str, other: tuple[str, str] | None) -> None:
    for shard in world.names:
        world.ask(shard, OWN_NOTES)
    if other is not None:
        world.ask("south", OTHER.format(kind=other[0], note=other[1]))
    for shard in world.names:
        world.ask(shard, f"CREATE {index}")


def _judge(world: World, said_of_it: str) -> None:
    before = world.everything()
    code, said = world.run("move", "a", "--to", "south")
    if not said_of_it:
        assert code == 0, said
        assert world.home("a") == "south"
        return
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert f"south: goods has a row with {said_of_it}" in said or (said_of_it.startswith("=") and said_of_it in said)
    assert "(goods z-1 there, by once)" in said
    assert world.everything() == before


@pytest.mark.parametrize(("index", "other", "said"), BOTH)
def test_a_clash_by_a_unique_index_of_any_kind_is_refused_before_anything_is_touched(
    world: World, index: str, other: tuple[str, str], said: str
) -> None:
    _with(world, index, other)
    _judge(world, said)


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    with running_world(tmp_path, None) as world:
        yield world


@pytest.fixture
def postgres_world(tmp_path: Path, server: PostgresServer) -> Iterator[World]:
    with running_world(tmp_path, server) as world:
        yield world


@pytest.mark.parametrize(("index", "other", "said"), SQLITE)
def test_a_clash_by_a_collation_of_sqlite_is_refused(
    sqlite_world: World, index: str, other: tuple[str, str], said: str
) -> None:
    _with(sqlite_world, index, other)
    _judge(sqlite_world, said)


@pytest.mark.parametrize(("index", "other", "said"), POSTGRESQL)
def test_a_clash_by_what_only_postgresql_has_is_refused(
    postgres_world: World, index: str, other: tuple[str, str] | None, said: str
) -> None:
    _with(postgres_world, index, other)
    _judge(postgres_world, said)


def test_rows_without_a_value_clash_where_the_index_says_so(postgres_world: World) -> None:
    for shard in postgres_world.names:
        postgres_world.ask(shard, "DELETE FROM lines; DELETE FROM goods WHERE id NOT IN ('a-1', 'c-1')")
        postgres_world.ask(shard, "UPDATE goods SET note = NULL WHERE id = 'a-1'")
    postgres_world.ask("south", OTHER.format(kind=1, note="NULL"))
    for shard in postgres_world.names:
        postgres_world.ask(shard, "CREATE UNIQUE INDEX once ON goods (note, kind) NULLS NOT DISTINCT")
    _judge(postgres_world, "note, kind = NULL, 1, and so has north")


def test_what_an_exclusion_constraint_does_not_allow_is_refused(postgres_world: World) -> None:
    for shard in postgres_world.names:
        postgres_world.ask(
            shard,
            "CREATE TABLE stays (id text PRIMARY KEY, shop text REFERENCES shops, since int, until int, gone bool,"
            " CONSTRAINT apart EXCLUDE USING gist (int4range(since, until) WITH &&) WHERE (NOT gone))",
        )
    postgres_world.ask("north", "INSERT INTO stays VALUES ('a-1', 'a', 5, 9, false), ('a-2', 'a', 20, 30, true)")
    postgres_world.ask("south", "INSERT INTO stays VALUES ('c-1', 'c', 9, 25, false), ('c-2', 'c', 1, 9, true)")
    before = postgres_world.everything()
    postgres_world.ask("south", "INSERT INTO stays VALUES ('c-3', 'c', 8, 9, false)")
    code, said = postgres_world.run("move", "a", "--to", "south")
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert (
        "beside the one with int4range(since, until) = [5,9) that moves from north (stays c-3 there, by apart)" in said
    )
    assert postgres_world.everything() == before
    postgres_world.ask("south", "DELETE FROM stays WHERE id = 'c-3'")
    _judge(postgres_world, "")


def test_a_clash_by_a_deferred_constraint_is_refused(postgres_world: World) -> None:
    for shard in postgres_world.names:
        postgres_world.ask(shard, OWN_NOTES)
        postgres_world.ask(
            shard, "ALTER TABLE goods ADD CONSTRAINT once UNIQUE (note, kind) DEFERRABLE INITIALLY DEFERRED"
        )
    postgres_world.ask("south", OTHER.format(kind=1, note="'a-2 Note'"))
    _judge(postgres_world, "note, kind = a-2 Note, 1")


def test_a_clash_by_a_generated_column_is_refused(world: World) -> None:
    for shard in world.names:
        world.ask(
            shard,
            "CREATE TABLE tags (id text PRIMARY KEY, shop text REFERENCES shops(id), word text,"
            " loud text GENERATED ALWAYS AS (upper(word)) STORED); CREATE UNIQUE INDEX louds ON tags (loud)",
        )
    world.ask("north", "INSERT INTO tags VALUES ('1', 'a', 'red')")
    world.ask("south", "INSERT INTO tags VALUES ('2', 'c', 'Red')")
    code, said = world.run("move", "a", "--to", "south")
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert "south: tags has a row with loud = RED" in said
    world.ask("south", "UPDATE tags SET word = 'blue'")
    assert world.run("move", "a", "--to", "south")[0] == 0
    assert world.ask("south", "SELECT loud FROM tags ORDER BY 1") == [("BLUE",), ("RED",)]


def test_numbers_and_bytes_clash_as_what_they_are(sqlite_world: World) -> None:
    """Asked as texts, a sum would have been like none."""
    for shard in sqlite_world.names:
        sqlite_world.ask(shard, "CREATE TABLE sums (id INTEGER PRIMARY KEY, shop TEXT REFERENCES shops(id), one, two)")
        sqlite_world.ask(shard, "CREATE UNIQUE INDEX once ON sums (one + two, CAST(one AS BLOB))")
    sqlite_world.movements["local_ids"] = ["sums"]
    sqlite_world.write()
    sqlite_world.ask("north", "INSERT INTO sums VALUES (1, 'a', 1, 2), (2, 'b', 5, 5)")
    sqlite_world.ask("south", "INSERT INTO sums VALUES (9, 'c', '1', 2.0)")
    code, said = sqlite_world.run("move", "a", "--to", "south")
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert "sums has a row with one + two, CAST(one AS BLOB) = 3.0, b'1'" in said


def test_the_condition_of_an_index_is_of_its_rows_and_of_those_with_a_value() -> None:
    assert plain_key(["a", "b"], "=").condition == '("a") IS NOT NULL AND ("b") IS NOT NULL'
    both = UniqueIndex("i", ("a",), ('"a"',), ("=",), "c OR d", nulls_are_equal=True)
    assert both.condition == "(c OR d)"
    assert UniqueIndex("i", ("a",), ('"a"',), ("=",), nulls_are_equal=True).condition == "1 = 1"
