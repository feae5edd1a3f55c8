"""Two runs agree on a test only where verdicts and replies agree."""

import json
from collections import Counter
from pathlib import Path

from api_tests.outcome import SEEN, VERDICTS, Outcome, differences, read

SIDES = ("monolith", "gateway")


def outcome(verdict: str, *statuses: str) -> Outcome:
    return Outcome({"test": verdict}, {"test": Counter(("list", status) for status in statuses)}, Counter())


def test_the_same_is_the_same() -> None:
    assert differences(outcome("passed", "200", "404"), outcome("passed", "404", "200"), SIDES) == []


def test_another_verdict_is_a_difference() -> None:
    found = differences(outcome("passed", "200"), outcome("failed", "200"), SIDES)
    assert found == ["test: monolith passed, gateway failed"]


def test_a_test_that_one_side_did_not_run_is_a_difference() -> None:
    assert differences(outcome("passed"), Outcome({}, {}, Counter()), SIDES) == [
        "test: monolith passed, gateway not run"
    ]


def test_another_status_is_a_difference_though_both_passed() -> None:
    found = differences(outcome("passed", "200"), outcome("passed", "200", "200"), SIDES)
    assert found == ["test: monolith answered no more, gateway list 200"]


def test_a_status_in_the_gateways_own_words_is_not_seen_as_documented(tmp_path: Path) -> None:
    (tmp_path / SEEN).mkdir()
    (tmp_path / VERDICTS).write_text('{"test": "passed"}')
    lines = [["test", "pay", "409", True], ["test", "pay", "201", False], ["other", "pay", "201", False]]
    (tmp_path / SEEN / "gw0.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = read(tmp_path)
    assert found.seen == {("pay", "201")}
    assert found.problems == {("pay", "409"): 1}
    assert found.count("passed") == 1
