"""The map lies beside a store that is a file, and else in a folder that nobody else may write into."""

import tempfile
from pathlib import Path

import pytest

from shardgate.core.hosts import PostgresUrl
from shardgate.store.map_place import map_path

PLACE = PostgresUrl("postgresql://me:secret@db.example/shop")


def test_of_a_file_it_is_beside_it(tmp_path: Path) -> None:
    assert map_path(tmp_path / "directory.db") == tmp_path / "directory.db.map"


def test_of_another_machine_it_is_in_a_private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = map_path(PLACE)
    assert path is not None
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert map_path(PLACE) == path
    assert map_path(PostgresUrl("postgresql://me:other@db.example/shop")) == path  # a new password is no new store
    assert map_path(PostgresUrl("postgresql://me:secret@db.example/other")) != path


@pytest.mark.parametrize("mode", [0o777, 0o750])
def test_a_folder_of_others_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = map_path(PLACE)
    assert path is not None
    path.parent.chmod(mode)
    assert map_path(PLACE) is None


def test_a_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = map_path(PLACE)
    assert path is not None
    path.parent.rename(tmp_path / "theirs")
    path.parent.symlink_to(tmp_path / "theirs")
    assert map_path(PLACE) is None
