"""How many requests are taken on while there are more than can be answered."""

from shardgate.core.clients.crowd import LAG_S_MAX
from shardgate.core.clients.shedding import GATHERS_MIN, Shedding

LATE = 2 * LAG_S_MAX


def test_a_hiccup_refuses_nobody() -> None:
    shedding = Shedding(10_000)
    for _ in range(10):
        shedding.look(LATE, 5000)
        shedding.look(0.0, 5000)
    assert (shedding.gathers_max, shedding.in_flight_max) == (10_000, 10_000)


def test_less_is_taken_on_until_the_loop_keeps_up_and_then_more_until_it_does_not() -> None:
    shedding = Shedding(10_000)
    looks = []
    for _ in range(6):
        shedding.look(LATE, 800)
        looks.append(shedding.gathers_max)
    assert looks == [10_000, 600, 450, 337, 252, 189]
    assert shedding.in_flight_max == 378, "lists are refused first"
    shedding.look(0.0, 150)
    assert shedding.gathers_max == 212
    for _ in range(60):
        shedding.look(0.0, 150)
    assert not shedding.is_shedding


def test_an_overload_that_is_over_refuses_nobody_more() -> None:
    # Found: after a burst of work, lists were refused for ten seconds in which there was little to do.
    shedding = Shedding(10_000)
    for _ in range(50):
        shedding.look(LATE, 500)
    shedding.look(0.0, GATHERS_MIN // 2)
    assert shedding.is_shedding, "what is under way may be what was taken on"
    shedding.look(0.0, 20)
    assert not shedding.is_shedding


def test_so_much_as_keeps_a_worker_busy_is_always_taken_on() -> None:
    shedding = Shedding(10_000)
    for _ in range(50):
        shedding.look(LATE, 3)
    assert shedding.gathers_max == GATHERS_MIN


def test_a_bound_of_the_configuration_is_never_exceeded() -> None:
    shedding = Shedding(10)
    for lag_s in [LATE] * 9 + [0.0] * 9:
        shedding.look(lag_s, 10)
        assert shedding.gathers_max <= shedding.in_flight_max <= 10


def test_overload_with_a_constant_cost_is_answered_at_full_capacity_and_soon() -> None:
    """A worker that does 1,000 requests a second is asked for 3,000: all of its work is done for requests that it
    answers within a second."""
    shedding, under_way, answered, waits = Shedding(10_000), 0, 0, []
    for _ in range(80):
        came = 750
        taken = max(0, min(came, shedding.gathers_max - under_way))
        # What comes while a quarter of a second passes is taken on as places become free.
        done = min(250, under_way + came)
        under_way = min(under_way + came - done, max(shedding.gathers_max, under_way + taken - done))
        answered += done
        waits.append(under_way / 1000)
        shedding.look(under_way / 1000, under_way)
    assert answered == 80 * 250
    assert max(waits[20:]) < 0.3
