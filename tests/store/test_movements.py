"""Movements in the store: one at a time; the directory and the phase change together."""

import pytest

from shardgate.store.database import Store, StoreError
from shardgate.store.idempotency import IdempotencyKeys
from shardgate.store.leases import Leases
from shardgate.store.movements import Acknowledged, Movements
from shardgate.store.parts import read_parts, record_parts


def test_one_movement_at_a_time(store: Store) -> None:
    movements = Movements(store)
    movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
    with pytest.raises(StoreError, match="is not over"):
        movements.begin("shops", ["b"], "north", "south", "7", 2.0)
    movements.enter(movement.id, "7", "done", "open", 3.0)
    assert movements.current() is None
    assert movements.begin("shops", ["b"], "north", "south", "7", 2.0).turn > movement.turn


def test_a_flip_moves_the_tenant_and_its_parts_and_raises_epoch_and_turn(store: Store) -> None:
    store.put_many("shops", [("a", "north"), ("b", "north")])
    with store.transaction():
        record_parts(store, "order", "o1", ["north", "west"])
        record_parts(store, "order", "o2", ["north", "west"])
    movements, before = Movements(store), store.epoch()
    movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
    movements.publish(movement.id, b"\x91\xa2o1")
    turn = movements.flip(movement, {"o1"})
    assert turn > movement.turn
    assert movements.epoch() > before
    assert movements.keys(movement.id) == b"\x91\xa2o1"
    assert store.read("shops") == {"a": "south", "b": "north"}
    parts = read_parts(store, ("north", "south", "west"))["order"]
    assert parts == {"o1": ("south", "west"), "o2": ("north", "west")}
    assert movements.parts_on("north") == ["o2"]


def test_another_movers_movement_is_left_alone(store: Store) -> None:
    movements = Movements(store)
    movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
    movements.seize(movement.id, "8")
    with pytest.raises(StoreError, match="another mover's"):
        movements.enter(movement.id, "7", "fenced", "writes")


def test_workers_acknowledge_turns(store: Store) -> None:
    movements = Movements(store)
    movements.register("1", 4)
    movements.acknowledge("1", 5, 9)
    movements.register("2", 5)
    assert movements.workers() == [Acknowledged("1", 5, 9), Acknowledged("2", 5, 0)]
    movements.forget({"1"})
    assert [each.worker for each in movements.workers()] == ["2"]


def test_a_shard_that_drains_is_known_until_it_does_not(store: Store) -> None:
    movements = Movements(store)
    movements.drain("west", drains=True)
    assert movements.draining() == {"west"}
    movements.drain("west", drains=False)
    assert movements.draining() == frozenset()


def test_a_name_that_a_client_gave_to_what_moves_goes_to_the_target_from_then_on(store: Store, leases: Leases) -> None:
    keys, movements = IdempotencyKeys(store, leases), Movements(store)
    for name in ("POST /bookings u-1", "POST /bookings u-2"):
        keys.follow("client", name, "north", 0.0, 100.0)
    movement = movements.begin("shops", ["a"], "north", "south", "7", 1.0)
    movements.flip(movement, {"u-1"})
    assert keys.follow("client", "POST /bookings u-1", "south", 0.0, 100.0) == ("south", False)
    assert keys.follow("client", "POST /bookings u-2", "north", 0.0, 100.0) == ("north", False)
