"""The operator's desk: a stuck change is retried, an open one abandoned, and no other."""

from collections.abc import Iterator

import pytest

from shardgate.core.changes.entry import Branch, Entry, Sent, Terms
from shardgate.core.errors import ClientError
from shardgate.store.database import StoreError, StorePlace
from shardgate.store.desk import Desk
from shardgate.store.journal import Instant, Journal, NotOwnerError
from shardgate.store.opening import open_store
from shardgate.store.placements import Placements

SENT = Sent(
    "PUT", b"/things/7", b"shop", b"Authorization: Bearer old\r\nA: 1\r\n", b"{}", has_body=True, request_id=b"r"
)
TERMS = Terms(patient=True, check=None, repeat=True, already=(409,))


@pytest.fixture
def desk(place: StorePlace) -> Iterator[Desk]:
    with Desk(place) as desk:
        yield desk


@pytest.fixture
def journal(desk: Desk, place: StorePlace) -> Iterator[Journal]:
    """The journal, as a worker has it."""
    with open_store(place) as store:
        yield Journal(store)


def added(journal: Journal, token: str, *, stuck: bool = False) -> Entry:
    entry = Entry(token, "every", "PUT /things/{id}", SENT, TERMS, {}, [Branch("north"), Branch("south")], "finishing")
    journal.add(entry, "w1", Instant(10.0))
    if stuck:
        entry.branches[1].phase, entry.branches[1].problem, entry.branches[1].stuck_in = "stuck", "it said 401", "sent"
        entry.state, entry.stuck_in = "stuck", "finishing"
        journal.save(entry, "w1", 1)
    return entry


def test_a_stuck_change_is_open_again_and_free_for_any_worker(desk: Desk, journal: Journal) -> None:
    stuck = added(journal, "t1", stuck=True)
    assert desk.retry(stuck.id).state == "finishing"
    taken = journal.adopt(stuck.id, "w2", None)
    assert taken is not None
    assert [branch.phase for branch in taken.branches] == ["waiting", "sent"]


def test_a_field_replaces_those_of_its_name_and_no_other(desk: Desk, journal: Journal) -> None:
    stuck = added(journal, "t1", stuck=True)
    desk.retry(stuck.id, "AUTHORIZATION: Bearer new")
    read = journal.load(stuck.id)
    assert read is not None
    assert read.request.lines == b"A: 1\r\nAUTHORIZATION: Bearer new\r\n"


def test_what_is_no_field_is_refused(desk: Desk, journal: Journal) -> None:
    stuck = added(journal, "t1", stuck=True)
    with pytest.raises(ClientError):
        desk.retry(stuck.id, "Authorization : Bearer new")


def test_only_a_stuck_change_is_retried(desk: Desk, journal: Journal) -> None:
    entry = added(journal, "t1")
    for number in (entry.id, entry.id + 1):
        with pytest.raises(StoreError, match="is not stuck"):
            desk.retry(number)


def test_an_abandoned_change_is_over_and_its_worker_stops(desk: Desk, journal: Journal) -> None:
    entry = added(journal, "t1")
    assert desk.abandon(entry.id).state == "abandoned"
    with pytest.raises(NotOwnerError):
        journal.begin(entry, 0, "do", "w1", Instant(0.0))
    assert journal.adopt(entry.id, "w2", None) is None
    with pytest.raises(StoreError, match="is over or does not exist"):
        desk.abandon(entry.id)


def test_an_abandoned_create_of_a_tenant_frees_its_name(desk: Desk, journal: Journal, place: StorePlace) -> None:
    with open_store(place) as store:
        placements = Placements(store)
        assert placements.reserve("vendors", "v1", ["north", "south"], lambda _: "north") == "north"
        entry = Entry("t1", "place", "POST /vendors", SENT, TERMS, {}, [Branch("north")])
        entry.space, entry.placed_by = "vendors", "v1"
        journal.add(entry, "w1", Instant(10.0))
        desk.abandon(entry.id)
        assert placements.reserve("vendors", "v1", ["north", "south"], lambda _: "south") == "south"


@pytest.mark.usefixtures("times_as_given")
def test_the_newest_change_is_listed_first_and_one_that_is_over_only_when_asked(desk: Desk, journal: Journal) -> None:
    first, second = added(journal, "t1"), added(journal, "t2", stuck=True)
    assert [(entry.id, at) for entry, at in desk.entries(everything=False)] == [(second.id, 10.0), (first.id, 10.0)]
    desk.abandon(first.id)
    assert [entry.id for entry, _ in desk.entries(everything=False)] == [second.id]
    assert [entry.id for entry, _ in desk.entries(everything=True)] == [second.id, first.id]
