"""The directory as a CSV file. What the command says of it is in tests/cli/test_d9_directory.py."""

import tracemalloc
from io import StringIO

import pytest

from shardgate.store.directory_entries import Entries
from shardgate.store.directory_file import DirectoryFileError, read_csv, store_entries, write_csv
from shardgate.store.directory_table import LOGGED_AT_ONCE_MAX
from shardgate.store.sqlite import SqliteStore, StoreError


def test_a_column_names_the_space_of_each_line() -> None:
    entries = read_csv(StringIO("shard,space,key\nnorth,vendors,a\nsouth,schools,a\n"), None, ())
    assert (len(entries), entries.spaces()) == (2, ("schools", "vendors"))
    assert {space: [*entries.of(space)] for space in entries.spaces()} == {
        "vendors": [("a", "north")],
        "schools": [("a", "south")],
    }


def test_without_a_space_the_header_must_name_one() -> None:
    with pytest.raises(DirectoryFileError, match="as in space,key,shard"):
        read_csv(StringIO("key,shard\na,north\n"), None, ())


def entries(*lines: str) -> Entries:
    """The entries of a file with these lines."""
    return read_csv(StringIO("\n".join(["space,key,shard", *lines, ""])), None, ())


def test_many_entries_are_read_and_stored_in_little_memory(tmp_path) -> None:
    """Found: an import held all its keys in dicts, and those of the store, too."""
    count = 100_000
    with SqliteStore(tmp_path / "d.db") as store:
        store.put_many("v", [("k5", "north")])
        lines = StringIO("key,shard\n" + "".join(f"k{number},north\n" for number in range(count)))
        tracemalloc.start()
        try:
            stored = store_entries(store, read_csv(lines, "v", ()), replace=False)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert stored == (count - 1, 0)
        assert store.counts() == {"v": {"north": count}}
    assert peak < 100 * LOGGED_AT_ONCE_MAX + 4 * 1024 * 1024


def test_entries_are_stored_all_or_none(tmp_path) -> None:
    with SqliteStore(tmp_path / "d.db") as store:
        assert store_entries(store, entries("v,a,north", "w,a,south"), replace=False) == (2, 0)
        epoch = store.epoch()
        with pytest.raises(StoreError, match="Nothing was written"):
            store_entries(store, entries("v,b,north", "w,a,north"), replace=False)
        assert (store.read("v"), store.epoch()) == ({"a": "north"}, epoch)
        written = StringIO()
        assert write_csv(written, store, store.spaces()) == 2
        assert written.getvalue() == "space,key,shard\nv,a,north\nw,a,south\n"
