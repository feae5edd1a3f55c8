"""The store in PostgreSQL: what is answered is written, nothing waits for ever, and it goes on after a failover."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from proof.postgres_server import PostgresServer
from shardgate.core.hosts import PostgresUrl
from shardgate.core.http import Reply
from shardgate.net.clock import wall
from shardgate.store import postgres as module
from shardgate.store import schema
from shardgate.store.database import CommitUnknownError, StoreError
from shardgate.store.idempotency import Claim, IdempotencyKeys
from shardgate.store.journal import Journal
from shardgate.store.opening import look, open_for_worker, open_store
from shardgate.store.postgres import PostgresStore
from shardgate.store.usage import Usage
from shardgate.store.writer import Writer
from tests.store.test_journal import at, entry
from tests.waiting import wait_until
from tests.wire import Wire, wire_to


@pytest.fixture
def wire(server: PostgresServer) -> Iterator[Wire]:
    with wire_to(server.port) as wire:
        yield wire


@pytest.fixture
def far(wire: Wire, postgres_place: PostgresUrl) -> Iterator[PostgresStore]:
    """The store, at the end of the wire."""
    with PostgresStore(through(wire, postgres_place)) as store:
        store.open()
        yield store


def through(wire: Wire, place: PostgresUrl) -> PostgresUrl:
    head, _, rest = place.text.partition("@")
    return PostgresUrl(f"{head}@127.0.0.1:{wire.port}/{rest.partition('/')[2]}")


def counted(place: PostgresUrl) -> int:
    with open_store(place) as store:
        return Usage(store).calls("p", "one")


def add(store: PostgresStore) -> list[int]:
    return Usage(store).add([("p", "one", 1)], 0.0)


def test_a_commit_that_did_not_arrive_has_written_nothing(
    far: PostgresStore, wire: Wire, postgres_place: PostgresUrl
) -> None:
    assert add(far) == [1]
    wire.cut_at = b"COMMIT"
    with pytest.raises(far.errors, match="was not committed"):
        add(far)
    wire.cut_at = b""
    assert counted(postgres_place) == 1
    assert add(far) == [2]


def test_a_commit_whose_answer_is_lost_is_looked_up(
    far: PostgresStore, wire: Wire, postgres_place: PostgresUrl
) -> None:
    wire.cut_after = b"COMMIT"
    assert add(far) == [1]
    assert counted(postgres_place) == 1


def test_a_commit_that_nobody_can_be_asked_of_is_told_as_unknown(
    far: PostgresStore, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESOLVE_S", 0.1)
    wire.cut_after, wire.refuses = b"COMMIT", True
    with pytest.raises(CommitUnknownError):
        add(far)
    wire.cut_after, wire.refuses = b"", False
    assert wait_until(lambda: try_add(far)) in ([1], [2])


def try_add(store: PostgresStore) -> list[int]:
    try:
        return add(store)
    except store.errors:
        return []


def test_a_connection_that_broke_while_nobody_used_it_is_made_anew(far: PostgresStore, wire: Wire) -> None:
    assert add(far) == [1]
    wire.cut()
    assert Usage(far).calls("p", "one") == 1
    wire.cut()
    assert add(far) == [2]


def test_a_gateway_that_is_cut_off_within_a_transaction_holds_up_no_other(
    far: PostgresStore, wire: Wire, postgres_place: PostgresUrl
) -> None:
    with PostgresStore(postgres_place) as near:
        add(near)

        def cut_off_within() -> None:
            with far.transaction():
                far.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
                wire.open.clear()
                assert add(near) == [2]  # it waits until the server has ended the other session
                wire.open.set()

        with pytest.raises(far.errors):
            cut_off_within()
        assert near.epoch() == 0


def test_a_transaction_whose_connection_was_lost_unseen_fails_and_the_next_one_does_not(far: PostgresStore) -> None:
    def lost_within() -> None:
        with far.transaction():
            far.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'")
            assert far._connection is not None
            far._connection.close()

    with pytest.raises(far.errors, match="lost within"):
        lost_within()
    assert far.put_many("vendor", [("1", "north")]) == 1


def test_a_server_that_does_not_answer_is_not_waited_for(
    far: PostgresStore, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert far._connection is not None
    monkeypatch.setattr(far._connection, "answer_s", 0.2)
    wire.open.clear()
    with pytest.raises(far.errors, match="no answer within"):
        far._connection.execute("SELECT 1")
    assert not far.is_connected
    wire.open.set()
    assert far.epoch() == 0


def test_texts_with_any_character_are_read_back_and_differ(postgres_place: PostgresUrl) -> None:
    keys = {key: str(number) for number, key in enumerate(["\0", "\1", "\1a", "\1b", "a\0b", "é", "%s?:x", "\\", "'"])}
    with open_store(postgres_place) as store:
        store.put_many("vendor", keys.items())
        assert store.read("vendor") == keys
        assert all(store.find("vendor", key) == shard for key, shard in keys.items())


def test_a_change_of_the_directory_is_told(postgres_place: PostgresUrl) -> None:
    with PostgresStore(postgres_place) as listening, open_store(postgres_place) as writing:
        listening.listen()
        assert not listening.wait(0.0)
        writing.put_many("vendor", [("1", "north")])
        assert listening.wait(30.0)


def test_a_store_of_a_newer_version_is_refused(postgres_place: PostgresUrl, server: PostgresServer) -> None:
    open_store(postgres_place).close()
    server.ask("UPDATE shardgate.meta SET value = 99 WHERE name = 'schema'", postgres_place.text.rpartition("/")[2])
    for opening in (open_store, look):
        with pytest.raises(StoreError, match=r"newer shardgate \(schema 99.*Upgrade"):
            opening(postgres_place)


def test_an_older_store_is_brought_up_to_date(postgres_place: PostgresUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(postgres_place) as store:
        store.put_many("vendor", [("1", "north")])
    notes = ("CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, said TEXT)",)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, notes))
    with open_store(postgres_place) as store:
        assert store.read("vendor") == {"1": "north"}
        assert store.execute("SELECT count(*) FROM notes").fetchone() == (0,)


def test_the_schema_of_somebody_else_is_refused_and_kept(postgres_place: PostgresUrl, server: PostgresServer) -> None:
    database = postgres_place.text.rpartition("/")[2]
    server.ask("CREATE SCHEMA shardgate; CREATE TABLE shardgate.theirs (id int)", database)
    with pytest.raises(StoreError, match="is not a store of shardgate: it has 'theirs'"):
        open_store(postgres_place)


def test_a_user_who_may_not_make_the_schema_is_told_what_to_do(
    postgres_place: PostgresUrl, server: PostgresServer
) -> None:
    database = postgres_place.text.rpartition("/")[2]
    if not server.ask("SELECT 1 FROM pg_roles WHERE rolname = 'app'"):
        server.ask("CREATE ROLE app LOGIN")
    app = PostgresUrl(postgres_place.text.replace("postgres@", "app@"))
    for opening in (open_store, look):
        with pytest.raises(StoreError, match="CREATE SCHEMA shardgate AUTHORIZATION"):
            opening(app)
    server.ask("CREATE SCHEMA shardgate AUTHORIZATION app", database)
    assert look(app) == {}
    with open_store(app) as store:
        assert store.put_many("vendor", [("1", "north")]) == 1


def test_to_look_at_a_store_makes_none(postgres_place: PostgresUrl, server: PostgresServer) -> None:
    assert look(postgres_place) == {}
    assert (
        server.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'shardgate'", postgres_place.text.rpartition("/")[2])
        == []
    )


def test_a_password_is_never_shown() -> None:
    for text in (
        "postgresql://u:hidden@h/d",
        "postgresql://u@h/d?password=hidden&sslmode=require",
        "postgres://:hidden@h",
    ):
        assert "hidden" not in f"{PostgresUrl(text)} {PostgresUrl(text)!r}"


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(StoreError, match="Does the server run") as found:
        open_store(PostgresUrl("postgresql://u:hidden@127.0.0.1:1/d"))
    assert "hidden" not in str(found.value)


def test_a_gateway_whose_clock_is_an_hour_ahead_ends_no_key_and_no_change_early(postgres_place: PostgresUrl) -> None:
    # Found: keys ended by the clock of whichever gateway looked, so that one an hour ahead ran a request once more.
    here, ahead = 1_800_000_000.0, 1_800_003_600.0
    store, leases = open_for_worker(postgres_place)
    try:
        wait_until(leases.holds)
        claim = Claim("client", "key", "print", leases.worker, repeatable=True)
        keys, journal = IdempotencyKeys(store, leases), Journal(store)
        assert keys.begin(claim, here, here + 600) == ("run", None)
        keys.finish(claim, Reply(201, [], b"made"))
        assert keys.begin(claim, ahead, ahead + 600)[0] == "replay"
        assert keys.follow("client", "name", "north", here, here + 600) == ("north", True)
        assert keys.follow("client", "name", "south", ahead, ahead + 600) == ("north", False)
        done = entry("t")
        done.state = "done"
        journal.add(done, leases.worker, at(here))
        by_store = store.wall(ahead)
        assert abs(by_store - wall()) < 60
        assert keys.purge(by_store, 10, 9_999, float).count == 0
        assert journal.purge(by_store - 600, 10, 9_999, float).count == 0
        assert keys.purge(by_store + 601, 10, 9_999, float).count == 2
        assert journal.purge(by_store + 1, 10, 9_999, float).count == 1
    finally:
        leases.close()
        store.close()


def test_many_at_once_write_one_after_another(postgres_place: PostgresUrl) -> None:
    def write() -> None:
        with PostgresStore(postgres_place) as store:
            for _ in range(20):
                add(store)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted(postgres_place) == 160


def test_after_a_failover_everything_that_was_answered_is_there_and_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The primary is killed within a stream of writes, and its synchronous replica promoted."""
    with PostgresServer() as primary, PostgresServer(primary) as replica:
        primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'replica'")
        primary.ask("SELECT pg_reload_conf()")
        wait_until(lambda: primary.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"))
        store, leases = open_for_worker(PostgresUrl(primary.url("postgres", replica)))
        answered = unknown = 0
        try:
            assert isinstance(store, PostgresStore)
            for number in range(400):
                if number == 200:
                    killing = threading.Thread(target=lambda: (primary.kill(), replica.promote()))
                    killing.start()
                try:
                    answered += bool(add(store))
                except CommitUnknownError:
                    unknown += 1
                except store.errors:
                    pass
            killing.join()
            assert wait_until(lambda: try_add(store))
            assert answered + 1 <= Usage(store).calls("p", "one") <= answered + unknown + 1
            assert wait_until(leases.holds)
        finally:
            leases.close()
            store.close()


def test_a_transaction_costs_two_messages_besides_its_own(postgres_place: PostgresUrl) -> None:
    with PostgresStore(postgres_place) as store:
        add(store)
        sent: list[str] = []
        connection = store._connection
        assert connection is not None
        execute: Callable[..., object] = type(connection).execute

        class Counting(type(connection)):  # type: ignore[misc]
            def execute(self, query: str, *rest: object, **options: object) -> object:
                sent.append(query)
                return execute(self, query, *rest, **options)

        connection.__class__ = Counting
        add(store)
    assert len(sent[:-1]) == 4  # begin, two statements of the job, commit; the last ends the session


def test_of_jobs_that_are_written_together_one_that_fails_has_written_nothing(postgres_place: PostgresUrl) -> None:
    undone: list[str] = []

    def refused_with_undo(name: str) -> None:
        with store.transaction(lambda: undone.append(name)):
            store.execute("UPDATE usage SET calls = 100")
            raise ValueError(name)

    def kept_with_undo() -> None:
        with store.transaction(lambda: undone.append("kept")):
            store.execute("UPDATE usage SET calls = calls + 10")

    with PostgresStore(postgres_place) as store:
        jobs = [
            lambda: refused_with_undo("first"),
            lambda: add(store),
            lambda: add(store),
            lambda: refused_with_undo("third"),
            kept_with_undo,
            lambda: Usage(store).calls("p", "one"),
        ]
        outcomes = store.together(jobs)
        assert [value for value, _ in outcomes] == [None, [1], [2], None, None, 12]
        assert [str(error) for _, error in outcomes if error] == ["first", "third"]
        assert undone == ["first", "third"]
        assert counted(postgres_place) == 12
        assert store.execute("SELECT number FROM commits").fetchall() == [(1,)]
        assert add(store) == [13]
        assert counted(postgres_place) == 13


def test_a_read_that_is_refused_fails_no_job_that_is_written_with_it(postgres_place: PostgresUrl) -> None:
    # Found: the server ended the transaction, so that all of its jobs failed.
    with PostgresStore(postgres_place) as store:
        reads = [lambda: store.execute("SELECT 1/0"), lambda: Usage(store).calls("p", "one")]
        outcomes = store.together([*reads, lambda: add(store), *reads, lambda: add(store), *reads])
        values = [value for value, _ in outcomes]
        assert values == [None, 0, [1], None, 1, [2], None, 2]
        assert [isinstance(error, store.errors) for _, error in outcomes] == [value is None for value in values]
        assert counted(postgres_place) == 2


def test_where_jobs_are_not_committed_together_all_have_failed_and_are_undone(
    far: PostgresStore, wire: Wire, postgres_place: PostgresUrl
) -> None:
    undone: list[int] = []

    def job(number: int) -> None:
        with far.transaction(lambda: undone.append(number)):
            add_in(far)

    assert add(far) == [1]
    for cut in (b"COMMIT", b"SAVEPOINT"):
        undone.clear()
        wire.cut_at = cut
        outcomes = far.together([lambda: job(1), lambda: Usage(far).calls("p", "one"), lambda: job(2)])
        assert all(isinstance(error, far.errors) for _, error in outcomes)
        assert sorted(undone) == ([1, 2] if cut == b"COMMIT" else [1])
        wire.cut_at = b""
        assert counted(postgres_place) == 1
    wire.cut_after = b"COMMIT"
    assert [value for value, _ in far.together([lambda: add(far), lambda: add(far)])] == [[2], [3]]
    assert counted(postgres_place) == 3


def test_a_call_that_was_not_written_with_others_is_in_memory_as_before(far: PostgresStore, wire: Wire) -> None:
    """Or whoever goes on with the change would take it for one that may have been sent."""
    journal = Journal(far)
    made = [entry("t1", "divide"), entry("t2", "divide")]
    for each in made:
        journal.add(each, "w1", at(10.0))
    wire.cut_at = b"COMMIT"
    outcomes = far.together([partial(journal.begin, each, 0, "do", "w1", at(0.0)) for each in made])
    assert all(isinstance(error, far.errors) for _, error in outcomes)
    assert [(each.branches[0].phase, each.branches[0].tries) for each in made] == [("waiting", 0)] * 2
    wire.cut_at = b""
    outcomes = far.together([partial(journal.begin, each, 0, "do", "w1", at(0.0)) for each in made])
    assert outcomes == [("begun", None)] * 2
    assert [(each.branches[0].phase, each.branches[0].tries) for each in made] == [("sent", 1)] * 2


def add_in(store: PostgresStore) -> None:
    store.execute("UPDATE usage SET calls = calls + 1")


async def test_jobs_that_wait_for_a_worker_s_turn_are_written_in_few_transactions(postgres_place: PostgresUrl) -> None:
    """Found: 50 orders at once took longer than a step may wait for its turn, and seven of them were left open."""
    writer = Writer(postgres_place)
    try:
        await asyncio.to_thread(wait_until, writer.leases.holds)
        go_on = threading.Event()
        first = asyncio.ensure_future(writer.run(go_on.wait, 60))
        adding = [asyncio.ensure_future(writer.run(writer.usage.add, [("p", "one", 1)], 0.0)) for _ in range(60)]
        led = asyncio.ensure_future(writer.run(writer.leases.lead, "purge"))
        last = asyncio.ensure_future(writer.run(writer.usage.add, [("p", "one", 1)], 0.0))
        await asyncio.wait(adding, timeout=0)
        go_on.set()
        assert [await each for each in adding] == [[number] for number in range(1, 61)]
        assert (await first, await led, await last) == (True, True, [61])
        with open_store(postgres_place) as store:
            (commits,) = store.execute("SELECT sum(number) FROM commits").fetchone()
        assert commits < 30  # a slow machine gives up to 50 ms to each
    finally:
        writer.close()
