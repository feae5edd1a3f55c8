"""What a worker knows of the directory is what the store has, at each epoch, however many keys there are."""

import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.contracts import UNKNOWN
from shardgate.core.errors import StoreUnavailableError
from shardgate.core.hosts import PostgresUrl
from shardgate.core.locate.compare import ComparedShards
from shardgate.store import directory_reader, directory_table
from shardgate.store.database import Store
from shardgate.store.directory_reader import DirectoryReader, View
from shardgate.store.map_build import build_map
from shardgate.store.map_place import beside
from shardgate.store.opening import open_store
from shardgate.store.parts import record_parts
from shardgate.store.sqlite import SqliteStore

SHARDS = ("north", "south", "east")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "directory.db") as store:
        yield store


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a test can pass."""
    monkeypatch.setattr(directory_reader, "DIRECTORY_HELD_KEYS_MAX", 100)
    monkeypatch.setattr(directory_reader, "DIRECTORY_COMPARED_KEYS_MAX", 100)
    monkeypatch.setattr(directory_reader, "INLINE_ROWS_MAX", 40)
    monkeypatch.setattr(directory_reader, "SLICE_ROWS", 7)
    monkeypatch.setattr(directory_reader, "CHANGED_WANTED_MAX", 60)
    monkeypatch.setattr(directory_reader, "CHANGED_MAX", 150)
    monkeypatch.setattr(directory_table, "LOGGED_AT_ONCE_MAX", 80)


def reader(store: Store, compares: Mapping[str, frozenset[str]] | None = None) -> DirectoryReader:
    return DirectoryReader(store, SHARDS, compares or {})


def known(view: View, keys: Mapping[str, Any], space: str = "vendors") -> dict[str, str | None]:
    return {key: view.tables[space].get(key, None) for key in keys} if space in view.tables else dict.fromkeys(keys)


def test_few_keys_are_held(store: SqliteStore) -> None:
    store.put_many("vendors", [("acme", "north")])
    view = reader(store).first()
    assert (view.how, view.tables, view.wants_map) == ("held", {"vendors": {"acme": "north"}}, False)


def test_nothing_is_read_where_nothing_has_changed(store: SqliteStore) -> None:
    store.put_many("vendors", [("acme", "north")])
    follower = reader(store)
    assert follower.next(follower.first()) is None


def test_a_view_is_never_changed(store: SqliteStore) -> None:
    store.put_many("vendors", [("acme", "north")])
    follower = reader(store)
    first = follower.first()
    store.put_many("vendors", [("acme", "south"), ("best", "south")])
    second = follower.next(first)
    assert second is not None
    assert (first.tables, second.tables) == (
        {"vendors": {"acme": "north"}},
        {"vendors": {"acme": "south", "best": "south"}},
    )


def test_many_keys_are_asked_until_there_is_a_map(store: SqliteStore, small: None) -> None:
    pairs = {f"t{number}": SHARDS[number % 3] for number in range(500)}
    store.put_many("vendors", pairs.items())
    follower = reader(store)
    view = follower.first()
    assert (view.how, view.wants_map, known(view, pairs)) == ("asked", True, pairs)
    assert build_map(store, beside(store.path), {})
    assert follower.has_new_map()
    view = follower.first()
    assert (view.how, view.wants_map, known(view, pairs)) == ("mapped", False, pairs)
    assert not follower.has_new_map()
    assert view.tables["vendors"].get("nobody", UNKNOWN) is UNKNOWN


def test_what_is_asked_of_a_store_that_fails_is_refused(store: SqliteStore, small: None) -> None:
    store.put_many("vendors", [(f"t{number}", "north") for number in range(500)])
    view = reader(store).first()
    store.close()
    with pytest.raises(StoreUnavailableError):
        view.tables["vendors"].get("t1", UNKNOWN)


@pytest.mark.parametrize("seed", range(6))
def test_every_view_has_what_the_store_has(store: SqliteStore, small: None, seed: int) -> None:
    """Keys come, move and go, few and many at a time, while maps are made and views taken."""
    chance = random.Random(seed)
    compares = {"vendors": frozenset({"case_insensitive"})} if seed % 2 else {}
    truth: dict[str, str] = {}
    follower = reader(store, compares)
    view = follower.first()
    seen = set()
    for _ in range(150):
        names = [chance.choice("aAbB") + str(chance.randrange(200)) for _ in range(chance.choice((1, 3, 30, 70, 120)))]
        if chance.random() < 0.3:
            some = names[:50]
            with store.transaction():
                store.remove("vendors", some)
            for each in some:
                truth.pop(each, None)
        else:
            pairs = {name: chance.choice(SHARDS) for name in names}
            store.put_many("vendors", pairs.items())
            truth |= pairs
        if chance.random() < 0.1:
            build_map(store, beside(store.path), compares)
        view = follower.first() if chance.random() < 0.1 else follower.next(view) or view
        seen.add(view.how)
        assert view.epoch.number == store.epoch()
        asked = {f"{letter}{number}" for letter in "aAbB" for number in range(200)}
        assert known(view, dict.fromkeys(asked)) == {key: truth.get(key) for key in asked}
        assert {shard: sum(each == shard for each in truth.values()) for shard in set(truth.values())} == (
            store.counts().get("vendors", {})
        )
        if compares and "vendors" in view.tables:
            compare_with(view, truth, chance.sample(sorted(asked), 60))
    assert seen >= {"asked", "mapped"}


def compare_with(view: View, truth: dict[str, str], keys: list[str]) -> None:
    """Keys are found as they compare, or the caller is told to come again."""
    for key in keys:
        wanted = ComparedShards().find(truth, key, "case_insensitive")
        try:
            found = ComparedShards().find(view.tables["vendors"], key, "case_insensitive")  # type: ignore[arg-type]
        except StoreUnavailableError:
            continue
        assert found == wanted


def test_most_keys_that_compare_equal_are_found_in_a_map(store: SqliteStore, small: None) -> None:
    compares = {"vendors": frozenset({"case_insensitive"})}
    store.put_many("vendors", [(f"Tenant{number}", SHARDS[number % 3]) for number in range(500)])
    build_map(store, beside(store.path), compares)
    follower = reader(store, compares)
    view = follower.first()
    store.put_many("vendors", [("Tenant7", "east"), ("NEW", "south")])
    taken = follower.next(view)
    assert taken is not None
    equal = ComparedShards().find
    table: Any = taken.tables["vendors"]
    assert [equal(table, key, "case_insensitive") for key in ("tenant6", "TENANT7", "new", "x")] == [
        "north", "east", "south", UNKNOWN
    ]  # fmt: skip


def test_a_map_without_the_comparison_is_not_used(store: SqliteStore, small: None) -> None:
    store.put_many("vendors", [(f"t{number}", "north") for number in range(500)])
    build_map(store, beside(store.path), {})
    assert reader(store, {"vendors": frozenset({"integer"})}).first().how == "asked"


def test_a_map_of_another_past_is_not_used(store: SqliteStore, small: None, tmp_path: Path) -> None:
    """A copy of the store is put back, and has other changes since: the numbers of its epochs are the map's."""
    store.put_many("vendors", [(f"t{number}", "north") for number in range(500)])
    with SqliteStore(tmp_path / "copy.db") as copy:
        store.connection.backup(copy.connection)
    store.put_many("vendors", [("t1", "south")])
    build_map(store, beside(store.path), {})
    beside(store.path).rename(beside(tmp_path / "copy.db"))
    with SqliteStore(tmp_path / "copy.db") as copy:
        copy.put_many("vendors", [("t2", "east")])
        view = reader(copy).first()
        assert (copy.epoch(), view.how) == (2, "asked")
        assert known(view, {"t1": 0, "t2": 0}) == {"t1": "north", "t2": "east"}


def test_a_view_of_another_past_is_read_anew(store: SqliteStore, tmp_path: Path) -> None:
    store.put_many("vendors", [("acme", "north")])
    with SqliteStore(tmp_path / "copy.db") as copy:
        store.connection.backup(copy.connection)
        store.put_many("vendors", [("acme", "south")])
        view = reader(store).first()
        copy.put_many("vendors", [("best", "south")])
        copy.put_many("vendors", [("cool", "south")])
        after = reader(copy).next(view)
        assert after is not None
        assert known(after, {"acme": 0, "best": 0}) == {"acme": "north", "best": "south"}


def test_a_map_that_is_damaged_is_asked_no_more(store: SqliteStore, small: None) -> None:
    pairs = {f"t{number}": SHARDS[number % 3] for number in range(500)}
    store.put_many("vendors", pairs.items())
    build_map(store, beside(store.path), {})
    follower = reader(store)
    view = follower.first()
    with beside(store.path).open("r+b") as file:
        file.truncate(600)
    assert known(view, pairs) == pairs  # of the store
    assert view.wants_map
    build_map(store, beside(store.path), {})
    after = follower.first()
    assert (after.how, after.wants_map, known(after, pairs)) == ("mapped", False, pairs)


def test_parts_are_taken_as_changes(store: SqliteStore) -> None:
    follower = reader(store)
    view = follower.first()
    with store.transaction():
        record_parts(store, "orders", "1", ["north", "east"])
    after = follower.next(view)
    assert after is not None
    assert (view.parts, after.parts) == ({}, {"orders": {"1": ("north", "east")}})


# The store on another machine.


@pytest.fixture
def remote(
    postgres_place: PostgresUrl, small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with open_store(postgres_place) as store:
        yield store


def test_many_keys_of_another_machine_are_in_a_map_from_the_beginning(remote: Store) -> None:
    pairs = {f"t{number}": SHARDS[number % 3] for number in range(500)}
    remote.put_many("vendors", pairs.items())
    view = reader(remote).first()
    assert (view.how, known(view, pairs)) == ("mapped", pairs)
    path = reader(remote).map_path
    assert path is not None
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_where_no_map_can_be_made_all_keys_are_held(remote: Store, tmp_path: Path) -> None:
    (tmp_path / f"shardgate-{os.getuid()}").symlink_to(tmp_path)
    pairs = {f"t{number}": SHARDS[number % 3] for number in range(500)}
    remote.put_many("vendors", pairs.items())
    view = reader(remote).first()
    assert (view.how, view.wants_map, known(view, pairs)) == ("held", False, pairs)
    remote.put_many("vendors", [(f"n{number}", "north") for number in range(500)])
    after = reader(remote).next(view)
    assert after is not None
    assert len(after.tables["vendors"]) == 1_000  # type: ignore[arg-type]


def test_until_a_map_is_there_what_was_known_stays_and_nothing_is_unknown(remote: Store) -> None:
    remote.put_many("vendors", [(f"t{number}", "north") for number in range(500)])
    follower = reader(remote)
    view = follower.first()
    remote.put_many("vendors", [(f"n{number}", "south") for number in range(500)])
    behind = follower.next(view)
    assert behind is not None
    assert (behind.how, behind.wants_map, behind.epoch) == ("behind", True, view.epoch)
    assert behind.tables["vendors"].get("t1", UNKNOWN) == "north"
    with pytest.raises(StoreUnavailableError):
        behind.tables["vendors"].get("n1", UNKNOWN)
    assert follower.next(behind) is None
    assert follower.map_path is not None
    assert build_map(remote, follower.map_path, {})
    assert follower.has_new_map()
    after = follower.reload()
    assert after is not None
    assert (after.how, after.epoch.number) == ("mapped", 2)
    assert after.tables["vendors"].get("n1", UNKNOWN) == "south"
    assert after.tables["vendors"].get("x1", UNKNOWN) is UNKNOWN


@pytest.mark.parametrize("seed", range(2))
def test_every_view_has_what_a_store_on_another_machine_has(remote: Store, seed: int) -> None:
    chance = random.Random(seed)
    truth = {f"a{number}": "north" for number in range(150)}
    remote.put_many("vendors", truth.items())
    follower = reader(remote)
    view = follower.first()
    seen = set()
    for _ in range(40):
        names = [chance.choice("ab") + str(chance.randrange(300)) for _ in range(chance.choice((1, 3, 30, 70, 120)))]
        pairs = {name: chance.choice(SHARDS) for name in names}
        remote.put_many("vendors", pairs.items())
        truth |= pairs
        view = follower.next(view) or view
        seen.add(view.how)
        if view.how == "behind":
            view = follower.first()
        assert view.epoch.number == remote.epoch()
        asked = {f"{letter}{number}" for letter in "ab" for number in range(300)}
        assert known(view, dict.fromkeys(asked)) == {key: truth.get(key) for key in asked}
    assert seen == {"mapped", "behind"}
