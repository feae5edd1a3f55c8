"""The table of PoC 1: what its lists are read from."""

from pathlib import Path
from typing import Any

import pytest

from bench.flask_poc.table import Table


def event(id_: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": name, "city": "Lisboa", **more}


def test_a_page_is_sorted_and_ties_are_broken_by_id(tmp_path: Path) -> None:
    table = Table(tmp_path / "copy.db")
    table.write("north", [event("2", "b"), event("1", "b"), event("3", "a")])
    table.write("south", [event("4", "c")])
    assert [row[7:8] for row in table.page(["-name"], {}, 2, 1)] == ["1", "2"]


def test_a_row_is_replaced_and_what_is_gone_is_gone(tmp_path: Path) -> None:
    table = Table(tmp_path / "copy.db")
    table.write("north", [event("1", "a"), event("2", "b")])
    table.write("north", [event("1", "z")], gone=["2"])
    assert table.row("1") == '{"id":"1","name":"z","city":"Lisboa"}'
    assert table.row("2") is None
    assert table.ids("north") == {"1"}


def test_only_known_properties_sort(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a property"):
        Table(tmp_path / "copy.db").page(["name; DROP TABLE events"], {}, 1, 0)
