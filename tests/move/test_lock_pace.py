"""How long others wait for a lock: the sizes of transactions."""

from shardgate.move.lock_pace import LOCK_S, ROWS_MAX, ROWS_MIN, LockPace


def test_a_transaction_takes_as_many_rows_as_can_be_written_in_its_time() -> None:
    pace = LockPace()
    for _ in range(20):
        pace.rest_s(pace.rows * 20e-6, pace.rows)  # 50,000 rows a second
    assert 400 < pace.rows <= 500


def test_one_transaction_that_took_long_makes_the_next_a_quarter_at_least() -> None:
    pace = LockPace()
    rows = pace.rows
    pace.rest_s(LOCK_S * 100, rows)
    assert pace.rows == rows // 4


def test_the_lock_is_free_for_as_long_as_it_was_held() -> None:
    pace = LockPace()
    assert pace.rest_s(0.03, 100) == 0.03
    assert pace.rest_s(0.001, 100) == 0.003
    assert pace.rest_s(7.0, 100) == 0.05


def test_where_changes_wait_for_the_lock_it_is_free_for_longer() -> None:
    assert LockPace().rest_s(0.01, 100, waited_s=0.04) == 0.04


def test_the_last_rows_of_a_table_do_not_make_transactions_larger() -> None:
    pace = LockPace()
    rows = pace.rows
    pace.rest_s(1e-6, 1)
    assert pace.rows == rows


def test_turns_are_never_too_small_nor_too_large() -> None:
    pace = LockPace()
    for _ in range(20):
        pace.rest_s(1.0, pace.rows)
    assert pace.rows == ROWS_MIN
    for _ in range(20):
        pace.rest_s(0.0, pace.rows)
    assert pace.rows == ROWS_MAX
