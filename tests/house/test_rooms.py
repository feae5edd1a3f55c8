"""The picture of the rooms in ARCHITECTURE.md is what the import contracts hold, and its paths are there."""

import re

import pytest

from tests.house.picture import ARCHITECTURE, LINES_MAX, ROOT, WIDTH_MAX, drawn, layers, picture, sentence


def test_the_picture_is_the_contracts() -> None:
    assert picture() == drawn(), "draw it anew: python -m tests.house.picture"


def test_the_picture_fits_one_screen() -> None:
    lines = drawn().splitlines()
    assert len(lines) <= LINES_MAX
    assert max(map(len, lines)) <= WIDTH_MAX


@pytest.mark.parametrize("container", ["shardgate", "shardgate.core"])
def test_every_room_of_the_contracts_is_there_and_says_what_it_is_for(container: str) -> None:
    folder = ROOT / "src" / container.replace(".", "/")
    there = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    named = {room for floor in layers(container) for room in floor}
    assert named == {room for room in there if not room.startswith("__")}
    assert all(sentence(f"{container}.{room}") for room in named)


def test_every_path_is_there() -> None:
    paths = set(re.findall(r"`([a-z_]+/[\w/]*(?:\.\w+|/)?)`", ARCHITECTURE.read_text()))
    assert len(paths) > 50
    homes = [ROOT, ROOT / "src" / "shardgate"]
    assert [path for path in sorted(paths) if not any((home / path).exists() for home in homes)] == []
