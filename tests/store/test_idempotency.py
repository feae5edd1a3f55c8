"""Idempotency keys: of requests with one key at once, one runs; its reply is stored for the others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from shardgate.core.http import Reply
from shardgate.store.idempotency import Claim, IdempotencyKeys
from shardgate.store.leases import Leases
from shardgate.store.sqlite import SqliteStore

CLAIM = Claim("client", "key", "print", "w1", repeatable=False)
REPLY = Reply(201, [(b"Content-Type", b"x")], b"made")


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
