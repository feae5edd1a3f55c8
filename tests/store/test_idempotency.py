"""Idempotency keys: of requests with one key at once, one runs; its reply is stored for the others."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from shardgate.core.http import Reply
from shardgate.store.database import Store, StorePlace
from shardgate.store.idempotency import Claim, IdempotencyKeys
from shardgate.store.leases import Leases
from shardgate.store.opening import open_store
from shardgate.store.purged import Purged

REPLY = Reply(201, [(b"Content-Type", b"x")], b"made")


def claim_of(leases: Leases) -> Claim:
    return Claim("client", "key", "print", leases.worker, repeatable=False)


def test_a_key_runs_once_and_is_answered_from_the_store(store: Store, leases: Leases) -> None:
    keys, claim = IdempotencyKeys(store, leases), claim_of(leases)
    assert keys.begin(claim, 10.0, 100.0) == ("run", None)
    assert keys.begin(claim, 11.0, 100.0) == ("busy", None)
    keys.finish(claim, REPLY)
    assert keys.begin(claim, 12.0, 100.0) == ("replay", REPLY)
    other = msgspec.structs.replace(claim, fingerprint="another")
    assert keys.begin(other, 12.0, 100.0) == ("other", None)
    stranger = msgspec.structs.replace(claim, client="another")
    assert keys.begin(stranger, 12.0, 100.0) == ("run", None)


@pytest.mark.usefixtures("times_as_given")
def test_a_key_is_free_again_when_its_time_is_over_or_nothing_was_done(store: Store, leases: Leases) -> None:
    keys, claim = IdempotencyKeys(store, leases), claim_of(leases)
    keys.begin(claim, 10.0, 20.0)
    keys.finish(claim, REPLY)
    assert keys.begin(claim, 20.5, 100.0) == ("run", None)
    keys.forget(claim)
    assert keys.begin(claim, 21.0, 100.0) == ("run", None)


@pytest.mark.usefixtures("times_as_given")
def test_what_is_due_is_purged_first_what_was_due_first_and_so_much_at_once(store: Store, leases: Leases) -> None:
    keys = IdempotencyKeys(store, leases)
    for number in range(6):
        claim = msgspec.structs.replace(claim_of(leases), key=f"k{number}")
        keys.begin(claim, 10.0, 100.0 - number)
        keys.finish(claim, Reply(201, [], b"x" * 1000))
    assert keys.purge(94.0, 10, 9_999, float) == Purged(0, more=False, held_s=0.0)
    assert keys.purge(96.5, 10, 9_999, float) == Purged(2, more=False, held_s=0.0)
    assert keys.purge(100.5, 2, 9_999, float) == Purged(2, more=True, held_s=0.0)
    assert keys.purge(100.5, 9, 500, float) == Purged(1, more=True, held_s=0.0)
    assert keys.purge(100.5, 9, 500, float) == Purged(1, more=False, held_s=0.0)


def test_a_key_whose_worker_died_is_in_doubt_and_runs_again_only_where_that_is_harmless(
    store: Store, leases: Leases, new_leases: Callable[[], Leases], monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, keys = new_leases(), IdempotencyKeys(store, leases)
    claim = claim_of(dead)
    keys.begin(claim, 10.0, 100.0)
    assert keys.begin(claim, 11.0, 100.0) == ("busy", None)
    dead.close()
    if leases.dead_after_s:
        # Found: a worker whose session was ended by others drives its request still, and was called dead at once: a
        # repeatable one ran twice at the same time.
        module = sys.modules[type(leases).__module__]
        real = module.uptime
        assert keys.begin(claim, 11.0, 100.0) == ("busy", None)
        monkeypatch.setattr(module, "uptime", lambda: real() + leases.dead_after_s + 0.1)
    assert keys.begin(claim, 11.0, 100.0) == ("doubt", None)
    harmless = msgspec.structs.replace(claim, repeatable=True)
    assert keys.begin(harmless, 16.0, 100.0) == ("run", None)


def test_of_many_with_one_key_at_once_one_runs(place: StorePlace, leases: Leases) -> None:
    def begin(_: int) -> str:
        with open_store(place) as mine:
            return IdempotencyKeys(mine, leases).begin(claim_of(leases), 10.0, 100.0)[0]

    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(begin, range(16)))
    assert sorted(verdicts) == ["busy"] * 15 + ["run"]
