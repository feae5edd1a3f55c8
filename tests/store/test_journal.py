"""The journal: a call is stored before it starts, changes keep their order, and only the owner continues an entry."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shardgate.core.changes.entry import Branch, Entry, Sent, Terms
from shardgate.core.http import Reply
from shardgate.core.limits import ORDER_KEPT_S
from shardgate.store.journal import Journal, JournalBounds, JournalFullError, NotOwnerError, Orphan
from shardgate.store.leases import Leases
from shardgate.store.sqlite import SqliteStore

SENT = Sent("POST", b"/categories", b"shop", b"A: 1\r\n", b"{}", has_body=True, request_id=b"r1")
TERMS = Terms(patient=True, check=None, repeat=True, already=(409,))


def entry(token: str, kind: str = "every") -> Entry:
    return Entry(token, kind, "create", SENT, TERMS, {"id": "7"}, [Branch("north"), Branch("south")])


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with SqliteStore(tmp_path / "store.db") as store:
        yield Journal(store)


def test_an_entry_is_read_back_as_it_was(journal: Journal) -> None:
    made = entry("t1")
    made.branches[1] = Branch("south", b'{"part":1}', (0, 2))
    journal.add(made, "w1", 10.0)
    assert journal.begin(made, 0, "do", "w1") == "begun"
    made.branches[0].phase, made.branches[0].reply = "done", Reply(201, [(b"A", b"b")], b"{}")
    journal.save(made, "w1", 0)
    assert journal.find("t1") == made
    assert journal.load(made.id) == made


def test_a_call_that_was_begun_is_in_doubt_for_whoever_reads_it(journal: Journal) -> None:
    made = entry("t1")
    journal.add(made, "w1", 10.0)
    journal.begin(made, 0, "do", "w1")
    read = journal.load(made.id)
    assert read is not None
    assert [(branch.phase, branch.tries) for branch in read.branches] == [("sent", 1), ("waiting", 0)]


def test_a_change_waits_for_the_earlier_one_on_each_shard(journal: Journal) -> None:
    first, second = entry("t1"), entry("t2")
    journal.add(first, "w1", 10.0)
    journal.add(second, "w2", 11.0)
    assert journal.begin(second, 0, "do", "w2") == "busy"
    for branch in first.branches[:1]:
        branch.phase = "done"
    first.state = "finishing"  # decided; the south is behind
    journal.save(first, "w1", 0)
    assert journal.begin(second, 0, "do", "w2") == "begun"
    assert journal.begin(second, 1, "do", "w2") == "behind"
    assert journal.orphans(99.0, 10)[0] == Orphan(first.id, "every", frozenset({"south"}))
    first.branches[1].phase, first.state = "done", "done"
    journal.save(first, "w1", 1)
    assert journal.begin(second, 1, "do", "w2") == "begun"


def test_changes_of_other_kinds_wait_for_nobody(journal: Journal) -> None:
    first, second = entry("t1"), entry("t2", "divide")
    journal.add(first, "w1", 10.0)
    journal.add(second, "w1", 11.0)
    assert journal.begin(second, 0, "do", "w1") == "begun"


def test_what_a_dead_worker_has_left_is_taken_over_once(journal: Journal, tmp_path: Path) -> None:
    made = entry("t1")
    with SqliteStore(tmp_path / "store.db") as store:
        leases = Leases(store)
        leases.live("w1", 10.0, 15.0)
        journal.add(made, "w1", 10.0)
        assert journal.orphans(14.0, 10) == []
        assert journal.adopt(made.id, "w2", 14.0) is None
        leases.live("w2", 16.0, 21.0)
        assert journal.orphans(16.0, 10) == [Orphan(made.id, "every", frozenset())]
        assert journal.adopt(made.id, "w2", 16.0) == made
        assert journal.adopt(made.id, "w3", 16.0) is None
    with pytest.raises(NotOwnerError):
        journal.begin(made, 0, "do", "w1")
    with pytest.raises(NotOwnerError):
        journal.save(made, "w1", 0)


def test_what_is_released_is_taken_over_at_once(journal: Journal) -> None:
    made = entry("t1")
    journal.add(made, "w1", 10.0)
    journal.save(made, "w1", release=True)
    assert journal.adopt(made.id, "w2", 10.0) == made


def test_what_is_over_is_forgotten_after_its_time_and_what_is_open_is_not(journal: Journal) -> None:
    over, still_open = entry("t1"), entry("t2")
    for made in (over, still_open):
        journal.add(made, "w1", 10.0)
    over.state = "done"
    journal.save(over, "w1")
    assert journal.numbers(everything=True, count=10) == [(still_open.id, 10.0), (over.id, 10.0)]
    assert journal.numbers(everything=False, count=10) == [(still_open.id, 10.0)]
    assert journal.purge(10.0, 5) == 0
    assert journal.purge(10.5, 5) == 1
    assert journal.find("t1") is None
    assert journal.find("t2") == still_open


def test_what_is_not_over_is_bounded_by_number_and_by_bytes(journal: Journal) -> None:
    few = JournalBounds(entries_max=2, bytes_max=100_000)
    first = entry("t1")
    journal.add(first, "w1", 10.0, few)
    journal.add(entry("t2"), "w1", 10.0, few)
    with pytest.raises(JournalFullError, match="2 changes are not over; journal_entries_max is 2"):
        journal.add(entry("t3"), "w1", 10.0, few)
    assert journal.find("t3") is None
    first.state = "done"
    journal.save(first, "w1")
    journal.add(entry("t3"), "w1", 10.0, few)
    with pytest.raises(JournalFullError, match="journal_bytes_max is 700"):
        journal.add(entry("t4"), "w1", 10.0, JournalBounds(entries_max=9, bytes_max=700))


def test_the_size_of_an_entry_is_known_before_it_is_loaded(journal: Journal) -> None:
    made = entry("t1")
    made.branches[1] = Branch("south", b"x" * 50_000)
    journal.add(made, "w1", 10.0)
    assert 50_000 < journal.size(made.id) < 51_000
    assert journal.size(made.id + 1) == 0


def of(thing: str, token: str, kind: str = "every") -> Entry:
    made = entry(token, kind)
    made.thing = thing
    return made


@pytest.mark.parametrize(
    ("other", "waits"),
    [
        ("/orders/7", True),
        ("/orders/7/payments", True),
        ("/orders", True),
        ("", True),
        ("/orders/8", False),
        ("/orders/70", False),
        ("/orders/7%2fx", False),
        ("/things/7", False),
        ("/orders_/7", False),
    ],
)
@pytest.mark.parametrize("state", ["stuck", "finishing"])
def test_what_must_be_settled_first_holds_up_its_own_thing_alone(
    journal: Journal, other: str, waits: bool, state: str
) -> None:
    first, second = of("/orders/7", "t1"), of(other, "t2")
    journal.add(first, "w1", 10.0)
    first.state, first.unsettled = state, True  # type: ignore[assignment]
    first.branches[0].phase = "stuck"
    journal.save(first, "w1", 0)
    journal.add(second, "w1", 11.0)
    assert journal.begin(second, 0, "do", "w1", 20.0) == ("held" if waits else "begun")


def test_a_change_that_is_under_way_holds_up_other_things_for_a_moment_only(journal: Journal) -> None:
    first, other, same = of("/orders/7", "t1"), of("/orders/8", "t2"), of("/orders/7", "t3")
    for made in (first, other, same):
        journal.add(made, "w1", 10.0)
    assert journal.begin(other, 0, "do", "w1", 10.0 + ORDER_KEPT_S / 2) == "busy"
    assert journal.begin(other, 0, "do", "w1", 10.0 + ORDER_KEPT_S) == "begun"
    assert journal.begin(same, 0, "do", "w1", 10.0 + 100 * ORDER_KEPT_S) == "busy"


def test_a_shard_that_is_down_gets_all_that_it_missed_in_order(journal: Journal) -> None:
    first, other = of("/orders/7", "t1"), of("/orders/8", "t2")
    for made in (first, other):
        journal.add(made, "w1", 10.0)
    first.state = "finishing"
    journal.save(first, "w1")
    assert journal.begin(other, 0, "do", "w1", 1000.0) == "behind"
    first.unsettled = True  # the shard was reached, and did not take it
    journal.save(first, "w1")
    assert journal.begin(other, 0, "do", "w1", 10.0 + ORDER_KEPT_S / 2) == "busy"
    assert journal.begin(other, 0, "do", "w1", 10.0 + ORDER_KEPT_S) == "begun"
    assert journal.orphans(99.0, 1)[0].unsettled


def test_creates_of_one_name_begin_one_after_another(journal: Journal) -> None:
    first, same, other, nameless = [of(thing, thing + token, "place") for thing, token in _CREATES]
    for made in (first, same, other, nameless):
        journal.add(made, "w1", 10.0)
    for made in (other, nameless):
        assert journal.begin(made, 0, "do", "w1", 99.0) == "begun"
    assert journal.begin(same, 0, "do", "w1", 99.0) == "busy"
    first.state = "done"
    journal.save(first, "w1")
    assert journal.begin(same, 0, "do", "w1", 99.0) == "begun"


_CREATES = (("/vendors/a", "1"), ("/vendors/a", "2"), ("/vendors/b", "3"), ("", "4"))


def test_what_an_earlier_version_left_is_put_right(journal: Journal) -> None:
    unsent, sent = entry("t1"), entry("t2")
    for made in (unsent, sent):
        journal.add(made, "w1", 10.0)
        made.state = "stuck"
        made.branches[0].phase = "stuck"
    sent.branches[0].tries = 1
    for made in (unsent, sent):
        journal.save(made, "w1", 0)
    assert journal.put_right() == [unsent.id]
    read = journal.load(sent.id)
    assert read is not None
    assert read.thing == "/categories"
    assert journal.put_right() == []
