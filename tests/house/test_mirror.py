"""The tests of a module stand at its path: src/shardgate/store/leases.py has tests/store/test_leases.py.

Tests of the whole gateway over sockets stand in tests/served.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("clients", "observe", "store")


def modules(room: str) -> set[str]:
    return {file.stem for file in (ROOT / "src/shardgate" / room).glob("*.py")} - {"__init__"}


def covered(room: str) -> set[str]:
    return {file.stem.removeprefix("test_") for file in (ROOT / "tests" / room).glob("test_*.py")}


@pytest.mark.parametrize("room", ROOMS)
def test_each_module_has_its_tests_and_each_test_its_module(room: str) -> None:
    assert modules(room)
    assert covered(room) == modules(room)
