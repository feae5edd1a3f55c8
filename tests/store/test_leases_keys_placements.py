"""Leases, idempotency keys and placements: of two who come at once, one wins."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from shardgate.core.http import Reply
from shardgate.store.idempotency import Claim, IdempotencyKeys
from shardgate.store.leases import Leases
from shardgate.store.placements import Placements
from shardgate.store.sqlite import SqliteStore

CLAIM = Claim("client", "key", "print", "w1", repeatable=False)
REPLY = Reply(201, [(b"Content-Type", b"x")], b"made")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.db") as store:
        yield store


def test_a_lease_has_one_owner_until_it_ends(store: SqliteStore) -> None:
    leases = Leases(store)
    assert leases.take("replay", "w1", 10.0, 15.0)
    assert not leases.take("replay", "w2", 14.0, 19.0)
    assert leases.take("replay", "w1", 14.0, 19.0)
    assert leases.take("replay", "w2", 19.0, 24.0)
    leases.give_up("w2")
    assert leases.take("replay", "w3", 19.0, 24.0)


def test_a_key_runs_once_and_is_answered_from_the_store(store: SqliteStore) -> None:
    keys, leases = IdempotencyKeys(store), Leases(store)
    leases.live("w1", 10.0, 15.0)
    assert keys.begin(CLAIM, 10.0, 100.0) == ("run", None)
    assert keys.begin(CLAIM, 11.0, 100.0) == ("busy", None)
    keys.finish(CLAIM, REPLY)
    assert keys.begin(CLAIM, 12.0, 100.0) == ("replay", REPLY)
    other = msgspec.structs.replace(CLAIM, fingerprint="another")
    assert keys.begin(other, 12.0, 100.0) == ("other", None)
    stranger = msgspec.structs.replace(CLAIM, client="another")
    assert keys.begin(stranger, 12.0, 100.0) == ("run", None)


def test_a_key_is_free_again_when_its_time_is_over_or_nothing_was_done(store: SqliteStore) -> None:
    keys = IdempotencyKeys(store)
    keys.begin(CLAIM, 10.0, 20.0)
    keys.finish(CLAIM, REPLY)
    assert keys.begin(CLAIM, 20.5, 100.0) == ("run", None)
    keys.forget(CLAIM)
    assert keys.begin(CLAIM, 21.0, 100.0) == ("run", None)
    assert keys.purge(99.0, 10) == 0
    assert keys.purge(101.0, 10) == 1


def test_a_key_whose_worker_died_is_in_doubt_and_runs_again_only_where_that_is_harmless(store: SqliteStore) -> None:
    keys, leases = IdempotencyKeys(store), Leases(store)
    leases.live("w1", 10.0, 15.0)
    keys.begin(CLAIM, 10.0, 100.0)
    assert keys.begin(CLAIM, 16.0, 100.0) == ("doubt", None)
    harmless = msgspec.structs.replace(CLAIM, repeatable=True)
    assert keys.begin(harmless, 16.0, 100.0) == ("run", None)


def test_of_many_with_one_key_at_once_one_runs(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "store.db").close()

    def begin(_: int) -> str:
        with SqliteStore(tmp_path / "store.db") as store:
            Leases(store).live("w1", 10.0, 50.0)
            return IdempotencyKeys(store).begin(CLAIM, 10.0, 100.0)[0]

    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(begin, range(16)))
    assert sorted(verdicts) == ["busy"] * 15 + ["run"]


def test_one_name_has_one_shard_whoever_asks(store: SqliteStore) -> None:
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


def test_tenants_that_are_being_created_count(store: SqliteStore) -> None:
    store.put_many("vendors", [("1", "north")])
    placements, seen = Placements(store), []

    def choose(loads):
        seen.append(dict(loads))
        return min(loads, key=loads.__getitem__)

    for name in "abc":
        placements.reserve("vendors", name, ["north", "south"], choose)
    assert seen == [{"north": 1, "south": 0}, {"north": 1, "south": 1}, {"north": 2, "south": 1}]


def test_a_name_whose_create_failed_may_be_placed_anew(store: SqliteStore) -> None:
    placements = Placements(store)
    placements.reserve("vendors", "7", ["north", "south"], lambda loads: "south")
    with store.transaction():
        placements.settle("vendors", "7", None, "south")
    assert placements.reserve("vendors", "7", ["north", "south"], lambda loads: "north") == "north"


def test_a_new_store_is_its_owners_alone(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db"):
        assert (tmp_path / "store.db").stat().st_mode & 0o777 == 0o600
