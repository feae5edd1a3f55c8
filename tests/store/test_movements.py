"""Movements in the store: one at a time; the directory and the phase change together."""

from contextlib import closing
from pathlib import Path

import pytest

from shardgate.store.database import StoreError
from shardgate.store.idempotency import IdempotencyKeys
from shardgate.store.leases import FileLeases
from shardgate.store.movements import Acknowledged, Movements
from shardgate.store.parts import read_parts, record_parts
from shardgate.store.sqlite import SqliteStore


def test_one_movement_at_a_time(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        movements = Movements(store)
        movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
        with pytest.raises(StoreError, match="is not over"):
            movements.begin("shops", ["b"], "north", "south", "7", 2.0)
        movements.enter(movement.id, "7", "done", "open", 3.0)
        assert movements.current() is None
        assert movements.begin("shops", ["b"], "north", "south", "7", 2.0).turn > movement.turn


def test_a_flip_moves_the_tenant_and_its_parts_and_raises_epoch_and_turn(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        store.put_many("shops", [("a", "north"), ("b", "north")])
        with store.transaction():
            record_parts(store, "order", "o1", ["north", "west"])
            record_parts(store, "order", "o2", ["north", "west"])
        movements, before = Movements(store), store.epoch()
        movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
        turn = movements.flip(movement, {"o1"})
        assert turn > movement.turn
        assert store.epoch() > before
        assert store.read("shops") == {"a": "south", "b": "north"}
        parts = read_parts(store, ("north", "south", "west"))["order"]
        assert parts == {"o1": ("south", "west"), "o2": ("north", "west")}


def test_another_movers_movement_is_left_alone(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        movements = Movements(store)
        movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
        movements.seize(movement.id, "8")
        with pytest.raises(StoreError, match="another mover's"):
            movements.enter(movement.id, "7", "fenced", "writes")


def test_workers_acknowledge_turns(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        movements = Movements(store)
        movements.register("1", 4)
        movements.acknowledge("1", 5, 9)
        movements.register("2", 5)
        assert movements.workers() == [Acknowledged("1", 5, 9), Acknowledged("2", 5, 0)]
        movements.forget({"1"})
        assert [each.worker for each in movements.workers()] == ["2"]


def test_a_shard_that_drains_is_known_until_it_does_not(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        movements = Movements(store)
        movements.drain("west", drains=True)
        assert movements.draining() == {"west"}
        movements.drain("west", drains=False)
        assert movements.draining() == frozenset()


def test_a_name_that_a_client_gave_to_what_moves_goes_to_the_target_from_then_on(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db") as store, closing(FileLeases(tmp_path / "store.db")) as leases:
        keys, movements = IdempotencyKeys(store, leases), Movements(store)
        for name in ("POST /bookings u-1", "POST /bookings u-2"):
            keys.follow("client", name, "north", 0.0, 100.0)
        movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
        movements.flip(movement, {"u-1"})
        assert keys.follow("client", "POST /bookings u-1", "south", 0.0, 100.0) == ("south", False)
        assert keys.follow("client", "POST /bookings u-2", "north", 0.0, 100.0) == ("north", False)
