"""Leases in PostgreSQL: they end with their session, also where its gateway is cut off; then it writes nothing."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from proof.postgres_server import PostgresServer
from shardgate.core.changes.deaths import Deaths
from shardgate.core.hosts import PostgresUrl
from shardgate.store import postgres_leases as module
from shardgate.store.database import Store
from shardgate.store.leases import Leases
from shardgate.store.opening import open_for_worker
from shardgate.store.postgres import PostgresStore
from shardgate.store.postgres_connection import uptime
from shardgate.store.postgres_leases import PostgresLeases
from shardgate.store.usage import Usage
from tests.store.test_postgres import through
from tests.waiting import wait_until
from tests.wire import Wire, wire_to


@pytest.fixture
def wire(server: PostgresServer) -> Iterator[Wire]:
    with wire_to(server.port) as wire:
        yield wire


@pytest.fixture
def near(postgres_place: PostgresUrl) -> Iterator[tuple[Store, Leases]]:
    """A worker of a gateway that is well."""
    store, leases = open_for_worker(postgres_place)
    with closing(leases), closing(store):
        assert wait_until(leases.holds)
        yield store, leases


def add(store: Store) -> list[int]:
    return Usage(store).add([("p", "one", 1)], 0.0)


def test_a_lease_has_one_owner_until_it_ends(near: tuple[Store, Leases], postgres_place: PostgresUrl) -> None:
    store, one = near
    other_store, two = open_for_worker(postgres_place)
    with closing(two), closing(other_store):
        assert wait_until(two.holds)
        assert one.worker != two.worker
        assert one.lead("replay")
        assert one.lead("replay")
        assert not two.lead("replay")
        assert two.lead("purge")
        for _ in range(2):  # to look ends nothing
            assert two.lives(one.worker)
            assert one.lives(one.worker)
            assert one.lives(two.worker)
    assert wait_until(lambda: not one.lives(two.worker))
    assert wait_until(lambda: one.lead("purge"))
    assert not any(map(one.lives, [None, "", "operator", "0", "1", "99999999999999999999", "3f2a"]))
    assert store.epoch() == 0


def test_a_session_that_was_ended_is_made_anew_and_nothing_is_lost(
    near: tuple[Store, Leases], server: PostgresServer, postgres_place: PostgresUrl
) -> None:
    store, leases = near
    assert leases.lead("replay")
    database = postgres_place.text.rpartition("/")[2]
    server.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
    assert wait_until(lambda: _added(store))
    assert wait_until(leases.holds)
    assert wait_until(lambda: leases.lead("replay"))


def _added(store: Store) -> bool:
    try:
        return bool(add(store))
    except store.errors:
        return False


def test_what_a_worker_led_it_leads_again_in_its_next_session(
    near: tuple[Store, Leases], server: PostgresServer, postgres_place: PostgresUrl
) -> None:
    """Whoever moves tenants asks for that lease once."""
    _, leases = near
    assert leases.lead("move")
    database = postgres_place.text.rpartition("/")[2]
    locks = (
        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND granted"
        f" AND mode = 'ExclusiveLock' AND datname = '{database}'"
    )
    before = server.ask(locks)
    assert len(before) == 2
    server.ask(f"SELECT pg_terminate_backend({before[0][0]}, 5000)")
    assert wait_until(lambda: len(set(server.ask(locks)) - set(before)) == 1 and len(server.ask(locks)) == 2)
    with closing(PostgresLeases(postgres_place)) as other:
        assert wait_until(other.holds)
        assert not other.lead("move")
        assert leases.lead("move")


@pytest.mark.parametrize("is_told", [False, True])
def test_a_gateway_that_is_cut_off_is_dead_for_the_others_after_it_knows_so_itself(
    near: tuple[Store, Leases], wire: Wire, postgres_place: PostgresUrl, is_told: bool
) -> None:
    """Its lease ends by the server, within SILENT_S; it counts on it no more after HELD_S. Where both are told that the
    session has ended, both are sooner."""
    _, leases = near
    far_leases = PostgresLeases(through(wire, postgres_place))
    with closing(far_leases):
        assert wait_until(far_leases.holds)
        assert leases.lives(far_leases.worker)
        deaths = Deaths(leases.dead_after_s)
        if is_told:
            wire.refuses = True
            wire.cut()
        else:
            wire.open.clear()
        counted_on = True

        def is_dead() -> bool:
            nonlocal counted_on
            counted_on = far_leases.holds()  # looked at first: it must have ended before
            return bool(deaths.due([far_leases.worker], leases.lives, uptime()))

        assert wait_until(is_dead, 3 * module.SILENT_S)
        assert not counted_on
        wire.refuses = False
        wire.open.set()
        assert wait_until(far_leases.holds)
        assert wait_until(lambda: leases.lives(far_leases.worker))


def test_a_worker_whose_lease_has_ended_writes_nothing_until_it_has_it_again(
    near: tuple[Store, Leases], wire: Wire, postgres_place: PostgresUrl
) -> None:
    """The connection that writes is well: it alone would not know."""
    store, _ = near
    far_leases = PostgresLeases(through(wire, postgres_place))
    with closing(far_leases), PostgresStore(postgres_place, far_leases) as far:
        assert wait_until(far_leases.holds)
        assert add(far) == [1]
        wire.refuses = True
        wire.cut()
        with pytest.raises(far.errors, match="lease of this worker has ended"):
            wait_until(lambda: not add(far))
        assert not far_leases.lead("replay")
        before = add(store)
        wire.refuses = False
        assert wait_until(lambda: _added(far))
        assert add(store) > before
