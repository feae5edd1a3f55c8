"""What was created is taken away, the last first; and what is left over is found in the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api_tests.undoing import Ledger, counted, left_over, take_away


class Platform:
    """Answers calls as it was told, and keeps them."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def ask(self, operation: str, path: Mapping[str, str], _body: Any, _role: str) -> tuple[int, Any]:
        self.asked.append((operation, path))
        return self.answers.pop(0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "made.jsonl"


def test_the_last_goes_first_and_the_first_are_kept(file: Path) -> None:
    ledger, platform = Ledger(file), Platform((204, None), (200, {}))
    for name in ("a", "b"):
        ledger.note("create_event", {}, {"id": name}, "whole")
    ledger.note("create_coupon", {"vendor_id": "v"}, {"id": "c"}, "whole")
    platform.answers.reverse()
    assert ledger.undo(platform.ask, keep=1) == []
    assert platform.asked == [
        ("change_coupon", {"vendor_id": "v", "coupon_id": "c"}),
        ("delete_event", {"event_id": "b"}),
    ]
    assert len(ledger) == 1
    assert counted([file]) == {"made": 3, "made inactive": 1, "deleted": 1}


def test_an_event_that_cannot_be_deleted_is_made_inactive(file: Path) -> None:
    ledger, platform = Ledger(file), Platform((409, {}), (200, {}))
    ledger.note("create_event", {}, {"id": "a"}, "whole")
    assert ledger.undo(platform.ask) == []
    assert [operation for operation, _ in platform.asked] == ["delete_event", "change_event"]


def test_what_cannot_be_undone_is_said_and_stays_in_the_file(file: Path) -> None:
    ledger = Ledger(file)
    ledger.note("create_category", {}, {"id": "a"}, "whole")
    [said] = ledger.undo(Platform((401, {})).ask)
    assert "could not be undone" in said
    [(found, [thing])] = left_over([file])
    assert (found, thing.path) == (file, {"category_id": "a"})
    assert take_away(thing, Platform((204, None)).ask, file)
    assert list(left_over([file])) == []


@pytest.mark.parametrize(("error", "gone"), [("UNPROCESSABLE_ENTITY", True), ("UNAUTHORIZED", False)])
def test_a_refusal_of_octo_counts_only_where_the_booking_has_ended(file: Path, error: str, gone: bool) -> None:
    ledger = Ledger(file)
    ledger.note("octo_reserve_booking", {}, {"uuid": "u"}, "whole")
    assert (ledger.undo(Platform((400, {"error": error})).ask) == []) is gone


def test_what_needs_no_undoing_is_not_noted(file: Path) -> None:
    ledger = Ledger(file)
    ledger.note("create_order_payment", {"order_id": "o"}, {"id": "p"}, "whole")
    assert (len(ledger), file.exists()) == (0, False)
