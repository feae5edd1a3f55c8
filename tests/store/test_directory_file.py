"""The directory as a CSV file. What the command says of it is in tests/cli/test_d9_directory.py."""

from io import StringIO

import pytest

from shardgate.store.directory_file import DirectoryFileError, read_csv, store_entries, write_csv
from shardgate.store.sqlite import SqliteStore, StoreError


def test_a_column_names_the_space_of_each_line() -> None:
    entries = read_csv(StringIO("shard,space,key\nnorth,vendors,a\nsouth,schools,a\n"), None, ())
    assert entries == {("vendors", "a"): "north", ("schools", "a"): "south"}


def test_without_a_space_the_header_must_name_one() -> None:
    with pytest.raises(DirectoryFileError, match="as in space,key,shard"):
        read_csv(StringIO("key,shard\na,north\n"), None, ())


def test_entries_are_stored_all_or_none(tmp_path) -> None:
    with SqliteStore(tmp_path / "d.db") as store:
        assert store_entries(store, {("v", "a"): "north", ("w", "a"): "south"}, replace=False) == (2, 0)
        epoch = store.epoch()
        with pytest.raises(StoreError, match="Nothing was written"):
            store_entries(store, {("v", "b"): "north", ("w", "a"): "north"}, replace=False)
        assert (store.read("v"), store.epoch()) == ({"a": "north"}, epoch)
        written = StringIO()
        assert write_csv(written, store, store.spaces()) == 2
        assert written.getvalue() == "space,key,shard\nv,a,north\nw,a,south\n"
