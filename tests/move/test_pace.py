"""How long a copy rests between two batches."""

from shardgate.move.pace import REST_S_MAX, CopyPace, rest_between_s


def test_a_copy_rests_as_long_as_a_batch_took() -> None:
    pace = CopyPace()
    assert [round(pace.rest_s(0.02, 1000), 3) for _ in range(3)] == [0.02] * 3


def test_it_rests_longer_once_the_shards_are_slower_than_they_were() -> None:
    pace = CopyPace()
    for _ in range(10):
        pace.rest_s(0.02, 1000)
    rests = [pace.rest_s(0.06, 1000) for _ in range(6)]
    assert rests == sorted(rests)
    assert 0.1 < rests[-1] < 0.2


def test_it_goes_on_faster_once_they_are_quick_again() -> None:
    pace = CopyPace()
    for took_s in [0.02] * 5 + [0.1] * 10 + [0.02] * 20:
        rest_s = pace.rest_s(took_s, 1000)
    assert rest_s < 0.025


def test_one_batch_that_waited_rests_no_longer_than_a_second() -> None:
    pace = CopyPace()
    pace.rest_s(0.02, 1000)
    assert pace.rest_s(30.0, 1000) == REST_S_MAX


def test_a_batch_of_a_few_rows_is_no_sign_of_a_slow_shard() -> None:
    pace = CopyPace()
    pace.rest_s(0.02, 1000)
    for _ in range(5):
        assert pace.rest_s(0.01, 3) < 0.02


def test_a_clock_that_stands_still_is_no_error() -> None:
    assert CopyPace().rest_s(0.0, 0) == 0.0


def test_movements_of_a_plan_rest_as_long_as_each_took_and_two_seconds_at_most() -> None:
    assert (rest_between_s(0.3), rest_between_s(60.0)) == (0.3, 2.0)
