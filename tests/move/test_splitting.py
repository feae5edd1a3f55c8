"""`shardgate split-shard` on real databases of both kinds, as a user types it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shardgate.store.movements import Movements
from shardgate.store.sqlite import SqliteStore
from tests.move.worlds import SCHEMA, TABLES, World, all_of, running_world

HOMES = {"north": ("a", "b", "c", "d"), "south": ("s",), "west": (), "coast": ()}


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    server = None if request.param == "sqlite" else request.getfixturevalue("server")
    with running_world(tmp_path, server, HOMES, goods=4) as world:
        yield world


def homes(world: World) -> dict[str, str]:
    with SqliteStore(world.store) as store:
        return store.read("shops")


def test_a_plan_is_shown_and_nothing_is_touched(world: World) -> None:
    before = world.everything()
    for more in ((), ("--plan",), ("--plan", "--apply")):
        code, said = world.run("split-shard", "north", "--into", "west", *more)
        assert code == 0, said
        assert "north: 40, then 20" in said
        assert "west: 0, then 20" in said
        assert world.everything() == before


def test_the_tenants_of_a_shard_are_divided_and_no_row_is_lost_or_doubled(world: World) -> None:
    before = {table: all_of(world, table, list(HOMES)) for table in TABLES}
    code, said = world.run("split-shard", "north", "--into", "west,coast", "--apply")
    assert code == 0, said
    found = homes(world)
    assert sorted(found.values()) == ["coast", "north", "north", "south", "west"]
    assert {table: all_of(world, table, list(HOMES)) for table in TABLES} == before
    for tenant, shard in found.items():
        assert world.ask(shard, f"SELECT count(*) FROM goods WHERE shop = '{tenant}'") == [(4,)]
        assert world.ask(shard, f"SELECT count(*) FROM lines WHERE sale = '{tenant}-s'") == [(4,)]
    with SqliteStore(world.store) as store:
        assert [(each.phase, each.source) for each in Movements(store).last(9)] == [("done", "north")] * 2
    assert "nothing moves" in world.run("split-shard", "north", "--into", "west,coast", "--apply")[1]
    assert homes(world) == found


def test_tenants_with_rows_in_common_leave_together(world: World) -> None:
    world.ask("north", "INSERT INTO lines VALUES ('a-s', 9, 'b-1')")
    code, said = world.run("split-shard", "north", "--into", "west", "--apply")
    assert code == 0, said
    found = homes(world)
    assert found["a"] == found["b"] != found["c"] == found["d"]
    assert len(all_of(world, "lines", list(HOMES))) == 5 * 4 + 1


def test_where_all_have_rows_in_common_it_says_so(world: World) -> None:
    for n, (one, other) in enumerate(("ab", "bc", "cd")):
        world.ask("north", f"INSERT INTO lines VALUES ('{one}-s', {n + 9}, '{other}-1')")
    before = world.everything()
    code, said = world.run("split-shard", "north", "--into", "west", "--apply")
    assert code == 1
    assert "north: 4 of its tenants, such as a and b, have rows in common" in said
    assert world.everything() == before


def test_what_was_interrupted_is_divided_by_the_next_one(world: World) -> None:
    assert world.run("move", "b", "--to", "west")[0] == 0
    assert world.run("split-shard", "north", "--into", "west", "--apply")[0] == 0
    assert sorted(homes(world).values()) == ["north", "north", "south", "west", "west"]
    assert homes(world)["b"] == "west"


def test_by_load_what_requests_name_counts_and_so_do_keys_of_rows(world: World, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    lines = [{"path": f"/shops/{name}", "shards": ["north"], "upstream_us": 100} for name in "abcd"]
    lines += [
        {"path": "/goods/d-1?fields=all", "shards": ["north"], "upstream_us": 900},
        {"path": "/sales?shop=d", "shards": ["north", "south"], "upstream_us": 1000},
        {"path": "/shops/a", "shards": ["south"], "upstream_us": 70_000},
        {"path": "/health"},
    ]
    log.write_text("\n".join(map(json.dumps, lines)) + "\n")
    code, said = world.run("split-shard", "north", "--into", "west", "--by", "load", "--log", str(log), "--apply")
    assert code == 0, said
    assert "north: 2,300, then 300" in said
    assert homes(world) == {"a": "north", "b": "north", "c": "north", "d": "west", "s": "south"}


def test_by_load_a_file_of_numbers_will_do(world: World, tmp_path: Path) -> None:
    (tmp_path / "loads").write_text("a 70\nb 30\n\nc 20\nd 20\n")
    words = ("split-shard", "north", "--into", "west", "--by", "load", "--log", str(tmp_path / "loads"), "--apply")
    code, said = world.run(*words)
    assert (code, homes(world)["a"], homes(world)["b"]) == (0, "west", "north"), said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("north", "--into", "nowhere"), "--into nowhere: there is no such shard. Make its database with"),
        (("nowhere", "--into", "west"), "nowhere: there is no such shard. There are north, south, west, coast"),
        (("north", "--into", "west,north"), "--into north: is the shard that is to be divided"),
        (("north", "--into", ","), "name the new shards with --into"),
        (("west", "--into", "coast"), "west: has no tenants in the directory"),
        (("south", "--into", "west"), "south: none of its tenants can leave"),
        (("north", "--into", "west", "--keep", "s"), "--keep s: is no tenant of north"),
        (("north", "--into", "west", "--by", "load"), "--by load and --log go together"),
        (("north", "--into", "west", "--log", "x"), "--by load and --log go together"),
        (("north", "--into", "west", "--by", "load", "--log", "/no/such"), "/no/such: cannot be read"),
    ],
)
def test_wrong_words_are_refused_and_nothing_is_touched(world: World, words: tuple[str, ...], named: str) -> None:
    before = world.everything()
    code, said = world.run("split-shard", *words, "--apply")
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert named in said
    assert world.everything() == before


@pytest.mark.parametrize("line", ["a", "a many", "a -3", '{"path": 3}', "{"])
def test_a_line_that_is_no_load_is_named(world: World, tmp_path: Path, line: str) -> None:
    (tmp_path / "loads").write_text(f"a 1\n{line}\n")
    code, said = world.run("split-shard", "north", "--into", "west", "--by", "load", "--log", str(tmp_path / "loads"))
    assert code == 1
    assert f"{tmp_path / 'loads'}:2: is no line of loads" in said.replace("\n", "")


@pytest.mark.parametrize(
    ("shard", "harm", "named"),
    [
        ("west", "ALTER TABLE goods ADD COLUMN more TEXT", "west: column"),
        ("west", "INSERT INTO django_migrations VALUES (2, '0002')", "west: django_migrations has other rows"),
        ("west", "INSERT INTO shops VALUES ('z', 'shop a'), ('y', 'shop b')", "west: shops has a row with name = shop"),
        ("south", "INSERT INTO shops VALUES ('a', 'x'), ('b', 'y')", "is a row of this tenant there already"),
    ],
)
def test_the_whole_plan_is_checked_before_the_first_tenant_moves(
    world: World, shard: str, harm: str, named: str
) -> None:
    world.ask(shard, harm)
    before = world.everything()
    code, said = world.run("split-shard", "north", "--into", "west", "--apply")
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert (named if world.server or "column" not in named else "west: table goods is different") in said
    assert world.everything() == before


def test_a_shard_is_not_divided_while_a_movement_is_not_over(world: World) -> None:
    with SqliteStore(world.store) as store:
        Movements(store).begin("shops", ["s"], "south", "coast", "1", 0.0)
    before = world.everything()
    code, said = world.run("split-shard", "north", "--into", "west", "--apply")
    assert (code, "movement 1 of s is not over (phase copying)" in said) == (1, True), said
    assert world.everything() == before


def test_a_shard_without_tables_and_one_that_is_drained_are_refused(tmp_path: Path) -> None:
    with running_world(tmp_path, None, {"north": ("a", "b"), "west": ()}) as world:
        for table in (*reversed(TABLES),):
            world.ask("west", f"DROP TABLE {table}")
        assert "west: its database has no tables" in world.run("split-shard", "north", "--into", "west")[1]
        world.ask("west", SCHEMA)
        assert world.run("shard", "drain", "west")[0] == 0
        assert "--into west: is being drained" in world.run("split-shard", "north", "--into", "west")[1]
        assert world.run("shard", "drain", "west", "--stop")[0] == 0
        assert world.run("split-shard", "north", "--into", "west", "--keep", "a", "--apply")[0] == 0
        assert world.home("a") == "north"
