"""Which replicas DNS says there are, answer by answer."""

from shardgate.core.limits import (
    DISCOVERED_MAX,
    DISCOVERY_AGAIN_S,
    DISCOVERY_AGAIN_S_MAX,
    DISCOVERY_PART_OF,
    NAME_GONE_S,
)
from shardgate.core.replicas.membership import Answer, FoundReplica, Membership


def hosts(*numbers: int) -> Answer:
    return Answer([FoundReplica(f"10.0.0.{number}", 80) for number in numbers], 5.0)


def known(membership: Membership) -> list[int]:
    return sorted(int(host.rpartition(".")[2]) for host, _ in membership.places)


def test_an_answer_says_who_joins_and_who_leaves() -> None:
    membership = Membership()
    first = membership.answer(hosts(1, 2), 0.0)
    assert first is not None
    assert [one.host for one in first.joined] == ["10.0.0.1", "10.0.0.2"]
    second = membership.answer(hosts(2, 3), 1.0)
    assert second is not None
    assert [one.host for one in second.joined] == ["10.0.0.3"]
    assert second.left == {("10.0.0.1", 80)}
    same = membership.answer(hosts(3, 2), 2.0)
    assert same is not None
    assert not same.joined
    assert not same.left


def test_an_empty_answer_changes_nothing() -> None:
    membership = Membership()
    membership.answer(hosts(1, 2), 0.0)
    assert membership.answer(Answer([], 5.0), 1.0) is None
    assert known(membership) == [1, 2]


def test_a_family_that_was_not_answered_for_stays() -> None:
    membership = Membership()
    membership.answer(Answer([FoundReplica("10.0.0.1", 80), FoundReplica("fd00::1", 80)], 5.0), 0.0)
    change = membership.answer(Answer([FoundReplica("10.0.0.2", 80)], 5.0, [True]), 1.0)
    assert change is not None
    assert change.left == {("10.0.0.1", 80)}
    assert set(membership.places) == {("10.0.0.2", 80), ("fd00::1", 80)}


def test_of_many_an_answer_may_be_a_part() -> None:
    membership = Membership()
    membership.answer(hosts(*range(DISCOVERY_PART_OF)), 0.0)
    membership.answer(hosts(*range(1, DISCOVERY_PART_OF + 1)), 5.0)
    assert known(membership) == [*range(DISCOVERY_PART_OF + 1)]
    membership.answer(hosts(*range(1, DISCOVERY_PART_OF + 1)), NAME_GONE_S)
    assert known(membership) == [*range(1, DISCOVERY_PART_OF + 1)], "it was missing for long"


def test_there_is_a_bound_and_those_that_are_known_stay_within_it() -> None:
    membership = Membership()
    membership.answer(hosts(200), 0.0)
    change = membership.answer(hosts(*range(100), 200), 100.0)
    assert change is not None
    assert change.too_many == 101 - DISCOVERED_MAX
    assert len(membership.places) == DISCOVERED_MAX
    assert 200 in known(membership)


def test_one_that_has_another_weight_stays() -> None:
    # Found: it left and joined anew, so that its connections were closed, and what was known of its health was lost.
    membership = Membership()
    membership.answer(hosts(1, 2), 0.0)
    change = membership.answer(Answer([FoundReplica("10.0.0.1", 80, weight=3.0)], 5.0), 1.0)
    assert change is not None
    assert (change.joined, change.left) == ([], {("10.0.0.2", 80)})
    assert [one.weight for one in change.altered] == [3.0]
    change = membership.answer(Answer([FoundReplica("10.0.0.1", 80, weight=3.0)], 5.0), 2.0)
    assert change is not None
    assert (change.joined, change.left, change.altered) == ([], set(), [])


def test_dns_is_asked_again_when_the_answer_holds_no_longer_and_sooner_after_a_failure() -> None:
    membership = Membership()
    assert membership.again_s(0.0) == DISCOVERY_AGAIN_S
    assert membership.again_s(5.0) == 5.0
    assert membership.again_s(86400.0) == DISCOVERY_AGAIN_S_MAX
    assert [membership.again_s(None) for _ in range(4)] == [1.0, 2.0, 4.0, 8.0]
    assert [membership.again_s(None) for _ in range(9)][-1] == DISCOVERY_AGAIN_S_MAX
    membership.answer(hosts(1), 0.0)
    assert membership.again_s(None) == 1.0
