"""Where rows go that no single tenant owns."""

from shardgate.split.decide.homes import EVERYWHERE, NOWHERE, Homes

SHARD_OF = [0, 1, 2, 1]  # of tenants 0 to 3


def test_a_tenant_has_one_shard_and_the_words_have_theirs() -> None:
    homes = Homes(["a", "b", "c"])
    assert homes.shards_of(2, SHARD_OF) == (2,)
    assert homes.shards_of(homes.named("all"), SHARD_OF) == (0, 1, 2)
    assert homes.shards_of(homes.named("none"), SHARD_OF) == ()
    assert homes.shards_of(homes.named("b"), SHARD_OF) == (1,)
    assert (homes.named("all"), homes.named("none")) == (EVERYWHERE, NOWHERE)


def test_a_row_of_two_tenants_has_the_shards_of_both_and_no_shard_twice() -> None:
    homes = Homes(["a", "b", "c"])
    assert homes.shards_of(homes.both(0, 1), SHARD_OF) == (0, 1)
    assert homes.shards_of(homes.both(1, 3), SHARD_OF) == (1,)


def test_equal_homes_have_equal_numbers() -> None:
    homes = Homes(["a"])
    pair = homes.both(0, 1)
    assert homes.both(1, 0) == pair
    assert homes.both(pair, 1) == pair
    assert homes.both(homes.both(0, 2), 1) == homes.both(pair, 2)
    assert homes.named("a") == homes.named("a")
