"""How many calls may be made beside the first ones."""

from shardgate.core.replicas.allowance import SAVED_MAX, Allowance


def test_a_share_of_the_calls_that_were_counted() -> None:
    allowance = Allowance(20, 0.0, 0.0)
    taken = 0
    for _ in range(1000):
        allowance.count()
        taken += allowance.take(0.0)
    assert taken == 199 or taken == 200


def test_what_is_saved_up_has_a_bound() -> None:
    allowance = Allowance(20, 0.0, 0.0)
    for _ in range(100_000):
        allowance.count()
    assert sum(allowance.take(0.0) for _ in range(1000)) == SAVED_MAX


def test_few_calls_may_be_retried_in_any_case() -> None:
    allowance = Allowance(20, 3.0, 0.0)
    assert [allowance.take(0.0) for _ in range(10)].count(True) == 9
    assert [allowance.take(1.0) for _ in range(10)].count(True) == 3


def test_none_at_all() -> None:
    allowance = Allowance(0, 0.0, 0.0)
    allowance.count()
    assert not allowance.take(100.0)
