"""Tenants and databases that are unlike others: each movement is refused before anything is touched, or is whole."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from shardgate.move import mover
from shardgate.move.moving_rows import MovingRows
from shardgate.move.sqlite import SqliteShard
from shardgate.move.tables import MovedTable
from shardgate.store.movements import Movements
from shardgate.store.opening import open_for_worker
from shardgate.store.sqlite import SqliteStore
from tests.move.worlds import SCHEMA, World, running_world

CIRCLES = """
CREATE TABLE kinds (id INTEGER PRIMARY KEY);
CREATE TABLE django_migrations (id INTEGER PRIMARY KEY);
CREATE TABLE shops (id TEXT PRIMARY KEY, best TEXT REFERENCES goods(id));
CREATE TABLE goods (id TEXT PRIMARY KEY, shop TEXT NOT NULL REFERENCES shops(id), like_it TEXT REFERENCES goods(id));
CREATE TABLE parts (shop TEXT, no INTEGER, above INTEGER, good TEXT REFERENCES goods(id), PRIMARY KEY (shop, no),
  FOREIGN KEY (shop) REFERENCES shops(id), FOREIGN KEY (shop, above) REFERENCES parts(shop, no));
INSERT INTO shops VALUES ('a', NULL);
INSERT INTO goods VALUES ('a-1', 'a', NULL), ('a-2', 'a', 'a-1');
UPDATE goods SET like_it = 'a-2' WHERE id = 'a-1';
UPDATE shops SET best = 'a-2';
INSERT INTO parts VALUES ('a', 1, NULL, 'a-1'), ('a', 2, 1, NULL);
UPDATE parts SET above = 2 WHERE no = 1;
"""
EMPTIED = (
    "DELETE FROM parts; UPDATE shops SET best = NULL; UPDATE goods SET like_it = NULL;"
    "DELETE FROM goods; DELETE FROM shops"
)
ODD_VALUES = """
CREATE TABLE kinds (id INTEGER PRIMARY KEY);
CREATE TABLE django_migrations (id INTEGER PRIMARY KEY);
CREATE TABLE shops (id TEXT PRIMARY KEY, name TEXT, loud TEXT GENERATED ALWAYS AS (upper(name)) STORED,
  quiet TEXT GENERATED ALWAYS AS (lower(name)) VIRTUAL);
CREATE TABLE goods (id INTEGER PRIMARY KEY, shop TEXT REFERENCES shops(id), raw, body TEXT);
"""


def put(world: World, homes: dict[str, str]) -> None:
    with SqliteStore(world.store) as store:
        store.put_many("shops", homes.items())


def moved(world: World, *words: str) -> None:
    code, said = world.run("move", *words)
    assert code == 0, said


def stood(world: World, named: str, *words: str) -> None:
    """Refused, and nothing was touched."""
    before = {shard: catalogue(world, shard) for shard in world.names}
    code, said = world.run("move", *(words or ("a", "--to", "south")))
    assert (code, "refused, nothing was touched" in said) == (1, True), said
    assert named in said
    assert {shard: catalogue(world, shard) for shard in world.names} == before


def catalogue(world: World, shard: str) -> list[tuple[object, ...]]:
    if world.server is None:
        return world.ask(shard, "SELECT name FROM sqlite_master ORDER BY 1")
    return world.ask(shard, "SELECT relname::text FROM pg_class UNION SELECT tgname::text FROM pg_trigger ORDER BY 1")


def rows(world: World, shard: str, *tables: str) -> list[tuple[object, ...]]:
    return [row for table in tables for row in sorted(world.ask(shard, f"SELECT * FROM {table}"), key=str)]


@pytest.fixture
def sqlite_world(tmp_path: Path) -> Iterator[World]:
    with running_world(tmp_path, None) as world:
        yield world


def test_rows_that_refer_to_each_other_in_circles_move(tmp_path: Path) -> None:
    with running_world(tmp_path, None, {"north": (), "south": ()}, CIRCLES) as world:
        world.ask("south", EMPTIED)
        put(world, {"a": "north"})
        before = rows(world, "north", "shops", "goods", "parts")
        moved(world, "a", "--to", "south")
        assert rows(world, "south", "shops", "goods", "parts") == before
        assert rows(world, "north", "shops", "goods", "parts") == []


def test_generated_columns_blobs_and_rows_of_nobody(tmp_path: Path) -> None:
    with running_world(tmp_path, None, {"north": (), "south": ()}, ODD_VALUES) as world:
        put(world, {"a": "north"})
        world.ask("north", "INSERT INTO shops (id, name) VALUES ('a', 'Ünï')")
        world.ask(
            "north",
            "INSERT INTO goods VALUES (1, 'a', x'00ff', '{\"a\": 1.0}'), (2, NULL, 1, 'nobody'), (3, 'a', 1e300, '')"
            ", (4, 'a', -9223372036854775808, char(0) || 'x'), (5, 'a', NULL, NULL), (6, 'a', -0.0, x'')",
        )
        world.movements["local_ids"] = ["goods"]
        world.write()
        before = world.ask("north", "SELECT id, shop, raw, typeof(raw), body, typeof(body) FROM goods WHERE shop = 'a'")
        shop = rows(world, "north", "shops")
        moved(world, "a", "--to", "south")
        assert world.ask("south", "SELECT id, shop, raw, typeof(raw), body, typeof(body) FROM goods") == before
        assert rows(world, "south", "shops") == shop
        assert world.ask("north", "SELECT id FROM goods") == [(2,)]


def test_a_tenant_with_its_own_row_alone_moves(world: World) -> None:
    world.ask("north", "DELETE FROM lines; DELETE FROM goods; DELETE FROM sales WHERE shop = 'a'")
    moved(world, "a", "--to", "south")
    assert world.ask("south", "SELECT id FROM shops WHERE id = 'a'") == [("a",)]


def test_a_tenant_that_is_named_twice_moves_once(world: World) -> None:
    moved(world, "a", "a", "--to", "south")
    assert world.home("a") == "south"


def test_a_reference_row_that_the_target_lacks_is_named(world: World) -> None:
    world.ask("south", "UPDATE goods SET kind = NULL; DELETE FROM kinds")
    stood(world, "south: kinds has no row with id = 1")
    assert world.home("a") == "north"


def test_of_tenants_on_several_shards_none_moves_where_one_cannot(world: World) -> None:
    world.ask("west", "INSERT INTO shops VALUES ('z', 'shop c')")
    stood(world, "west: shops has a row with name = shop c", "a", "c", "--to", "west")
    assert (world.home("a"), world.home("c")) == ("north", "south")


def test_what_was_written_after_a_movement_comes_back_with_an_undo(world: World) -> None:
    moved(world, "a", "--to", "south")
    world.ask("south", "INSERT INTO goods VALUES ('a-new', 'a', 1, 'new'); DELETE FROM lines WHERE good = 'a-1'")
    before = rows(world, "south", "goods")
    code, said = world.run("move", "--undo", "1")
    assert code == 0, said
    assert world.ask("north", "SELECT note FROM goods WHERE id = 'a-new'") == [("new",)]
    assert [row for row in before if row[1] != "a"] == rows(world, "south", "goods")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("shop TEXT NOT NULL REFERENCES shops(id),\n  kind", "kind"),
        ("note TEXT);", "note TEXT COLLATE NOCASE);"),
        ("note TEXT);", "note TEXT CHECK (note <> 'x'));"),
        ("note TEXT);", "note TEXT); CREATE INDEX more ON goods (note);"),
        ("name TEXT UNIQUE", "name TEXT"),
    ],
)
def test_a_schema_that_is_another_one_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in SCHEMA or new == "kind"
    with running_world(tmp_path, None) as world:
        (tmp_path / "south.db").unlink()
        changed = (
            SCHEMA.replace(old, new)
            if new != "kind"
            else SCHEMA.replace(
                "CREATE TABLE goods (id TEXT PRIMARY KEY, shop TEXT NOT NULL REFERENCES shops(id),",
                "CREATE TABLE goods (shop TEXT NOT NULL REFERENCES shops(id), id TEXT PRIMARY KEY,",
            )
        )
        assert changed != SCHEMA
        world.ask("south", changed)
        stood(world, "by the catalogues of north and south")


def test_a_name_that_differs_by_case_or_normal_form_is_another_tenant(world: World) -> None:
    world.ask("north", "INSERT INTO shops VALUES ('caf\u00e9', 'composed')")
    world.ask("north", "INSERT INTO shops VALUES ('cafe\u0301', 'decomposed')")
    world.ask("north", "INSERT INTO shops VALUES ('A', 'large')")
    put(world, {"caf\u00e9": "north", "A": "north"})
    moved(world, "caf\u00e9", "A", "--to", "south")
    assert [row[0] for row in rows(world, "north", "shops")] == ["a", "b", "cafe\u0301"]
    stood(world, "the directory has no such tenant", "cafe\u0301", "--to", "south")


def test_a_trigger_of_the_target_that_changes_a_row_of_the_tenant_lets_the_movement_stand(sqlite_world: World) -> None:
    trigger = (
        "CREATE TRIGGER counts AFTER INSERT ON sales BEGIN UPDATE shops SET name = name || '!' WHERE id = NEW.shop"
    )
    for shard in ("north", "south", "west"):
        sqlite_world.ask_whole(shard, f"{trigger}; END")
    before = sqlite_world.everything()
    code, said = sqlite_world.run("move", "a", "--to", "south")
    assert (code, "stands still" in said) == (1, True)
    assert sqlite_world.run("move", "--abandon")[0] == 0
    after = sqlite_world.everything()
    assert after.pop("movements") == [(1, "abandoned")]
    del before["movements"]
    assert after == before


@contextmanager
def read_only(world: World, shard: str) -> Iterator[None]:
    """Nobody can change this shard, not even root."""
    if world.server is not None:
        world.server.ask(f'ALTER DATABASE "{world.names[shard]}" SET default_transaction_read_only = on')
        yield
        return
    file = str(world.folder / f"{shard}.db")
    if shutil.which("chattr") is None or subprocess.run(["chattr", "+i", file], check=False).returncode:
        pytest.skip("this file system cannot protect a file from its owner")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", file], check=True)


@pytest.mark.parametrize("shard", ["north", "south"])
def test_a_shard_that_is_read_only_is_refused(world: World, shard: str) -> None:
    with read_only(world, shard):
        stood(world, f"{shard}: its database refuses changes")


def test_a_full_disk_at_the_target_leaves_the_tenant_and_the_movement_goes_on_when_there_is_room(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_world.ask("north", "UPDATE goods SET note = hex(zeroblob(50000))")
    make_room = SqliteShard.make_room

    def full(self: SqliteShard, tables: Sequence[MovedTable]) -> None:
        make_room(self, tables)
        ((pages,),) = self.query("PRAGMA page_count")
        self.query(f"PRAGMA max_page_count = {pages}")

    before = rows(sqlite_world, "north", "shops", "goods", "sales", "lines")
    monkeypatch.setattr(SqliteShard, "make_room", full)
    code, said = sqlite_world.run("move", "a", "--to", "south")
    assert (code, "stands still" in said, "disk is full" in said) == (1, True, True), said
    assert rows(sqlite_world, "north", "shops", "goods", "sales", "lines") == before
    assert sqlite_world.ask("south", "SELECT id FROM shops") == [("c",)]
    monkeypatch.undo()
    assert sqlite_world.run("move", "--resume")[0] == 0
    assert sqlite_world.home("a") == "south"
    assert len(sqlite_world.ask("south", "SELECT id FROM goods WHERE shop = 'a'")) == 3


def test_a_tenant_of_the_same_name_that_was_made_on_the_target_meanwhile_is_not_touched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over = MovingRows.hand_over
    made: list[None] = []

    def late(self: MovingRows, *given: float) -> None:
        if not made:
            world.ask("south", "INSERT INTO shops VALUES ('a', 'the other')")
            made.append(None)
        hand_over(self, *given)

    monkeypatch.setattr(MovingRows, "hand_over", late)
    code, said = world.run("move", "a", "--to", "south")
    assert (code, "stands still" in said, "the target refuses the rows" in said) == (1, True, True), said
    assert world.run("move", "--abandon")[0] == 0
    assert world.ask("south", "SELECT name FROM shops WHERE id = 'a'") == [("the other",)]
    assert len(world.ask("north", "SELECT id FROM goods WHERE shop = 'a'")) == 3


def test_a_gateway_that_is_frozen_gives_the_movement_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease lives, and it acknowledges nothing."""
    monkeypatch.setattr(mover, "_FOLLOWED_S", 0.1)
    store, leases = open_for_worker(world.store)
    with closing(store), closing(leases):
        Movements(store).register(leases.worker, 0)
        before = world.everything()
        code, said = world.run("move", "a", "--to", "south")
        assert (code, "given up, all is on the source as before" in said) == (1, True), said
        after = world.everything()
    assert after.pop("movements") == [(1, "abandoned")]
    del before["movements"]
    assert after == before
    moved(world, "a", "--to", "south")


def test_text_that_is_no_utf_8_gives_the_movement_up_and_its_table_is_named(sqlite_world: World) -> None:
    sqlite_world.ask("north", "UPDATE goods SET note = CAST(x'61ff62' AS TEXT) WHERE id = 'a-1'")
    before = catalogue(sqlite_world, "north")
    code, said = sqlite_world.run("move", "a", "--to", "south")
    assert (code, sqlite_world.home("a")) == (1, "north")
    assert "given up, all is on the source as before" in said
    assert "goods: Could not decode to UTF-8 column 'note'" in said
    assert catalogue(sqlite_world, "north") == before
