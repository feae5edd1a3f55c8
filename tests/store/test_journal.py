"""The journal: a call is stored before it starts, changes keep their order, and only the owner continues an entry."""

import msgspec
import pytest

from shardgate.core.changes.entry import Branch, Entry, Sent, Terms
from shardgate.core.http import Reply
from shardgate.core.limits import ORDER_KEPT_S
from shardgate.store.database import Store
from shardgate.store.journal import Instant, Journal, JournalBounds, JournalFullError, NotOwnerError, Orphan
from shardgate.store.purged import Purged

SENT = Sent("POST", b"/categories", b"shop", b"A: 1\r\n", b"{}", has_body=True, request_id=b"r1")
TERMS = Terms(patient=True, check=None, repeat=True, already=(409,))


def at(second: float) -> Instant:
    """A clock that nobody sets."""
    return Instant(second, second)


def entry(token: str, kind: str = "every") -> Entry:
    return Entry(token, kind, "create", SENT, TERMS, {"id": "7"}, [Branch("north"), Branch("south")])


@pytest.fixture
def journal(store: Store, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Time is passed in, also where the server's clock counts."""
    monkeypatch.setattr(type(store), "clock", Store.clock)
    monkeypatch.setattr(type(store), "wall", Store.wall)
    return Journal(store)


def test_an_entry_is_read_back_as_it_was(journal: Journal) -> None:
    made = entry("t1")
    made.branches[1] = Branch("south", b'{"part":1}', (0, 2))
    journal.add(made, "w1", at(10.0))
    assert journal.begin(made, 0, "do", "w1", at(0.0)) == "begun"
    made.branches[0].phase, made.branches[0].reply = "done", Reply(201, [(b"A", b"b")], b"{}")
    journal.save(made, "w1", 0)
    assert journal.find("t1") == made
    assert journal.load(made.id) == made


def test_a_call_that_was_begun_is_in_doubt_for_whoever_reads_it(journal: Journal) -> None:
    made = entry("t1")
    journal.add(made, "w1", at(10.0))
    journal.begin(made, 0, "do", "w1", at(0.0))
    read = journal.load(made.id)
    assert read is not None
    assert [(branch.phase, branch.tries) for branch in read.branches] == [("sent", 1), ("waiting", 0)]


def test_a_change_waits_for_the_earlier_one_on_each_shard(journal: Journal) -> None:
    first, second = entry("t1"), entry("t2")
    journal.add(first, "w1", at(10.0))
    journal.add(second, "w2", at(11.0))
    assert journal.begin(second, 0, "do", "w2", at(0.0)) == "busy"
    for branch in first.branches[:1]:
        branch.phase = "done"
    first.state = "finishing"  # decided; the south is behind
    journal.save(first, "w1", 0)
    assert journal.begin(second, 0, "do", "w2", at(0.0)) == "begun"
    assert journal.begin(second, 1, "do", "w2", at(0.0)) == "behind"
    assert journal.orphans(["w1"], 10)[0] == Orphan(first.id, "w1", "every", frozenset({"south"}))
    first.branches[1].phase, first.state = "done", "done"
    journal.save(first, "w1", 1)
    assert journal.begin(second, 1, "do", "w2", at(0.0)) == "begun"


def test_changes_of_other_kinds_wait_for_nobody(journal: Journal) -> None:
    first, second = entry("t1"), entry("t2", "divide")
    journal.add(first, "w1", at(10.0))
    journal.add(second, "w1", at(11.0))
    assert journal.begin(second, 0, "do", "w1", at(0.0)) == "begun"


def test_what_a_dead_worker_has_left_is_taken_over_once(journal: Journal) -> None:
    made = entry("t1")
    journal.add(made, "w1", at(10.0))
    assert journal.owners() == ["w1"]
    assert journal.orphans([], 10) == []
    assert journal.adopt(made.id, "w2", None) is None
    assert journal.orphans(["w1", "w9"], 10) == [Orphan(made.id, "w1", "every", frozenset())]
    taken = journal.adopt(made.id, "w2", "w1")
    assert taken == msgspec.structs.replace(made, fence=1)
    assert journal.adopt(made.id, "w3", "w1") is None
    with pytest.raises(NotOwnerError):
        journal.begin(made, 0, "do", "w1", at(0.0))
    with pytest.raises(NotOwnerError):
        journal.save(made, "w1", 0)


def test_what_is_released_is_taken_over_at_once(journal: Journal) -> None:
    made = entry("t1")
    journal.add(made, "w1", at(10.0))
    journal.save(made, "w1", release=True)
    assert journal.orphans([], 10) == [Orphan(made.id, None, "every", frozenset())]
    assert journal.adopt(made.id, "w2", None) == msgspec.structs.replace(made, fence=1)


def test_a_worker_that_takes_an_entry_over_from_itself_writes_no_more_for_what_it_did_before(journal: Journal) -> None:
    made = entry("t1")
    journal.add(made, "w1", at(10.0))
    seized = journal.seize(made.id, "operator", "trying")
    assert seized is not None
    journal.save(seized, "operator", release=True)
    again = journal.adopt(made.id, "w1", None)
    assert again is not None
    with pytest.raises(NotOwnerError):
        journal.save(made, "w1", 0)
    journal.save(again, "w1", 0)


def test_a_call_whose_start_could_not_be_written_down_has_not_begun(journal: Journal, store: Store) -> None:
    made = entry("t1")
    journal.add(made, "w1", at(10.0))
    with store.transaction():
        store.execute("ALTER TABLE journal_branches RENAME TO away")
    with pytest.raises(store.errors):
        journal.begin(made, 0, "do", "w1", at(0.0))
    with store.transaction():
        store.execute("ALTER TABLE away RENAME TO journal_branches")
    assert (made.branches[0].phase, made.branches[0].tries) == ("waiting", 0)
    assert journal.begin(made, 0, "do", "w1", at(0.0)) == "begun"


def test_a_clock_that_is_put_back_holds_up_no_other_thing(journal: Journal) -> None:
    """Found: after the clock had gone back an hour, changes that were not over held up all others for an hour."""
    first, other = of("/orders/7", "t1"), of("/orders/8", "t2")
    for made in (first, other):
        journal.add(made, "w1", Instant(3_700.0, 50.0, "boot"))
    assert journal.begin(other, 0, "do", "w1", Instant(100.0, 50.5, "boot")) == "busy"
    assert journal.begin(other, 0, "do", "w1", Instant(100.0, 50.0 + ORDER_KEPT_S, "boot")) == "begun"


def test_what_was_begun_before_the_last_boot_is_not_under_way(journal: Journal) -> None:
    first, other = of("/orders/7", "t1"), of("/orders/8", "t2")
    for made in (first, other):
        journal.add(made, "w1", Instant(100.0, 9_000.0, "before"))
    assert journal.begin(other, 0, "do", "w1", Instant(160.0, 20.0, "now")) == "begun"


def test_what_is_over_is_forgotten_after_its_time_and_what_is_open_is_not(journal: Journal) -> None:
    over, still_open = entry("t1"), entry("t2")
    for made in (over, still_open):
        journal.add(made, "w1", at(10.0))
    over.state = "done"
    journal.save(over, "w1")
    assert journal.numbers(everything=True, count=10) == [(still_open.id, 10.0), (over.id, 10.0)]
    assert journal.numbers(everything=False, count=10) == [(still_open.id, 10.0)]
    assert journal.purge(10.0, 5, 1, float) == Purged(0, more=False, held_s=0.0)
    assert journal.purge(10.5, 5, 1, float) == Purged(1, more=False, held_s=0.0)
    assert journal.find("t1") is None
    assert journal.find("t2") == still_open


def test_what_is_not_over_is_bounded_by_number_and_by_bytes(journal: Journal) -> None:
    few = JournalBounds(entries_max=2, bytes_max=100_000)
    first = entry("t1")
    journal.add(first, "w1", at(10.0), few)
    journal.add(entry("t2"), "w1", at(10.0), few)
    with pytest.raises(JournalFullError, match="2 changes are not over; journal_entries_max is 2"):
        journal.add(entry("t3"), "w1", at(10.0), few)
    assert journal.find("t3") is None
    first.state = "done"
    journal.save(first, "w1")
    journal.add(entry("t3"), "w1", at(10.0), few)
    with pytest.raises(JournalFullError, match="journal_bytes_max is 700"):
        journal.add(entry("t4"), "w1", at(10.0), JournalBounds(entries_max=9, bytes_max=700))


def test_the_size_of_an_entry_is_known_before_it_is_loaded(journal: Journal) -> None:
    made = entry("t1")
    made.branches[1] = Branch("south", b"x" * 50_000)
    journal.add(made, "w1", at(10.0))
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
    journal.add(first, "w1", at(10.0))
    first.state, first.unsettled = state, True  # type: ignore[assignment]
    first.branches[0].phase = "stuck"
    journal.save(first, "w1", 0)
    journal.add(second, "w1", at(11.0))
    assert journal.begin(second, 0, "do", "w1", at(20.0)) == ("held" if waits else "begun")


def test_a_change_that_is_under_way_holds_up_other_things_for_a_moment_only(journal: Journal) -> None:
    first, other, same = of("/orders/7", "t1"), of("/orders/8", "t2"), of("/orders/7", "t3")
    for made in (first, other, same):
        journal.add(made, "w1", at(10.0))
    assert journal.begin(other, 0, "do", "w1", at(10.0 + ORDER_KEPT_S / 2)) == "busy"
    assert journal.begin(other, 0, "do", "w1", at(10.0 + ORDER_KEPT_S)) == "begun"
    assert journal.begin(same, 0, "do", "w1", at(10.0 + 100 * ORDER_KEPT_S)) == "busy"


def test_a_shard_that_is_down_gets_all_that_it_missed_in_order(journal: Journal) -> None:
    first, other = of("/orders/7", "t1"), of("/orders/8", "t2")
    for made in (first, other):
        journal.add(made, "w1", at(10.0))
    first.state = "finishing"
    journal.save(first, "w1")
    assert journal.begin(other, 0, "do", "w1", at(1000.0)) == "behind"
    first.unsettled = True  # the shard was reached, and did not take it
    journal.save(first, "w1")
    assert journal.begin(other, 0, "do", "w1", at(10.0 + ORDER_KEPT_S / 2)) == "busy"
    assert journal.begin(other, 0, "do", "w1", at(10.0 + ORDER_KEPT_S)) == "begun"
    assert journal.orphans(["w1"], 1)[0].unsettled


def test_creates_of_one_name_begin_one_after_another(journal: Journal) -> None:
    first, same, other, nameless = [of(thing, thing + token, "place") for thing, token in _CREATES]
    for made in (first, same, other, nameless):
        journal.add(made, "w1", at(10.0))
    for made in (other, nameless):
        assert journal.begin(made, 0, "do", "w1", at(99.0)) == "begun"
    assert journal.begin(same, 0, "do", "w1", at(99.0)) == "busy"
    first.state = "done"
    journal.save(first, "w1")
    assert journal.begin(same, 0, "do", "w1", at(99.0)) == "begun"


_CREATES = (("/vendors/a", "1"), ("/vendors/a", "2"), ("/vendors/b", "3"), ("", "4"))


def test_what_an_earlier_version_left_is_put_right(journal: Journal) -> None:
    unsent, sent = entry("t1"), entry("t2")
    for made in (unsent, sent):
        journal.add(made, "w1", at(10.0))
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


def test_an_entry_that_a_failover_lost_writes_nothing_into_the_one_that_has_its_number(
    journal: Journal, store: Store
) -> None:
    """Found: where the number of a lost entry was given out again to the same worker, its steps were written there."""
    lost, other = entry("lost"), entry("other")
    journal.add(lost, "w1", at(10.0))
    with store.transaction():
        store.execute("DELETE FROM journal_branches")
        store.execute("DELETE FROM journal")
    journal.add(other, "w1", at(11.0))
    with store.transaction():
        store.execute("UPDATE journal_branches SET entry = ?", (lost.id,))
        store.execute("UPDATE journal SET id = ?", (lost.id,))
    other.id = lost.id
    with pytest.raises(NotOwnerError):
        journal.begin(lost, 0, "try", "w1", at(12.0))
    with pytest.raises(NotOwnerError):
        journal.save(lost, "w1", 0)
    assert journal.begin(other, 0, "try", "w1", at(12.0)) == "begun"
