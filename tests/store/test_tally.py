"""The tally: several processes count at once, and together admit no call beyond the quota."""

import os

import pytest

from shardgate.core.errors import OverloadError
from shardgate.store.tally import NAME_BYTES_MAX, SPENT, UNSEEN, Tally

NAME = b"2026-11 one"


def test_a_name_is_counted_up_to_its_limit() -> None:
    tally = Tally()
    assert tally.count(NAME, 9) == UNSEEN
    tally.add(NAME, 7)
    tally.add(NAME, 3)  # another worker was first
    assert [tally.count(NAME, 9) for _ in range(4)] == [8, 9, SPENT, SPENT]
    assert tally.count(NAME, 11) == 10  # the quota was raised


def test_processes_that_count_at_once_let_through_just_as_many_as_there_are() -> None:
    tally, limit, processes = Tally(), 20_000, 4
    reader, writer = os.pipe()
    children = []
    for number in range(processes):
        children.append(os.fork())
        if children[-1] == 0:
            passed = 0
            for _ in range(limit // 2):
                made = tally.count(NAME, limit)
                if made == UNSEEN:
                    tally.add(NAME, 0)
                    made = tally.count(NAME, limit)
                passed += made != SPENT
            os.write(writer, b"%d %d\n" % (number, passed))
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        passed = [int(line.split()[1]) for line in lines]
    assert len(passed) == processes
    assert sum(passed) == limit
    assert tally.take() == [(NAME, limit)]


def test_a_worker_that_is_killed_with_the_lock_holds_up_nobody() -> None:
    tally = Tally()
    tally.add(NAME, 0)
    if (child := os.fork()) == 0:
        import fcntl

        fcntl.lockf(tally._lock, fcntl.LOCK_EX)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert tally.count(NAME, 9) == 1


def test_what_is_taken_is_written_down_once_and_the_sum_of_other_gateways_is_learned() -> None:
    tally = Tally()
    tally.add(NAME, 10)
    for _ in range(3):
        tally.count(NAME, 100)
    assert (tally.take(), tally.take()) == ([(NAME, 3)], [])
    tally.count(NAME, 100)
    tally.settle(NAME, 50)  # the store knows of 37 more, of another gateway
    assert tally.count(NAME, 100) == 52
    ((_, taken),) = tally.take()
    assert taken == 2
    tally.give_back(NAME, taken)  # the disk is full
    assert tally.take() == [(NAME, 2)]
    assert tally.count(NAME, 100) == 53


def test_a_sum_that_lacks_what_another_worker_writes_just_now_takes_nothing_back() -> None:
    tally = Tally()
    tally.add(NAME, 10)
    tally.count(NAME, 100)
    tally.take()
    tally.settle(NAME, 3)
    assert tally.count(NAME, 100) == 12


def test_there_is_room_again_where_the_store_knows_all() -> None:
    tally = Tally(rows_max=3)
    for number in range(3):
        tally.add(b"2026-11 %d" % number, number)
    tally.count(b"2026-11 1", 99)
    tally.add(b"2026-11 new", 5)
    assert tally.count(b"2026-11 0", 99) == UNSEEN  # the store has it
    assert (tally.count(b"2026-11 1", 99), tally.count(b"2026-11 new", 99)) == (3, 6)
    tally.add(b"2026-11 0", 0)
    tally.count(b"2026-11 0", 99)
    with pytest.raises(OverloadError):
        tally.add(b"2026-11 more", 0)


def test_another_process_sees_that_rows_have_moved() -> None:
    tally = Tally(rows_max=2)
    tally.add(b"a", 0)
    tally.add(b"b", 10)
    assert tally.count(b"b", 99) == 11
    if (child := os.fork()) == 0:
        tally.add(b"c", 20)  # a is left out, b moves to its place
        os._exit(tally.count(b"c", 99))
    _, status = os.waitpid(child, 0)  # not wait: other tests may have children of their own
    assert os.waitstatus_to_exitcode(status) == 21
    assert (tally.count(b"b", 99), tally.count(b"c", 99), tally.count(b"a", 99)) == (12, 22, UNSEEN)


def test_the_longest_name_fits() -> None:
    tally, longest = Tally(), b"x" * NAME_BYTES_MAX
    tally.add(longest, 1)
    tally.add(b"y", 5)
    assert (tally.count(longest, 9), tally.count(b"y", 9), tally.take()) == (2, 6, [(longest, 1), (b"y", 1)])
