"""Movements between SQLite shards, without a gateway: what moves, what is refused, what is left."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from shardgate.move.errors import DifferentRowsError, GivenUpError, MoveFailedError, MoveRefusedError, NotNowError
from shardgate.move.mover import Mover
from shardgate.move.moving_rows import MovingRows
from shardgate.move.rebalancing import carry_out, planned, set_draining, what_is_left
from shardgate.move.request import MoveSettings
from shardgate.store.movements import Movements
from shardgate.store.sqlite import SqliteStore
from tests.move.worlds import HOMES, running_world


@pytest.fixture
def settings(tmp_path: Path) -> MoveSettings:
    with running_world(tmp_path, None) as world:
        for shard in HOMES:
            for n in range(3):  # bytes, that are no text
                world.ask(shard, f"UPDATE goods SET note = x'00ff{n:02x}' WHERE id LIKE '%-{n}'")
        databases = world.movements["databases"]
    empty = ("django_migrations",)
    return MoveSettings(
        world.store, world.store, "shops", None, "shops", ("kinds",), empty, (), databases, tuple(HOMES)
    )


@pytest.fixture
def mover(settings: MoveSettings) -> Iterator[Mover]:
    mover = Mover(settings, lambda *_: None)
    yield mover
    mover.close()


def run(settings: MoveSettings, shard: str, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(settings.databases[shard].removeprefix("sqlite:///"))) as database:
        found = database.execute(statement).fetchall()
        database.commit()
        return found


def home(settings: MoveSettings, tenant: str) -> str:
    with SqliteStore(settings.store) as store:
        return store.read("shops")[tenant]


def test_all_rows_of_a_tenant_move_and_nothing_is_left(settings: MoveSettings, mover: Mover) -> None:
    before = {table: run(settings, "north", f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("goods", "lines")}
    (done,) = mover.move(["a"], "south")
    assert (done.phase, done.told.rows, home(settings, "a")) == ("done", 8, "south")
    for table, rows in before.items():
        own = [row for row in rows if str(row[0]).startswith("a-")]
        assert (
            run(settings, "south", f"SELECT * FROM {table} WHERE {'id' if table == 'goods' else 'sale'} LIKE 'a-%'")
            == own
        )
        assert run(settings, "north", f"SELECT * FROM {table} ORDER BY 1, 2") == [row for row in rows if row not in own]
    assert not run(settings, "north", "SELECT name FROM sqlite_master WHERE name LIKE '~_shardgate%' ESCAPE '~'")


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (("south", "ALTER TABLE goods ADD COLUMN more TEXT"), "goods"),
        (("south", "INSERT INTO goods VALUES ('a-1', 'c', 1, NULL)"), "goods has a row with id = a-1"),
        (("south", "INSERT INTO shops VALUES ('z', 'shop a')"), "shops has a row with name = shop a"),
        (("south", "INSERT INTO shops VALUES ('a', 'other')"), "shops a is a row of this tenant there already"),
        (("north", "INSERT INTO lines VALUES ('b-s', 9, 'a-1')"), "lines b-s, 9 belongs to a tenant that moves"),
    ],
)
def test_what_speaks_against_it_is_named_and_nothing_is_touched(
    settings: MoveSettings, mover: Mover, harm: tuple[str, str], named: str
) -> None:
    run(settings, *harm)
    with pytest.raises(MoveRefusedError, match=named):
        mover.move(["a"], "south")
    assert home(settings, "a") == "north"
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    with SqliteStore(settings.store) as store:
        assert Movements(store).last(1) == []


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        ("INSERT INTO sessions VALUES ('s', 'a')", "sessions a links by"),
        ("INSERT INTO sessions VALUES ('s', NULL); UPDATE goods SET session = 's' WHERE id = 'a-1'", "goods s links"),
    ],
)
def test_a_link_between_a_row_that_moves_and_an_empty_table_is_refused(
    settings: MoveSettings, harm: str, named: str
) -> None:
    link = "TEXT REFERENCES shops(id) ON DELETE CASCADE"
    for shard in settings.shards:
        run(settings, shard, f"CREATE TABLE sessions (id TEXT PRIMARY KEY, shop {link})")
        run(settings, shard, "ALTER TABLE goods ADD COLUMN session TEXT REFERENCES sessions(id)")
    for statement in harm.split("; "):
        run(settings, "north", statement)
    with (
        closing(Mover(replace(settings, empty=("django_migrations", "sessions")), lambda *_: None)) as mover,
        pytest.raises(MoveRefusedError, match=named),
    ):
        mover.move(["a"], "south")
    assert run(settings, "north", "SELECT count(*) FROM sessions") == [(1,)]


@pytest.mark.parametrize(
    ("tenants", "target", "named"),
    [
        (["nobody"], "south", "nobody: the directory has no such tenant"),
        (["a"], "north", "a: is on north already"),
        (["a"], "nowhere", "there is no such shard"),
    ],
)
def test_a_tenant_or_a_shard_that_is_not_there_is_refused(
    mover: Mover, tenants: list[str], target: str, named: str
) -> None:
    with pytest.raises(MoveRefusedError, match=named):
        mover.move(tenants, target)


def test_bytes_in_a_unique_index_need_not_be_text(settings: MoveSettings, mover: Mover) -> None:
    for shard in settings.shards:
        run(settings, shard, "CREATE UNIQUE INDEX notes ON goods(shop, note)")
    mover.move(["a"], "south")
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def test_tenants_with_rows_in_common_move_together(settings: MoveSettings, mover: Mover) -> None:
    run(settings, "north", "INSERT INTO lines VALUES ('b-s', 9, 'a-1')")
    mover.move(["a", "b"], "west")
    assert run(settings, "west", "SELECT good FROM lines WHERE sale = 'b-s' AND no = 9") == [("a-1",)]
    assert run(settings, "north", "SELECT count(*) FROM lines") == [(0,)]


def test_the_second_mover_is_told_who_moves(settings: MoveSettings, mover: Mover) -> None:
    with pytest.raises(MoveRefusedError, match="moves tenants now"):
        Mover(settings, lambda *_: None)


def test_what_changes_while_it_is_copied_moves_as_it_is_then(settings: MoveSettings) -> None:
    work = MovingRows(settings, "north", "south", ["a"])
    assert sum(work.copy()) == 8
    run(settings, "north", "UPDATE goods SET note = 'new' WHERE id = 'a-0'")
    run(settings, "north", "DELETE FROM lines WHERE sale = 'a-s' AND no = 2")
    run(settings, "north", "INSERT INTO goods VALUES ('a-9', 'a', NULL, NULL)")
    run(settings, "north", "UPDATE goods SET note = 'other' WHERE id = 'b-0'")
    assert work.catch_up() == 4
    work.hand_over()
    work.target.commit()
    work.source.commit()
    work.release()
    work.close()
    assert run(settings, "south", "SELECT id, note FROM goods WHERE shop = 'a' ORDER BY id") == [
        ("a-0", "new"), ("a-1", b"\0\xff\x01"), ("a-2", b"\0\xff\x02"), ("a-9", None),
    ]  # fmt: skip
    assert run(settings, "south", "SELECT no FROM lines WHERE sale = 'a-s' ORDER BY no") == [(0,), (1,)]
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]


def test_a_change_after_the_last_look_takes_the_movement_back(settings: MoveSettings) -> None:
    work = MovingRows(settings, "north", "south", ["a"])
    assert sum(work.copy()) == 8
    work.target.begin()
    loaded = work.load()
    run(settings, "north", "UPDATE goods SET note = 'late' WHERE id = 'a-0'")
    with pytest.raises(NotNowError, match="goods: has changed"):
        work.compare(work.unload(), loaded)
    work.rollback()
    work.release()
    work.close()
    assert run(settings, "south", "SELECT count(*) FROM shops WHERE id = 'a'") == [(0,)]


def test_a_row_that_was_replaced_past_the_triggers_is_found_and_copied_anew(settings: MoveSettings) -> None:
    run(settings, "north", "DELETE FROM lines")
    for shard in settings.shards:
        run(settings, shard, "DELETE FROM goods WHERE shop <> 'a'")
        run(settings, shard, "CREATE UNIQUE INDEX notes ON goods(note)")
    work = MovingRows(settings, "north", "south", ["a"])
    assert sum(work.copy()) == 5
    run(settings, "north", "INSERT OR REPLACE INTO goods VALUES ('a-9', 'a', 1, x'00ff00')")  # instead of a-0
    assert work.catch_up() == 1
    with pytest.raises(DifferentRowsError, match="the target refuses the rows: UNIQUE constraint failed"):
        work.hand_over()
    work.rollback()
    assert not work.is_copied
    assert sum(work.copy()) == 5
    work.hand_over()
    work.target.commit()
    work.source.commit()
    work.release()
    work.close()
    moved = run(settings, "south", "SELECT id FROM goods WHERE shop = 'a' ORDER BY id")
    assert moved == [("a-1",), ("a-2",), ("a-9",)]


def test_an_attempt_that_takes_too_long_leaves_everything_as_it_was(settings: MoveSettings) -> None:
    work = MovingRows(settings, "north", "south", ["a"])
    assert sum(work.copy()) == 8
    with pytest.raises(NotNowError, match="longer than requests may wait"):
        work.hand_over(until_s=0.0)
    work.rollback()
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    work.hand_over()
    work.target.commit()
    work.source.commit()
    work.close()
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def test_the_last_changes_are_kept_where_the_fence_is_taken_down_again(settings: MoveSettings) -> None:
    work = MovingRows(settings, "north", "south", ["a"])
    assert sum(work.copy()) == 8
    run(settings, "north", "UPDATE goods SET note = 'late' WHERE id = 'a-0'")
    work.hand_over()
    work.rollback()
    assert work.catch_up() == 1
    work.hand_over()
    work.target.commit()
    work.source.commit()
    work.release()
    work.close()
    assert run(settings, "south", "SELECT note FROM goods WHERE id = 'a-0'") == [("late",)]


def test_values_keep_their_types_beside_the_target(settings: MoveSettings, mover: Mover) -> None:
    rows = [("1", "text"), (1, "integer"), (1.5, "real"), (b"1", "blob"), ("1.50", "text")]
    for shard in settings.shards:
        table = "CREATE TABLE anything (id INTEGER PRIMARY KEY, shop TEXT REFERENCES shops(id), v ANY, w BLOB) STRICT"
        run(settings, shard, table)
    with closing(sqlite3.connect(settings.databases["north"].removeprefix("sqlite:///"))) as database:
        database.executemany("INSERT INTO anything (shop, v) VALUES ('a', ?)", [(value,) for value, _ in rows])
        database.commit()
    for shard, other in (("north", "b"), ("south", "c")):  # which count on behind the ids that move
        run(settings, shard, f"INSERT INTO anything (id, shop) VALUES (9, '{other}')")
    mover.move(["a"], "south")
    assert run(settings, "south", "SELECT v, typeof(v) FROM anything WHERE shop = 'a' ORDER BY id") == rows


def test_a_target_that_changes_what_is_written_is_found_out(settings: MoveSettings, mover: Mover) -> None:
    for shard in settings.shards:
        trigger = "AFTER INSERT ON goods BEGIN UPDATE goods SET note = 'by a trigger' WHERE id = NEW.id; END"
        run(settings, shard, f"CREATE TRIGGER stamps {trigger}")
    with pytest.raises(MoveFailedError, match="keeps rows otherwise than they are written"):
        mover.move(["a"], "south")
    assert home(settings, "a") == "north"
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a' AND note <> 'by a trigger'") == [(3,)]
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    mover.abandon()


def test_a_change_of_another_tenant_after_the_last_look_is_no_matter(settings: MoveSettings) -> None:
    work = MovingRows(settings, "north", "south", ["a"])
    assert sum(work.copy()) == 8
    run(settings, "north", "UPDATE goods SET note = 'late' WHERE id = 'b-0'")
    work.hand_over()
    work.target.commit()
    work.source.commit()
    work.release()
    work.close()
    assert run(settings, "north", "SELECT id, note FROM goods WHERE note = 'late'") == [("b-0", "late")]
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def test_a_drained_shard_is_empty_and_takes_nobody(settings: MoveSettings, mover: Mover) -> None:
    assert what_is_left(settings, "north") != []
    set_draining(settings, "north", drains=True)
    plan = planned(settings, {"north"}, even=False)
    assert carry_out(mover, plan, lambda _: None, lambda _: None) == 0
    assert what_is_left(settings, "north") == []
    assert {home(settings, each) for each in "abc"} == {"south", "west"}


def die_at_the_flip(settings: MoveSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mover that ends as if it had been killed, once the target owns the tenant."""
    flip = Movements.flip

    def killed(self: Movements, *args: object) -> int:
        flip(self, *args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(Movements, "flip", killed)
    with closing(Mover(settings, lambda *_: None)) as mover, pytest.raises(KeyboardInterrupt):
        mover.move(["a"], "south")
    monkeypatch.undo()


def test_a_movement_that_died_after_the_flip_deletes_the_sources_rows(
    settings: MoveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at_the_flip(settings, monkeypatch)
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    with closing(Mover(settings, lambda *_: None)) as mover:
        done = mover.resume()
    assert (done.phase, done.told.late) == ("done", "")
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    for shard in ("north", "south"):
        assert not run(settings, shard, "SELECT name FROM sqlite_master WHERE name LIKE '~_shardgate%' ESCAPE '~'")


def test_what_waits_goes_on_before_the_triggers_of_a_movement_that_is_given_up_go(
    settings: MoveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, release = MovingRows.commit_target, MovingRows.release
    held: list[str] = []

    def killed(self: MovingRows) -> None:
        commit(self)
        raise KeyboardInterrupt

    def noting(self: MovingRows) -> None:
        with SqliteStore(settings.store) as store:
            held.extend(each.fence for each in [Movements(store).current()] if each is not None)
        release(self)

    monkeypatch.setattr(MovingRows, "commit_target", killed)
    with closing(Mover(settings, lambda *_: None)) as mover, pytest.raises(KeyboardInterrupt):
        mover.move(["a"], "south")
    monkeypatch.setattr(MovingRows, "release", noting)
    with closing(Mover(settings, lambda *_: None)) as mover:
        assert mover.abandon().phase == "abandoned"
    assert held == ["open"]
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def test_what_was_changed_at_the_source_after_the_flip_is_named(
    settings: MoveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at_the_flip(settings, monkeypatch)
    run(settings, "north", "UPDATE goods SET note = 'late' WHERE id = 'a-0'")
    run(settings, "north", "INSERT INTO sales VALUES ('a-late', 'a')")
    run(settings, "south", "UPDATE goods SET note = 'by a client' WHERE id = 'a-1'")
    with closing(Mover(settings, lambda *_: None)) as mover:
        done = mover.resume()
    assert done.told.late == "goods: 1 rows, sales: 1 rows"
    assert run(settings, "south", "SELECT note FROM goods WHERE id = 'a-1'") == [("by a client",)]


def test_nothing_is_deleted_at_the_source_where_the_target_has_not_got_the_tenant(
    settings: MoveSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at_the_flip(settings, monkeypatch)
    for table in ("lines", "sales", "goods", "shops"):
        run(settings, "south", f"DELETE FROM {table}")
    with closing(Mover(settings, lambda *_: None)) as mover, pytest.raises(MoveFailedError, match="has no row of a"):
        mover.resume()
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def before_the_hand_over(monkeypatch: pytest.MonkeyPatch, settings: MoveSettings, shard: str, statement: str) -> None:
    """Somebody does this when all was checked."""
    hand_over = MovingRows.hand_over

    def late(self: MovingRows, *given: float) -> None:
        run(settings, shard, statement)
        hand_over(self, *given)

    monkeypatch.setattr(MovingRows, "hand_over", late)


def test_a_target_that_refuses_its_commit_has_nothing_and_no_list_waits(
    settings: MoveSettings, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite looks at foreign keys when it commits; the movement stood still with all lists held."""
    before_the_hand_over(monkeypatch, settings, "south", "DELETE FROM kinds")
    with pytest.raises(MoveFailedError, match="the target refuses the rows: IntegrityError"):
        mover.move(["a"], "south")
    with SqliteStore(settings.store) as store:
        assert [(each.phase, each.fence) for each in Movements(store).last(1)] == [("catching_up", "open")]
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    run(settings, "south", "INSERT INTO kinds VALUES (1, 'a')")
    monkeypatch.undo()
    assert mover.resume().phase == "done"
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]


def test_a_link_from_a_row_that_stays_made_after_the_check_gives_the_movement_up(
    settings: MoveSettings, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source refused its own commit, when the target had the rows; nothing but an operator could end that."""
    before_the_hand_over(monkeypatch, settings, "north", "INSERT INTO lines VALUES ('a-s', 9, 'b-1')")
    with pytest.raises(GivenUpError, match="lines a-s, 9 belongs to a tenant that moves"):
        mover.move(["a"], "south")
    assert home(settings, "a") == "north"
    assert run(settings, "south", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(0,)]
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
    assert not run(settings, "north", "SELECT name FROM sqlite_master WHERE name LIKE '~_shardgate%' ESCAPE '~'")


def test_a_link_to_a_row_that_stays_made_while_it_was_copied_gives_the_movement_up(
    settings: MoveSettings, mover: Mover, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up = MovingRows.catch_up

    def late(self: MovingRows) -> int:
        run(settings, "north", "INSERT OR IGNORE INTO lines VALUES ('b-s', 9, 'a-1')")
        return catch_up(self)

    monkeypatch.setattr(MovingRows, "catch_up", late)
    with pytest.raises(GivenUpError, match="lines b-s, 9 belongs to a tenant that moves"):
        mover.move(["a"], "south")
    assert home(settings, "a") == "north"
    assert run(settings, "north", "SELECT count(*) FROM goods WHERE shop = 'a'") == [(3,)]
