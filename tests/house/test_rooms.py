"""ARCHITECTURE.md's picture of the rooms is what the import contracts hold, and fits one screen."""

import pytest

from tests.house.picture import LINES_MAX, ROOT, WIDTH_MAX, drawn, layers, picture, sentence


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
