"""Bad input of movements, as a user meets it: refused with the table and the row, and nothing is touched."""

import os
import socket
from contextlib import closing
from pathlib import Path

import pytest

from shardgate.move.mover import Mover
from shardgate.move.run import settings_from
from shardgate.process.preflight import read
from tests.move.worlds import World, running_world

GONE = "DELETE FROM lines; DELETE FROM goods; DELETE FROM sales; DELETE FROM shops"
CHILD = "INSERT INTO shops VALUES ('a', 'x'); INSERT INTO goods VALUES ('q', 'a', 1, NULL)"
CLASH = "INSERT INTO shops VALUES ('z', NULL); INSERT INTO goods VALUES ('a-1', 'z', NULL, NULL)"


@pytest.mark.parametrize(
    ("shard", "harm", "named"),
    [
        ("south", "DROP TABLE lines", "lines is missing there"),
        ("south", "ALTER TABLE goods ADD COLUMN more TEXT", "goods"),
        ("south", "INSERT INTO django_migrations VALUES (2, '0002')", "django_migrations has other rows than on north"),
        ("north", GONE, "a: shops of north has no such row"),
        ("south", "INSERT INTO shops VALUES ('a', NULL)", "south: shops a is a row of this tenant there already"),
        ("west", "INSERT INTO shops VALUES ('a', NULL)", "west: shops a is a row of this tenant there already"),
        ("west", CHILD, "west: goods q is a row"),
        ("west", "DROP TABLE lines", "west: cannot look for rows of the tenant there"),
        ("south", CLASH, "south: goods has a row with id = a-1"),
        ("south", "INSERT INTO shops VALUES ('z', 'shop a')", "south: shops has a row with name = shop a"),
        ("north", "INSERT INTO lines VALUES ('b-s', 9, 'a-1')", "north: lines b-s, 9 belongs to a tenant that moves"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_table_and_row_and_nothing_is_touched(
    world: World, shard: str, harm: str, named: str
) -> None:
    world.ask(shard, harm)
    tables = "lines" not in harm.partition("DROP TABLE")[2]
    before = world.everything() if tables else {}
    code, said = world.run("move", "a", "--to", "south")
    assert code == 1
    assert "refused, nothing was touched" in said
    assert named in said
    assert (world.everything() if tables else {}) == before


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("nobody", "--to", "south"), "nobody: the directory has no such tenant in shops"),
        (("a", "nobody", "--to", "south"), "nobody: the directory has no such tenant in shops"),
        (("a", "--to", "north"), "a: is on north already"),
        (("a", "--to", "nowhere"), "there is no such shard. There are north, south, west"),
        (("a",), "name the tenants, and the shard with --to"),
    ],
)
def test_a_tenant_or_a_shard_that_does_not_exist_is_refused(world: World, words: tuple[str, ...], named: str) -> None:
    before = world.everything()
    code, said = world.run("move", *words)
    assert (code, "refused, nothing was touched" in said) == (1, True)
    assert named in said
    assert world.everything() == before


def test_the_second_of_two_movers_is_told_who_moves(world: World) -> None:
    settings = settings_from(read(world.config), {})
    with closing(Mover(settings, lambda *_: None)):
        before = world.everything()
        code, said = world.run("move", "a", "--to", "south")
        assert (code, f"process {os.getpid()} on {socket.gethostname()} moves tenants now" in said) == (1, True)
        assert world.everything() == before
    assert world.run("move", "a", "--to", "south")[0] == 0


@pytest.mark.parametrize("shard", ["north", "south"])
@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1/shop", "mariadb://root:secret@127.0.0.1/shop"])
def test_shards_in_mysql_and_mariadb_are_refused_by_name(tmp_path: Path, shard: str, url: str) -> None:
    with running_world(tmp_path, None) as world:
        world.movements["databases"][shard] = url
        world.write()
        before = {name: world.ask(name, "SELECT * FROM goods") for name in ("north", "south")}
        for words in (("move", "a", "--to", "south"), ("shard", "add", shard), ("rebalance", "--apply")):
            code, said = world.run(*words)
            assert (code, "refused, nothing was touched" in said) == (1, True)
            assert f"{shard} (" in said
            assert "MySQL and MariaDB" in said
            assert "secret" not in said
        assert {name: world.ask(name, "SELECT * FROM goods") for name in ("north", "south")} == before
