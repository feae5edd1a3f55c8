"""Which replica a call is sent to, and what follows from what became of it."""

from collections import Counter

import pytest

from shardgate.core.errors import ShardDownError
from shardgate.core.replicas.group import Group, Replica
from shardgate.core.replicas.settings import HealthCheck, Member, ReplicaGuards


def group_of(*members: Member, zone: str | None = None, check: HealthCheck | None = None, **guards: float) -> Group:
    return Group(members, ReplicaGuards(**guards), check, zone, 0.0)  # type: ignore[arg-type]


def chosen(group: Group, calls: int, now_s: float = 0.0, *, changes: bool = False) -> Counter[int]:
    return Counter(group.first(now_s, changes=changes).index for _ in range(calls))


def leave_out(group: Group, replica: Replica, now_s: float = 0.0) -> None:
    while group.failed(replica, now_s) is None:
        pass


def test_calls_are_spread_over_all_of_them() -> None:
    group = group_of(Member(), Member(), Member(), Member())
    counts = Counter[int]()
    for _ in range(400):
        replica = group.first(0.0, changes=False)
        replica.in_flight += 1
        counts[replica.index] += 1
    assert all(95 <= count <= 105 for count in counts.values()), counts


def test_the_weight_is_a_share() -> None:
    group = group_of(Member(weight=3), Member())
    counts = Counter[int]()
    for _ in range(400):
        replica = group.first(0.0, changes=False)
        replica.in_flight += 1
        counts[replica.index] += 1
    assert 295 <= counts[0] <= 305


def test_a_slow_one_gets_fewer() -> None:
    group = group_of(Member(), Member())
    slow, quick = group.replicas
    for _ in range(50):
        for replica, took_s in ((slow, 0.1), (quick, 0.01)):
            group.answered(replica, took_s, 0.0)
    counts = Counter[int]()
    for _ in range(110):
        replica = group.first(0.0, changes=False)
        replica.in_flight += 1
        counts[replica.index] += 1
    assert 8 <= counts[slow.index] <= 14


def test_one_slow_reply_does_not_keep_a_replica_out_for_ever() -> None:
    # Found: with one call at a time, the replica whose average was higher was never chosen again.
    group = group_of(Member(), Member())
    slow, quick = group.replicas
    for now_s in (0.0, 1.0, 2.0, 3.0, 4.0):
        group.answered(quick, 0.001, now_s)
        if now_s == 0.0:
            group.answered(slow, 5.0, now_s)
        assert chosen(group, 20, now_s) == ({quick.index: 20} if now_s < 3 else {slow.index: 20})


def test_what_is_left_out_gets_no_calls_and_then_a_few() -> None:
    group = group_of(Member(), Member(), left_out_s=5.0)
    leave_out(group, group.replicas[0])
    assert chosen(group, 100) == {1: 100}
    assert chosen(group, 100, 4.9) == {1: 100}
    counts = Counter[int]()
    for _ in range(100):
        replica = group.first(5.0, changes=False)
        replica.in_flight += 1
        counts[replica.index] += 1
    assert 5 <= counts[0] <= 15


def test_changes_go_to_those_that_take_them() -> None:
    group = group_of(Member(takes_changes=False), Member(), Member(takes_changes=False))
    assert chosen(group, 50, changes=True) == {1: 50}
    assert len(chosen(group, 50)) > 1
    leave_out(group, group.replicas[1])
    assert chosen(group, 50, changes=True) == {1: 50}, "there is no other"
    assert group.retry(1 << 1, 1, 0.0, changes=True) is None


def test_those_in_the_own_zone_come_first_and_others_where_there_is_none() -> None:
    group = group_of(Member(zone="a"), Member(zone="b"), Member(zone="b"), zone="a")
    assert chosen(group, 50) == {0: 50}
    leave_out(group, group.replicas[0])
    assert 0 not in chosen(group, 50)


def test_where_most_are_left_out_all_are_asked() -> None:
    group = group_of(*[Member()] * 4, panic_percent=50)
    for replica in group.replicas[:2]:
        leave_out(group, replica)
    assert set(chosen(group, 100)) == {2, 3}
    leave_out(group, group.replicas[2])
    assert set(chosen(group, 100)) == {0, 1, 2, 3}


def test_where_none_can_serve_all_are_asked_unless_the_guards_say_never() -> None:
    # Found: `panic_percent: 0` was read, and all were asked nevertheless.
    for percent, count in ((50, 1), (1, 3), (50, 2)):
        group = group_of(*[Member()] * count, panic_percent=percent)
        for replica in group.replicas:
            leave_out(group, replica)
            assert group.is_asked(replica) or replica is not group.replicas[-1]
        assert set(chosen(group, 20)) == set(range(count))
    for count in (1, 2, 3):
        group = group_of(*[Member()] * count, panic_percent=0, left_out_s=5.0)
        for replica in group.replicas:
            leave_out(group, replica)
            assert not group.is_asked(replica)
        for changes in (False, True):
            with pytest.raises(ShardDownError):
                group.first(0.0, changes=changes)
        assert group.retry(0, 1, 0.0, changes=False) is None
        assert set(chosen(group, 20, 5.0)) == set(range(count)), "each is tried again"


def test_another_weight_changes_shares_and_no_health() -> None:
    group = group_of(Member(), Member(), left_out_s=5.0)
    leave_out(group, group.replicas[0])
    group.alter({"0": Member(weight=9), "1": Member(weight=3)}, 0.0)
    assert chosen(group, 20) == {1: 20}
    group.answered(group.replicas[0], 0.001, 5.0)
    group.look(20.0)
    assert [replica.share for replica in group.replicas] == [9, 3]


def test_a_zone_says_nothing_to_a_gateway_without_one() -> None:
    # Found: replicas with a zone got no call while one without a zone could serve.
    group = group_of(Member(), Member(zone="b"))
    assert set(chosen(group, 20)) == {0, 1}


def test_a_retry_goes_to_one_that_was_not_tried() -> None:
    group = group_of(Member(), Member(), Member(), tries_max=3)
    second = group.retry(0b001, 1, 0.0, changes=False)
    assert second is not None
    assert second.index in {1, 2}
    third = group.retry(0b011, 2, 0.0, changes=False)
    assert third is not None
    assert third.index == 2
    assert group.retry(0b111, 3, 0.0, changes=False) is None
    assert group.retry(0b001, 3, 0.0, changes=False) is None


def test_retries_and_hedges_have_an_allowance_each() -> None:
    group = group_of(Member(), Member(), retry_percent=20, retries_per_s=0.0, hedge_percent=5)
    chosen(group, 100)
    assert [group.retry(1, 1, 0.0, changes=False) for _ in range(30)].count(None) in {10, 11}
    assert [group.hedge(1, 0.0, changes=False) for _ in range(30)].count(None) in {25, 26}


def test_changes_earn_no_hedges() -> None:
    group = group_of(Member(), Member())
    chosen(group, 1000, changes=True)
    assert group.hedge(1, 0.0, changes=False) is None


def test_a_read_is_late_after_the_95th_percentile() -> None:
    group = group_of(Member(), Member(), hedge_after_s=0.01)
    assert group.late_after_s is None
    replica = group.replicas[0]
    for _ in range(100):
        group.answered(replica, 0.001, 0.0)
    assert group.late_after_s == 0.01, "no sooner"
    for _ in range(400):
        group.answered(replica, 0.1, 0.0)
    assert group.late_after_s is not None
    assert 0.1 <= group.late_after_s <= 0.12


def test_a_check_that_fails_takes_it_out() -> None:
    group = group_of(Member(), Member(), check=HealthCheck(path="/readyz", fall=1, rise=1))
    assert group.checked(group.replicas[0], 0.0, is_well=False)
    assert chosen(group, 20) == {1: 20}
    assert group.checked(group.replicas[0], 1.0, is_well=True)
    assert len(chosen(group, 20, 11.0)) == 2


def test_where_all_are_left_out_a_failure_is_retried_at_the_others() -> None:
    """Found: one replica was dead and the other left out for a moment, and a read that met the dead one failed."""
    group = group_of(Member(), Member())
    dead, other = group.replicas
    leave_out(group, other)
    assert group.retry(1 << dead.index, 1, 0.0, changes=False) is None, "the one that is well was tried"
    leave_out(group, dead)
    assert group.retry(1 << dead.index, 1, 0.0, changes=False) is other


def test_a_read_that_meets_a_replica_that_has_just_died_goes_to_one_that_is_left_out() -> None:
    """Found by the law with replicas that are killed: one of two was left out for a moment when the other died, and
    until that was known, reads were refused, though one of them could serve."""
    group = group_of(Member(), Member(), Member())
    dead, left_out, also_dead = group.replicas
    leave_out(group, left_out)
    assert group.retry(1 << dead.index, 1, 0.0, changes=False, no_reply=True) is also_dead
    tried = 1 << dead.index | 1 << also_dead.index
    assert group.retry(tried, 2, 0.0, changes=False, no_reply=True) is left_out
    assert group.retry(tried, 2, 0.0, changes=False) is None, "one of them replied, with a 503 perhaps"
    never = group_of(Member(), Member(), panic_percent=0)
    leave_out(never, never.replicas[1])
    assert never.retry(1, 1, 0.0, changes=False, no_reply=True) is None


def test_of_a_replica_with_many_replies_every_fifth_is_measured_and_of_one_with_few_each() -> None:
    busy, idle = Member(), Member()
    group = Group((busy, idle), ReplicaGuards(), None, None, 0.0)
    one, other = group.replicas
    for _ in range(101):
        group.answered(one, 0.01, 0.5)
    group.answered(other, 0.1, 0.5)
    group.look(1.0)
    assert (one.measured_every, other.measured_every) == (5, 1)
    for _ in range(21):
        group.answered(one, 0.01, 1.5)
    group.look(2.0)
    assert one.measured_every == 5, "21 that were measured stand for 105"
    group.look(3.0)
    assert one.measured_every == 1
