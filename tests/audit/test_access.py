"""Who may read a file, by mode, owner and folder."""

import os
from pathlib import Path

import pytest

from shardgate.audit.access import anybody_may_change, exposure, open_folders

OWN = os.geteuid()
AS_ROOT = pytest.mark.skipif(OWN != 0, reason="only root can give files away")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "secret"
    found.write_text("x")
    return found


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_for_its_owner_alone(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert exposure(file) == ""


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o644, "can be read by everybody (mode 0644)"),
        (0o640, "can be read by its group (mode 0640)"),
        (0o620, "can be changed by its group (mode 0620)"),
        (0o666, "can be changed by everybody (mode 0666)"),
        (0o604, "can be read by everybody (mode 0604)"),
        (0o601, "can be read by everybody (mode 0601)"),
    ],
)
def test_a_file_that_others_may_use(file: Path, mode: int, said: str) -> None:
    file.chmod(mode)
    assert exposure(file) == said


@AS_ROOT
@pytest.mark.parametrize(
    ("mode", "said"), [(0o640, ""), (0o440, ""), (0o644, "can be read by everybody (mode 0644)"), (0o660, "its group")]
)
def test_a_file_of_root_may_be_read_by_the_group_of_another_user(file: Path, mode: int, said: str) -> None:
    file.chmod(mode)
    found = exposure(file, own=1000)
    assert said in found
    assert bool(said) == bool(found)


@AS_ROOT
def test_a_file_of_another_user(file: Path) -> None:
    os.chown(file, 1234, -1)
    file.chmod(0o600)
    assert exposure(file, own=1000) == "belongs to another user (uid 1234)"


def test_what_a_link_leads_to_counts(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file)
    file.chmod(0o644)
    assert exposure(tmp_path / "link") == "can be read by everybody (mode 0644)"
    file.chmod(0o600)
    assert exposure(tmp_path / "link") == ""
    assert exposure(tmp_path / "nothing") == ""


def test_anybody_may_change(file: Path, tmp_path: Path) -> None:
    file.chmod(0o664)
    assert not anybody_may_change(file)
    file.chmod(0o602)
    assert anybody_may_change(file)
    assert not anybody_may_change(tmp_path / "nothing")


def test_folders_in_which_a_file_can_be_replaced(tmp_path: Path) -> None:
    above = tmp_path / "above"
    file = above / "own" / "file"
    file.parent.mkdir(parents=True)
    assert list(open_folders(file, shared=True)) == []
    above.chmod(0o777)
    assert list(open_folders(file, shared=False)) == [above]
    above.chmod(0o1777)
    assert list(open_folders(file, shared=True)) == []


def test_the_sticky_bit_does_not_help_where_files_beside_are_trusted(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    assert list(open_folders(folder / "store.db", shared=True)) == [folder]
    assert list(open_folders(folder / "key.pem", shared=False)) == []


def test_the_folders_of_both_ends_of_a_link_are_looked_at(tmp_path: Path) -> None:
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    (tmp_path / "to" / "file").write_text("x")
    (tmp_path / "from" / "file").symlink_to(tmp_path / "to" / "file")
    for name in ("from", "to"):
        (tmp_path / name).chmod(0o777)
        assert list(open_folders(tmp_path / "from" / "file", shared=False)) == [tmp_path / name]
        (tmp_path / name).chmod(0o755)
