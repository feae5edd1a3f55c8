"""The file of a map: entries in any order, any number of values, and two keys that have one digest."""

from pathlib import Path

import pytest

from shardgate.store import directory_map, map_writer
from shardgate.store.directory_map import DIGEST_BYTES, DirectoryMap, key_prefix
from shardgate.store.map_writer import DISPUTED, EQUAL, EQUALS, write_map


@pytest.mark.parametrize("count", [0, 1, 63, 5_000])
def test_any_number_of_keys(tmp_path: Path, count: int) -> None:
    path = tmp_path / "map"
    names = {f"{number * 7919 % 5_003}".encode(): f"s{number % 3}" for number in range(count)}
    assert write_map(path, names.items, 1, None, []) == count
    of = DirectoryMap(path)
    assert {name: of.find(name) for name in names} == names


@pytest.mark.parametrize("values", [256, 257, 1_000])
def test_any_number_of_shards(tmp_path: Path, values: int) -> None:
    path = tmp_path / "map"
    names = {f"key{number}".encode(): f"shard{number % values}" for number in range(2_000)}
    write_map(path, names.items, 1, 1, [])
    of = DirectoryMap(path)
    assert of.header.value_bytes == (1 if values == 256 else 4)
    assert {name: of.find(name) for name in names} == names


def test_two_keys_with_one_digest_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is made again with another salt, by which they differ."""
    salts = []

    def weak(name: bytes, salt: bytes) -> bytes:
        if salt not in salts:
            salts.append(salt)
        sound = directory_map.digest_of(name, salt)
        return bytes(DIGEST_BYTES) if salts.index(salt) < 2 and name in {b"a", b"b"} else sound

    monkeypatch.setattr(map_writer, "digest_of", weak)
    path = tmp_path / "map"
    write_map(path, lambda: [(b"a", "north"), (b"b", "south"), (b"c", "north")], 1, 1, [])
    of = DirectoryMap(path)
    assert (len(salts), of.find(b"a"), of.find(b"b"), of.find(b"c")) == (3, "north", "south", "north")


def test_spellings_of_equal_keys_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "map"
    entries = [(b"one", EQUAL + "n"), (b"all", EQUAL + "n"), (b"all", EQUAL + "n"), (b"all", EQUAL + "n")]
    entries += [(b"both", EQUAL + "n"), (b"both", EQUAL + "s"), (b"both", EQUAL + "s"), (key_prefix("v") + b"k", "n")]
    assert write_map(path, lambda: entries, 1, 1, [("v", "integer")]) == 4
    of = DirectoryMap(path)
    assert [of.find(name) for name in (b"one", b"all", b"both")] == [EQUAL + "n", EQUALS + "n", DISPUTED]


def test_what_fails_leaves_nothing_and_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "map"
    write_map(path, lambda: [(b"a", "north")], 1, 1, [])

    def broken():
        yield b"a", "south"
        raise RuntimeError("the store went away")

    with pytest.raises(RuntimeError):
        write_map(path, broken, 2, 2, [])
    assert DirectoryMap(path).find(b"a") == "north"
    assert [*tmp_path.iterdir()] == [path]
