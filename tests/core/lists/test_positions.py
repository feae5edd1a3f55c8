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
