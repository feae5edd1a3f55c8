"""The owners of slots: by the names of the shards alone, whichever were looked up before."""

from collections import Counter

from shardgate.core.locate.slots import SLOTS, SlotOwners
from shardgate.core.topology import Shard

KEYS = [f"key-{number}" for number in range(3000)]


def shards(*names: str) -> dict[str, Shard]:
    return {name: Shard(name, "127.0.0.1", 80, name) for name in names}


def owners_of(owners: SlotOwners, of: dict[str, Shard]) -> list[str]:
    return [owners.of_key(key, of) for key in KEYS]


def test_the_order_of_the_shards_means_nothing_and_each_gets_its_part() -> None:
    found = owners_of(SlotOwners(), shards("north", "south", "west"))
    assert found == owners_of(SlotOwners(), shards("west", "south", "north"))
    assert all(800 < count < 1200 for count in Counter(found).values())


def test_two_sets_of_shards_in_turns_are_not_taken_for_one_another() -> None:
    owners, three, four = SlotOwners(), shards("a", "b", "c"), shards("a", "b", "c", "d")
    before, after = owners_of(owners, three), owners_of(owners, four)
    assert owners_of(owners, shards("a", "b", "c")) == before
    assert owners_of(owners, four) == after
    assert all(new in {old, "d"} for old, new in zip(before, after, strict=True))


def test_the_owner_of_a_key_is_the_same_for_every_version_of_the_gateway() -> None:
    owners, of = SlotOwners(), shards("north", "south", "west")
    assert SLOTS == 16_384
    assert [owners.of_key(key, of) for key in ("", "7", "ünder", "\ud800")] == ["south", "north", "north", "south"]
