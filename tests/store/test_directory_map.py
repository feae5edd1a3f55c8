"""A map finds the shard of each key, tells keys that it has not, and notices where its file was changed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from shardgate.store.directory_map import DirectoryMap, MapError, key_prefix
from shardgate.store.map_writer import write_map

KEYS = {f"tenant-{number}": f"shard{number % 5}" for number in range(3_000)}
PREFIX = key_prefix("vendors")


def made(folder: Path) -> Path:
    path = folder / "directory.db.map"
    assert write_map(path, lambda: ((PREFIX + key.encode(), shard) for key, shard in KEYS.items()), 7, 8, []) == 3_000
    return path


def test_each_key_is_found_and_no_other(tmp_path: Path) -> None:
    of = DirectoryMap(made(tmp_path))
    assert (of.header.epoch, of.header.token, of.header.entries) == (7, 8, 3_000)
    assert {key: of.find(PREFIX + key.encode()) for key in KEYS} == KEYS
    assert [of.find(PREFIX + f"nobody-{number}".encode()) for number in range(1_000)] == [None] * 1_000
    assert of.find(key_prefix("schools") + b"tenant-1") is None


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = made(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [*tmp_path.iterdir()] == [path]


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.write_bytes(b""), "is not a map"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" * 100), "is not a map"),
        (lambda path: os.truncate(path, path.stat().st_size - 1), "not what its header says"),
        (lambda path: flip(path, 20), "its header"),
        (lambda path: flip(path, 500), "its index|its header"),
    ],
)
def test_a_file_that_is_not_whole_is_not_opened(tmp_path: Path, damage: Callable[[Path], object], problem: str) -> None:
    path = made(tmp_path)
    damage(path)
    with pytest.raises(MapError, match=problem):
        DirectoryMap(path)


@pytest.mark.parametrize("damage", [lambda path: os.truncate(path, 100), lambda path: flip(path, -1)])
def test_a_file_that_is_changed_while_it_is_used_is_noticed(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """A file that is cut short kills a process that has mapped it into memory; one that reads it is told."""
    path = made(tmp_path)
    of = DirectoryMap(path)
    damage(path)
    wrong = {key for key in KEYS if found(of, key) != KEYS[key]}
    assert wrong
    assert {found(of, key) for key in wrong} == {"changed"}
    assert of.is_broken


def found(of: DirectoryMap, key: str) -> str | None:
    try:
        return of.find(PREFIX + key.encode())
    except MapError as error:
        return "changed" if "was changed since it was made" in str(error) else None


def test_a_map_that_is_replaced_goes_on_for_those_that_read_it(tmp_path: Path) -> None:
    path = made(tmp_path)
    old = DirectoryMap(path)
    write_map(path, lambda: [(PREFIX + b"tenant-1", "elsewhere")], 8, 9, [])
    assert old.find(PREFIX + b"tenant-1") == "shard1"
    assert DirectoryMap(path).find(PREFIX + b"tenant-1") == "elsewhere"


def test_no_file_stays_open(tmp_path: Path) -> None:
    path = made(tmp_path)
    before = open_files()
    for _ in range(10):
        DirectoryMap(path)
        with pytest.raises(OSError, match="No such file"):
            DirectoryMap(tmp_path / "nowhere")
    assert open_files() == before


def open_files() -> int:
    """How many files this process has open; 0 where the system does not say it."""
    folder = Path("/proc/self/fd")
    return len([*folder.iterdir()]) if folder.exists() else 0
