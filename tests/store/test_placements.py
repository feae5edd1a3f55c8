"""Placements: all creates of a name go to one shard, which is chosen by what the shards have."""

from shardgate.store.database import Store
from shardgate.store.placements import Placements


def test_one_name_has_one_shard_whoever_asks(store: Store) -> None:
    placements = Placements(store)
    assert placements.reserve("vendors", "7", ["north", "south"], lambda loads: "south") == "south"
    assert placements.reserve("vendors", "7", ["north", "south"], lambda loads: "north") == "south"
    with store.transaction():
        placements.settle("vendors", "7", None, "south")
    # The other create of the name is still under way.
    assert placements.reserve("vendors", "7", ["north", "south"], lambda loads: "north") == "south"
    with store.transaction():
        placements.settle("vendors", "7", "7", "south")
    assert store.read("vendors") == {"7": "south"}
    assert placements.reserve("vendors", "7", ["north", "south"], lambda loads: "north") == "south"


def test_tenants_that_are_being_created_count(store: Store) -> None:
    store.put_many("vendors", [("1", "north")])
    placements, seen = Placements(store), []

    def choose(loads):
        seen.append(dict(loads))
        return min(loads, key=loads.__getitem__)

    for name in "abc":
        placements.reserve("vendors", name, ["north", "south"], choose)
    assert seen == [{"north": 1, "south": 0}, {"north": 1, "south": 1}, {"north": 2, "south": 1}]


def test_a_name_whose_create_failed_may_be_placed_anew(store: Store) -> None:
    placements = Placements(store)
    placements.reserve("vendors", "7", ["north", "south"], lambda loads: "south")
    with store.transaction():
        placements.settle("vendors", "7", None, "south")
    assert placements.reserve("vendors", "7", ["north", "south"], lambda loads: "north") == "north"


def test_a_name_that_is_not_the_tenants_id_keeps_its_shard(store: Store) -> None:
    placements, seen = Placements(store), []
    placements.reserve("vendors", "acme", ["north", "south"], lambda loads: "south")
    with store.transaction():
        placements.settle("vendors", "acme", "17", "south")
    assert store.read("vendors") == {"17": "south"}

    def choose(loads):
        seen.append(dict(loads))
        return "north"

    assert placements.reserve("vendors", "acme", ["north", "south"], choose) == "south"
    with store.transaction():
        placements.settle("vendors", "acme", None, "south")  # the application has refused the name
    assert placements.reserve("vendors", "acme", ["north", "south"], choose) == "south"
    placements.reserve("vendors", "other", ["north", "south"], choose)
    assert seen == [{"north": 0, "south": 1}]


def test_the_shard_that_has_the_tenant_already_gets_its_create(store: Store) -> None:
    placements = Placements(store)
    for _ in range(2):
        shard = placements.reserve("vendors", "acme", ["north", "south"], lambda loads: "south", owner="north")
        assert shard == "north"
