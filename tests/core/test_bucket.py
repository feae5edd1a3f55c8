"""A token bucket: some at once, then so many a second, by the time that each call says."""

from shardgate.core.bucket import Bucket


def test_some_at_once_then_so_many_a_second() -> None:
    bucket = Bucket(burst=3, per_s=2.0, now_s=100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s(100.0) == 0.5
    assert not bucket.take(100.4)
    assert bucket.take(100.5)


def test_it_holds_no_more_than_the_burst_however_long_nothing_was_taken() -> None:
    bucket = Bucket(burst=2, per_s=1.0, now_s=0.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]
    assert not bucket.is_full(1001.0)
    assert bucket.is_full(1002.0)


def test_a_token_that_was_given_back_can_be_taken_again() -> None:
    bucket = Bucket(burst=1, per_s=1.0, now_s=0.0)
    assert bucket.take(0.0)
    bucket.give_back()
    bucket.give_back()
    assert [bucket.take(0.0) for _ in range(2)] == [True, False]
