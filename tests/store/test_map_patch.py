"""A map that is brought up to date says what one that is made anew would say."""

from pathlib import Path

from shardgate.store.directory_map import DirectoryMap
from shardgate.store.map_patch import patch_map
from shardgate.store.map_writer import write_map


def test_keys_are_added_moved_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "map"
    names: dict[bytes, str] = {f"key{number}".encode(): f"s{number % 3}" for number in range(4_000)}
    write_map(path, names.items, 1, 11, [])
    changes: dict[bytes, str | None] = {f"key{number}".encode(): "s9" for number in range(0, 4_000, 11)}
    changes |= {f"key{number}".encode(): None for number in range(5, 4_000, 101)}
    changes |= {f"new{number}".encode(): "s1" for number in range(500)}
    assert patch_map(DirectoryMap(path), changes, 2, 22)
    of = DirectoryMap(path)
    wanted = {name: value for name, value in {**names, **changes}.items() if value is not None}
    assert {name: of.find(name) for name in {**names, **changes}} == {**dict.fromkeys({**names, **changes}), **wanted}
    assert (of.header.epoch, of.header.token, of.header.entries) == (2, 22, len(wanted))


def test_more_shards_than_it_has_room_for_need_a_new_map(tmp_path: Path) -> None:
    path = tmp_path / "map"
    write_map(path, lambda: [(b"a", "north")], 1, 11, [])
    assert not patch_map(DirectoryMap(path), {f"{number}".encode(): f"s{number}" for number in range(300)}, 2, 2)
    assert DirectoryMap(path).header.epoch == 1


def test_buckets_that_grow_too_large_need_a_new_map(tmp_path: Path) -> None:
    path = tmp_path / "map"
    write_map(path, lambda: [(b"a", "north")], 1, 11, [])
    assert not patch_map(DirectoryMap(path), {f"{number}".encode(): "north" for number in range(64 * 400)}, 2, 2)
