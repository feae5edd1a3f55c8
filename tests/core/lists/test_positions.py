"""Where pages ended is remembered for all workers, up to a bound, and a slot that is being written is no page."""

from mmap import mmap
from os import _exit, fork, waitpid

import pytest

from shardgate.core.lists.positions import SLOT_BYTES, PagePositions, PageTable, alone, table_bytes

SHARDS = ("north", "south")


def pages(count: int = 16) -> PagePositions:
    return alone(count).at(1, SHARDS)


def test_a_page_is_recalled_by_its_list_and_offset() -> None:
    known = pages()
    known.learn("/events?", 100, {"north": 60, "south": 40})
    assert known.recall("/events?", 100) == {"north": 60, "south": 40}
    assert known.recall("/events?", 200) is None
    assert known.recall("/events?q=a", 100) is None
    known.learn("/events?", 100, {"south": 100})  # north owns nothing that the filters name
    assert known.recall("/events?", 100) == {"south": 100}


def test_another_directory_or_other_shards_have_other_pages() -> None:
    table = alone(16)
    table.at(1, SHARDS).learn("/events?", 100, {"north": 60, "south": 40})
    assert table.at(2, SHARDS).recall("/events?", 100) is None
    assert table.at(1, ("north", "west")).recall("/events?", 100) is None
    assert table.at(1, ("south", "north")).recall("/events?", 100) == {"north": 60, "south": 40}


def test_a_full_table_forgets_the_pages_that_were_written_first() -> None:
    known = pages(4)  # one group
    for offset in range(4):
        known.learn("/events?", offset, {"north": offset})
    known.learn("/events?", 0, {"north": 9})  # what is learned again takes no place
    known.learn("/events?", 4, {"north": 4})
    assert [known.recall("/events?", offset) for offset in range(5)] == [
        {"north": 9},
        None,
        {"north": 2},
        {"north": 3},
        {"north": 4},
    ]


def test_another_process_recalls_what_one_has_learned() -> None:
    table = PageTable(memoryview(mmap(-1, table_bytes(16))))
    child = fork()
    if child == 0:
        table.at(1, SHARDS).learn("/events?", 100, {"north": 60, "south": 40})
        _exit(0)
    waitpid(child, 0)
    assert table.at(1, SHARDS).recall("/events?", 100) == {"north": 60, "south": 40}


@pytest.mark.parametrize("byte", [0, 4, 8, 12, 26, 28])
def test_a_slot_that_is_half_written_is_no_page(byte: int) -> None:
    memory = memoryview(bytearray(table_bytes(4)))
    known = PageTable(memory).at(1, SHARDS)
    known.learn("/events?", 100, {"north": 60, "south": 40})
    for slot in range(SLOT_BYTES, len(memory), SLOT_BYTES):
        memory[slot + byte] ^= 0x41
    assert known.recall("/events?", 100) is None


def test_positions_of_more_shards_than_a_slot_has_room_for_are_not_kept() -> None:
    shards = [f"shard-{number}" for number in range(400)]
    known = alone(16).at(1, shards)
    known.learn("/events?", 100, dict.fromkeys(shards, 100_000))
    assert known.recall("/events?", 100) is None


def test_the_nearest_places_of_a_list_are_found_over_several_stretches_of_it() -> None:
    pages = alone(4096).at(1, ["a", "b"])
    for offset in (700, 6000, 20_000):
        pages.learn("/rows", offset, {"a": offset // 2, "b": offset // 2})
    assert pages.near("/rows", 9000) == ((6000, {"a": 3000, "b": 3000}), (20_000, {"a": 10_000, "b": 10_000}))
    assert pages.near("/rows", 6000)[0] == (6000, {"a": 3000, "b": 3000})
    assert pages.near("/rows", 600) == (None, (700, {"a": 350, "b": 350}))
    assert pages.near("/other", 9000) == (None, None)


def test_a_walker_leaves_places_all_along_its_list_and_the_table_stays_bounded() -> None:
    pages = alone(4096).at(1, ["a", "b", "c"])
    for offset in range(0, 40_000, 30):
        pages.learn("/rows", offset, {"a": offset, "b": 0, "c": 0})
    for offset in range(100, 39_000, 777):
        below, above = pages.near("/rows", offset)
        assert below is not None
        assert above is not None
        assert offset - 500 < below[0] <= offset < above[0] < offset + 500


def test_places_that_led_to_a_wrong_page_are_forgotten_and_others_are_not() -> None:
    pages = alone(4096).at(1, ["a"])
    for offset in (1000, 2000, 3000, 4000):
        pages.learn("/rows", offset, {"a": offset})
    pages.forget("/rows", 2500)
    assert pages.near("/rows", 2500) == ((1000, {"a": 1000}), (4000, {"a": 4000}))


def test_a_hundred_shards_leave_no_places_and_fail_nothing() -> None:
    pages = alone(4096).at(1, [f"s{n}" for n in range(100)])
    pages.learn("/rows", 5000, {f"s{n}": 50 for n in range(100)})
    assert pages.near("/rows", 5100) == (None, None)
