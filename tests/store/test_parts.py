"""Parts: which shards have a part of an entity, and which have leftovers of it."""

from contextlib import suppress

from shardgate.store.database import Store
from shardgate.store.parts import read_parts, record_leftovers, record_parts

ALL = ("north", "south", "west")


def test_an_entity_is_looked_for_on_the_shards_that_it_was_stored_for(store: Store) -> None:
    before = store.epoch()
    with store.transaction():
        assert record_parts(store, "orders", "o1", ["west", "north"])
    assert read_parts(store, ALL) == {"orders": {"o1": ("north", "west")}}
    assert store.epoch() == before + 1


def test_an_entity_that_is_known_stays_as_it_is(store: Store) -> None:
    with store.transaction():
        record_parts(store, "orders", "o1", ["north", "west"])
        assert not record_parts(store, "orders", "o1", ["south"])
        assert record_parts(store, "returns", "o1", ["south"])
    assert read_parts(store, ALL) == {"orders": {"o1": ("north", "west")}, "returns": {"o1": ("south",)}}


def test_of_an_undone_create_all_shards_may_have_the_entity_but_those_with_leftovers(store: Store) -> None:
    with store.transaction():
        record_parts(store, "orders", "o1", ["north", "west"])
        record_leftovers(store, "orders", "o1", ["north"])
    assert read_parts(store, ALL) == {"orders": {"o1": ("south", "west")}}


def test_a_shard_that_is_configured_no_more_is_left_out(store: Store) -> None:
    with store.transaction():
        record_parts(store, "orders", "o1", ["gone", "north"])
    assert read_parts(store, ALL) == {"orders": {"o1": ("north",)}}


def test_what_a_transaction_takes_back_is_not_known(store: Store) -> None:
    with suppress(RuntimeError), store.transaction():
        record_parts(store, "orders", "o1", ["north"])
        raise RuntimeError
    assert read_parts(store, ALL) == {}
