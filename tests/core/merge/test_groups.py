"""Reports of several shards as one: sums add, averages are made again, the rest must agree."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError, OrderBrokenError, UnreadablePageError
from shardgate.core.http import Reply
from shardgate.core.json.number import Average
from shardgate.core.merge.groups import Groups
from shardgate.core.order.sort_key import SortKey
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
    two = '[{"city":null,"day":1,"total":null,"first":null,"low":null,"last":0,"x":[]},'
    two += '{"city":"B","day":1,"total":0.20,"first":"08:30","low":7,"last":2,"x":[1]}]'
    shards = ["s0", "s1"]
    replies = {s: Reply(200, [], text.encode()) for s, text in zip(shards, (one, two), strict=True)}
    merged = rule.begin(request("GET /report"), shards).take(replies).body.decode()
    assert merged == (
        '[{"city":null,"day":1,"total":null,"first":null,"low":null,"last":0,"x":[]},'
        '{"city":"B","day":1,"total":0.30,"first":"08:30","low":7,"last":1e400,"x":[1]}]'
    )


def test_text_is_never_added() -> None:
    with pytest.raises(BrokenReplyError):
        united([row("mon", 1, 1) | {"count": "1"}], [row("mon", 1, 1) | {"count": "1 a day"}])


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


CITIES = Groups(key="city", sum=("orders",), keys={"city": SortKey(collation="case_insensitive")})


def cities(*pairs: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"city": city, "orders": orders} for city, orders in pairs]


def test_keys_that_the_application_takes_for_one_are_one_row() -> None:
    # Found (L6): `Bern` and `BERN` of a column without case were two rows.
    together = united(cities(("Aarau", 4), ("Bern", 1)), cities(("BERN", 2), ("chur", 1)), rule=CITIES)
    assert together == cities(("Aarau", 4), ("Bern", 3), ("chur", 1))


def test_keys_that_differ_in_case_alone_need_a_word_of_the_rule() -> None:
    unsaid = Groups(key="city", sum=("orders",))
    with pytest.raises(BrokenReplyError) as caught:
        united(cities(("Bern", 1)), cities(("BERN", 2)), rule=unsaid)
    assert "say in `keys` how the application compares them" in caught.value.log
    both = cities(("BERN", 2), ("Bern", 1))  # a shard that tells them apart shows how the application compares
    assert united(both, cities(("Bern", 1)), rule=unsaid) == cities(("BERN", 2), ("Bern", 2))
    told = Groups(key="city", sum=("orders",), keys={"city": "text"})
    assert united(cities(("Bern", 1)), cities(("BERN", 2)), rule=told) == cities(("BERN", 2), ("Bern", 1))


def test_l6_keys_that_differ_in_spaces_at_the_end_need_a_word_of_the_rule() -> None:
    # Found: with `case_insensitive` alone, `Bern` and `bern ` of a column of MySQL were two rows, with 200.
    with pytest.raises(BrokenReplyError) as caught:
        united(cities(("Bern", 1)), cities(("bern ", 2)), rule=CITIES)
    assert "`pad_space`" in caught.value.log
    both = cities(("Bern", 1), ("bern ", 2))  # a shard that has both shows that spaces count
    assert united(both, cities(("BERN", 1)), rule=CITIES) == cities(("Bern", 2), ("bern ", 2))

    def rule(**said: Any) -> Groups:
        return Groups(key="city", sum=("orders",), keys={"city": SortKey(**said)})

    padded = rule(collation="case_insensitive", pad_space=True)
    assert united(cities(("Bern", 1), ("chur", 1)), cities(("bern ", 2)), rule=padded) == cities(
        ("Bern", 3), ("chur", 1)
    )
    assert united(cities(("Bern", 1)), cities(("Bern ", 2)), rule=rule(pad_space=True)) == cities(("Bern", 3))
    told = rule(collation="case_insensitive", pad_space=False)
    assert united(cities(("Bern", 1)), cities(("bern ", 2)), rule=told) == cities(("Bern", 1), ("bern ", 2))


def test_l18_keys_of_a_locale_need_to_be_told_apart_or_not() -> None:
    # Found: sorted by another member, two keys that the collation takes for equal were never compared: two rows, 200.
    pytest.importorskip("icu")

    def rule(**said: Any) -> Groups:
        key = SortKey(collation="icu:und-u-ks-level2", **said)
        return Groups(key="city", sum=("orders",), order=("-orders",), complete=True, keys={"city": key})

    shards = cities(("Bern", 5), ("Zug", 1)), cities(("Chur", 3), ("BERN", 2))
    with pytest.raises(OrderBrokenError) as caught:
        united(*shards, rule=rule())
    assert "write `deterministic`" in caught.value.log
    assert united(*shards, rule=rule(deterministic=False))[0] == {"city": "Bern", "orders": 7}
    assert len(united(*shards, rule=rule(deterministic=True))) == 4


def test_one_key_that_is_said_does_not_hide_another_that_is_not() -> None:
    rule = Groups(key=("city", "kind"), sum=("orders",), keys={"city": "text"})
    north, south = [{"city": "Bern", "kind": "a", "orders": 1}], [{"city": "BERN", "kind": "a", "orders": 1}]
    assert united(north, south, rule=rule) == south + north
    with pytest.raises(BrokenReplyError):
        united(north, [{"city": "Bern", "kind": "A", "orders": 1}], rule=rule)


TOP = Groups(key="city", sum=("orders",), order=("-orders",), limit="top")


def top(query: str, *bodies: list[dict[str, Any]], rule: Groups = TOP) -> tuple[set[bytes], Any]:
    shards = [f"s{n}" for n in range(len(bodies))]
    merging = rule.begin(request(f"GET /report{query}"), shards)
    replies = {shard: Reply(200, [], json.dumps(body).encode()) for shard, body in zip(shards, bodies, strict=True)}
    return {ask.target for ask in merging.asks()}, json.loads(merging.take(replies).body)


def test_the_top_of_a_report_is_taken_of_all_groups() -> None:
    # Found (L7): the top 2 of each shard were merged, and three rows came back in the order of their names.
    one, two = cities(("a", 5), ("b", 4), ("c", 3)), cities(("d", 6), ("b", 3), ("c", 3))
    assert top("?top=2&year=1", one, two) == ({b"/report?year=1"}, cities(("b", 7), ("c", 6)))
    assert top("", one, two)[1] == cities(("b", 7), ("c", 6), ("d", 6), ("a", 5))
    assert top("?top=9", one, two)[0] == {b"/report"}


def test_a_number_of_rows_that_cannot_be_read_is_left_to_the_shards() -> None:
    for query in ("?top=two", "?top=1&top=2", "?top=-1"):
        merging = TOP.begin(request(f"GET /report{query}"), ["s0", "s1"])
        assert {ask.target for ask in merging.asks()} == {f"/report{query}".encode()}
        with pytest.raises(UnreadablePageError):
            merging.take({shard: Reply(200, [], b"[]") for shard in ("s0", "s1")})


@pytest.mark.parametrize(
    "query", ["?limit=2", "?Limit=2", "?year=1&per-page=5", "?orderBy=-orders", "?page[]=2", "?top=2"]
)
def test_a_part_of_each_shards_report_is_refused(query: str) -> None:
    with pytest.raises(UnreadablePageError):
        RULE.begin(request(f"GET /report{query}"), ["s0", "s1"])
    Groups(key="day", refuse=()).begin(request(f"GET /report{query}"), ["s0", "s1"])


def test_rows_that_are_not_sorted_as_the_rule_says_name_the_row() -> None:
    with pytest.raises(OrderBrokenError) as caught:
        united(cities(("b", 4), ("a", 5)), [], rule=Groups(key="city", sum=("orders",)))
    assert caught.value.where == "row 1, counted from 0"


@pytest.mark.parametrize("other", ["Zurich", "Zürich ", "ZÜRICH"])
def test_keys_that_differ_in_accents_or_spaces_alone_need_a_word_of_the_rule(other: str) -> None:
    # Found (L6): the collations of MySQL take these for one; they were two rows.
    unsaid = Groups(key="city", sum=("orders",))
    with pytest.raises(BrokenReplyError) as caught:
        united(cities(("Zürich", 1)), cities((other, 2)), rule=unsaid)
    assert "say in `keys` how the application compares them" in caught.value.log


@pytest.mark.parametrize("query", ["?$top=2", "?%24skip=2", "?maxResults=2", "?rows=2", "?having=orders%3E2"])
def test_l7_other_names_of_a_part_of_each_shards_report_are_refused(query: str) -> None:
    # Found: OData's `$top` reached each shard, and the merged report lacked groups.
    with pytest.raises(UnreadablePageError):
        Groups(key="city", sum=("orders",)).begin(request(f"GET /report{query}"), ["a", "b"])


def test_l7_equally_many_rows_of_every_shard_are_a_top_of_each_unless_the_rule_says_otherwise() -> None:
    # Found: the application gives its top 2 where nobody asks for it, and four rows came out, with 200.
    tops = [[{"city": "a", "n": 9}, {"city": "b", "n": 8}], [{"city": "c", "n": 7}, {"city": "b", "n": 3}]]
    replies = [Reply(200, [], json.dumps(rows).encode()) for rows in tops]
    rule = Groups(key="city", sum=("n",), order=("-n",))
    with pytest.raises(ValueError, match="every shard gives 2 of 3 groups: a top of each"):
        rule.combine(replies)
    for said in (
        Groups(key="city", sum=("n",), order=("-n",), complete=True),
        Groups(key="city", sum=("n",), order=("-n",), limit="top"),
    ):
        assert [row["city"] for row in json.loads(said.combine(replies).body)] == ["b", "a", "c"]
