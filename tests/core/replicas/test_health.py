"""Whether a replica is asked: what its calls and its health checks make of it."""

from shardgate.core.replicas.health import SLOW_START_SHARE, Health
from shardgate.core.replicas.settings import HealthCheck, ReplicaGuards

GUARDS = ReplicaGuards(failures_max=3, left_out_s=5, left_out_s_max=15, slow_start_s=10)


def test_failures_in_a_row_leave_it_out_for_a_time() -> None:
    health = Health(GUARDS)
    assert [health.failed(0.0), health.failed(0.0), health.failed(0.0)] == [None, None, 5]
    assert not health.may_serve(4.9)
    assert health.may_serve(5.0)


def test_a_reply_between_failures_begins_the_count_anew() -> None:
    health = Health(GUARDS)
    for _ in range(10):
        health.failed(0.0)
        health.failed(0.0)
        health.answered(0.0)
    assert health.may_serve(0.0)


def test_on_trial_one_failure_is_enough_and_the_time_doubles_up_to_its_bound() -> None:
    health = Health(GUARDS)
    for _ in range(3):
        health.failed(0.0)
    assert [health.failed(5.0), health.failed(15.0), health.failed(30.0)] == [10, 15, 15]


def test_a_reply_on_trial_brings_it_back_and_forgets_how_often_it_was_left_out() -> None:
    health = Health(GUARDS)
    for _ in range(3):
        health.failed(0.0)
    assert not health.answered(4.0), "a reply to a call from before it was left out"
    assert health.answered(5.0)
    assert [health.failed(6.0), health.failed(6.0), health.failed(6.0)] == [None, None, 5]


def test_what_returns_starts_slowly() -> None:
    health = Health(GUARDS)
    assert health.weight(0.0) == 1
    for _ in range(3):
        health.failed(0.0)
    assert [health.weight(5.0), health.weight(10.0), health.weight(15.0)] == [SLOW_START_SHARE, 0.5, 1.0]


def test_checks_decide_beside_the_calls() -> None:
    health = Health(GUARDS, HealthCheck(path="/readyz", fall=2, rise=2))
    assert not health.checked(0.0, is_well=True)
    assert not health.checked(0.0, is_well=False)
    assert health.checked(1.0, is_well=False)
    health.answered(1.0)
    assert not health.may_serve(1.0), "it answers, and says that it is not ready"
    assert not health.checked(2.0, is_well=True)
    assert not health.checked(3.0, is_well=False)
    assert not health.checked(4.0, is_well=True)
    assert health.checked(5.0, is_well=True)
    assert health.may_serve(5.0)
    assert health.weight(5.0) == SLOW_START_SHARE


def test_a_check_that_passes_ends_the_time_that_calls_left_it_out_for() -> None:
    health = Health(GUARDS, HealthCheck(path="/readyz", fall=1, rise=1))
    for _ in range(3):
        health.failed(0.0)
    health.checked(0.1, is_well=False)
    health.checked(0.2, is_well=True)
    assert health.may_serve(0.2)


def test_the_first_check_decides_alone() -> None:
    """Found: each new worker of a reload sent calls to a replica that hung, until two checks had failed."""
    health = Health(GUARDS, HealthCheck(path="/readyz", fall=2, rise=2))
    assert health.checked(0.0, is_well=False)
    assert not health.may_serve(0.0)
    assert not health.checked(1.0, is_well=True)
    assert health.checked(2.0, is_well=True)


def broken_reply(health: Health, now_s: float) -> float | None:
    """It begins, and breaks off."""
    health.answered(now_s)
    return health.failed(now_s, broke_off=True)


def test_replies_that_break_off_leave_it_out_though_their_heads_came() -> None:
    """Found: each head began the count of failures anew, so that such a replica was asked for ever."""
    health = Health(GUARDS)
    assert [broken_reply(health, 0.0) for _ in range(3)] == [None, None, 5]
    assert not health.may_serve(4.9)
    assert health.answered(5.0)
    assert health.failed(5.0, broke_off=True) == 10, "back from that, the first one is enough"


def test_a_reply_that_breaks_off_now_and_then_says_nothing() -> None:
    health = Health(GUARDS)
    for _ in range(100):
        assert broken_reply(health, 0.0) is None
        for _ in range(4):
            health.answered(0.0)
    assert health.may_serve(0.0)


def test_many_whole_replies_forget_those_that_broke_off() -> None:
    health = Health(GUARDS)
    for _ in range(3):
        broken_reply(health, 0.0)
    for _ in range(12):
        health.answered(5.0)
    assert not health.has_failed
    assert [broken_reply(health, 6.0) for _ in range(3)] == [None, None, 5]


def test_a_route_may_say_how_many_failures_are_enough() -> None:
    health = Health(ReplicaGuards(failures_max=5))
    assert [health.failed(0.0), health.failed(0.0, enough=3), health.failed(0.0, enough=3)] == [None, None, 5]
    health = Health(ReplicaGuards(failures_max=2))
    assert [health.failed(0.0, enough=9), health.failed(0.0, enough=9), health.failed(0.0)] == [None, None, 5]
