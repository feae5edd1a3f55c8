"""Leases: of two workers that take one at once, one gets it; it expires by itself."""

from shardgate.store.leases import Leases
from shardgate.store.sqlite import SqliteStore


def test_a_lease_has_one_owner_until_it_ends(store: SqliteStore) -> None:
    leases = Leases(store)
    assert leases.take("replay", "w1", 10.0, 15.0)
    assert not leases.take("replay", "w2", 14.0, 19.0)
    assert leases.take("replay", "w1", 14.0, 19.0)
    assert leases.take("replay", "w2", 19.0, 24.0)
    leases.give_up("w2")
    assert leases.take("replay", "w3", 19.0, 24.0)
