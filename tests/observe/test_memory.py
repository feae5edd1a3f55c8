"""Shared memory: each process counts in a slot, and the slots are summed."""

from shardgate.observe.memory import SharedMemory


def test_slots_are_added_up() -> None:
    memory = SharedMemory.roomy(100)
    for number in (0, 1, 7):
        memory.slot(number)[5] += number + 1
    assert memory.total(5) == 11
    assert memory.total(6) == 0
