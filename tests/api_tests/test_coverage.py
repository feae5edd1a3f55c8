"""Coverage is what was seen of what is documented, and an excuse that is none is a mistake."""

import json
from pathlib import Path

import yaml

from api_tests.coverage import Excuse, covered, excuses_of
from api_tests.document import Document

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = {("list", "200"), ("list", "400"), ("make", "201"), ("make", "default"), ("list", "default")}


def test_what_was_not_seen_is_missing() -> None:
    found = covered(DOCUMENTED, {("list", "200")}, [])
    assert (found.operations, found.operations_seen, found.statuses, found.statuses_seen) == (2, 1, 5, 1)
    assert ("list", "400") in found.missing
    assert not found.whole


def test_an_excused_status_is_counted_apart() -> None:
    excuses = excuses_of([{"operations": "all", "statuses": ["default"], "reason": "cannot"}], DOCUMENTED)
    found = covered(DOCUMENTED, {("list", "200"), ("list", "400"), ("make", "201")}, excuses)
    assert (found.statuses, found.statuses_seen, found.excused, found.whole) == (3, 3, 2, True)
    assert found.line() == "2 of 2 operations, 3 of 3 documented statuses, 2 more that no client can provoke"


def test_an_excuse_for_what_was_seen_is_a_mistake() -> None:
    found = covered({("list", "200")}, {("list", "200")}, [Excuse("cannot", frozenset({("list", "200")}))])
    assert found.mistakes == ("list answered 200: take the excuse away",)
    assert not found.whole


def test_an_excuse_for_what_is_not_documented_is_a_mistake() -> None:
    found = covered({("list", "200")}, {("list", "200")}, [Excuse("cannot", frozenset({("list", "418")}))])
    assert found.mistakes == ("list does not document 418: take the excuse away",)
    assert covered(DOCUMENTED, set(), [Excuse("nothing", frozenset())]).mistakes


def test_a_reply_that_is_not_documented_covers_nothing() -> None:
    assert covered({("list", "200")}, {("list", "500"), ("other", "200")}, []).operations_seen == 0


def test_the_excuses_of_the_platform_are_for_what_it_documents() -> None:
    document = Document(json.loads((ROOT / "examples/bookings/openapi.json").read_text()))
    listed = yaml.safe_load((ROOT / "api_tests/unprovokable.yaml").read_text())
    found = covered(document.documented(), set(), excuses_of(listed, document.documented()))
    assert found.mistakes == ()
    assert found.excused < found.statuses / 2
