"""Reports of several shards as one: sums add, averages are made again, the rest must agree."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.number import Average
from shardgate.core.merge.groups import Groups
from tests.core.requests import request

RULE = Groups(key="day", sum=("count", "total"), average={"mean": Average(of="total", over="count")})


def united(*bodies: Any, rule: Groups = RULE) -> Any:
    shards = [f"s{n}" for n in range(len(bodies))]
    merging = rule.begin(request("GET /report?x=1"), shards)
    assert {ask.target for ask in merging.asks()} == {b"/report?x=1"}
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return json.loads(merging.take({s: Reply(200, [], t.encode()) for s, t in zip(shards, texts, strict=True)}).body)


def row(day: Any, count: Any, total: Any, **more: Any) -> dict[str, Any]:
    return {"day": day, "count": count, "total": total, "mean": round(total / count, 2) if count else 0.0, **more}


def test_rows_of_one_key_become_one_and_others_stay() -> None:
    one = [row("mon", 1, 10), row("tue", 2, 10)]
    two = [row("mon", 2, 10), row("sun", 0, 0)]
    assert united(one, two, []) == [row("mon", 3, 20), row("sun", 0, 0), row("tue", 2, 10)]
    assert united([], []) == []


SMALL = st.integers(0, 1000)
REPORT = st.dictionaries(st.sampled_from("abcd"), st.tuples(SMALL, SMALL), max_size=4)


@given(st.lists(REPORT, min_size=1, max_size=4))
def test_shards_together_report_what_a_monolith_would(reports: list[dict[str, tuple[int, int]]]) -> None:
    days = sorted({day for report in reports for day in report})
    together = [row(day, *(sum(r[day][n] for r in reports if day in r) for n in (0, 1))) for day in days]
    apart = [[row(day, *numbers) for day, numbers in sorted(report.items())] for report in reports]
    assert united(*apart) == together
    assert united(*reversed(apart)) == together


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "{}",
        "[1]",
        "[",
        '[{"count":1,"total":1,"mean":1}]',
        '[{"day":"mon","total":1,"mean":1}]',
        '[{"day":"mon","count":"1","total":1,"mean":1}]',
        '[{"day":"mon","count":true,"total":1,"mean":1}]',
        '[{"day":"mon","count":[1],"total":1,"mean":1}]',
        '[{"day":["mon"],"count":1,"total":1,"mean":1}]',
        '[{"day":7,"count":1,"total":1,"mean":1}]',
        '[{"day":"mon","count":1,"total":1}]',
        '[{"day":"mon","count":1,"total":1,"mean":1,"more":1}]',
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_a_report_that_is_not_what_the_rule_says_is_broken(broken: str) -> None:
    # Found: two texts were "added" to a longer text.
    with pytest.raises(BrokenReplyError):
        united([row("mon", 1, 1)], broken)


def test_money_is_added_exactly_and_the_least_and_the_greatest_are_found() -> None:
    # Found: numbers with a point were added as floats: 0.1 and 0.2 were 0.30000000000000004.
    rule = Groups(key=("city", "day"), sum=("total",), min=("first", "low"), max=("last",), nulls="first")
    one = '[{"city":"B","day":1,"total":0.1,"first":"09:00","low":null,"last":1e400,"x":[1]}]'
    two = '[{"city":"B","day":1,"total":0.20,"first":"08:30","low":7,"last":2,"x":[1]},'
    two += '{"city":null,"day":1,"total":null,"first":null,"low":null,"last":0,"x":[]}]'
    shards = ["s0", "s1"]
    replies = {s: Reply(200, [], text.encode()) for s, text in zip(shards, (one, two), strict=True)}
    merged = rule.begin(request("GET /report"), shards).take(replies).body.decode()
    assert merged == (
        '[{"city":null,"day":1,"total":null,"first":null,"low":null,"last":0,"x":[]},'
        '{"city":"B","day":1,"total":0.30,"first":"08:30","low":7,"last":1e400,"x":[1]}]'
    )


def test_text_is_never_added() -> None:
    with pytest.raises(BrokenReplyError):
        united([row("mon", 1, 1) | {"count": "1"}], [row("mon", 1, 1) | {"count": "1"}])


def test_what_is_neither_sum_nor_average_must_be_the_same() -> None:
    # Found: the first shard's value stood for all.
    assert united([row("mon", 1, 1, unit="EUR")], [row("mon", 1, 1, unit="EUR")]) == [row("mon", 2, 2, unit="EUR")]
    with pytest.raises(BrokenReplyError):
        united([row("mon", 1, 1, unit="EUR")], [row("mon", 1, 1, unit="USD")])


def test_one_refusal_stands_for_all() -> None:
    merging = RULE.begin(request("GET /report"), ["s0", "s1"])
    refusal = Reply(403, [], b"no")
    assert merging.take({"s1": refusal, "s0": Reply(200, [], b"[]")}) is refusal


@pytest.mark.parametrize("style", [{}, {"separators": (",", ":")}, {"indent": 2}])
def test_a_report_is_written_as_the_application_writes_it(style: Any) -> None:
    """Found: the white space of the application was lost, also in rows that one shard had alone."""
    one, two = [row("mon", 1, 10), row("tue", 2, 10)], [row("mon", 2, 10), row("sun", 0, 0)]
    together = [row("mon", 3, 20), row("sun", 0, 0), row("tue", 2, 10)]
    shards = ["s0", "s1", "s2"]
    replies = {s: Reply(200, [], json.dumps(b, **style).encode()) for s, b in zip(shards, ([], one, two), strict=True)}
    merged = RULE.begin(request("GET /report"), shards).take(replies).body.decode()
    assert merged == json.dumps(together, **style)


def test_keys_are_equal_as_numbers_are_exactly() -> None:
    """Found: two keys that differ behind the sixteenth digit became one row."""
    rule = Groups(key="n", sum=("c",))
    close = ('[{"n":0.10000000000000000001,"c":1}]', '[{"n":0.10000000000000000002,"c":1}]', '[{"n":1,"c":1}]')
    assert len(united(*close, rule=rule)) == 3
    assert united('[{"n":1,"c":1}]', '[{"n":1.0,"c":1}]', rule=rule) == [{"n": 1, "c": 2}]
