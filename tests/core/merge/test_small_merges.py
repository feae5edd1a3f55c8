"""Counts, distinct values, the first that has it, objects member by member."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.http import Reply
from shardgate.core.merge.count import Count
from shardgate.core.merge.deep import Deep
from shardgate.core.merge.first import First
from shardgate.core.merge.union import Union
from shardgate.core.order.sort_key import SortKey
from tests.core.merge.merging import merged, ok, text


def test_counts_add_wherever_they_stand() -> None:
    assert text(Count(), "3\n", "4\n", "0\n") == "7\n"
    assert text(Count(member="a.n"), '{"a":{"n":3},"x":1}', '{"a":{"n":40},"x":2}') == '{"a":{"n":43},"x":1}'
    reply = merged(Count(header="X-Total"), ok("", x_total="3"), ok("", x_total="4"))
    assert (reply.body, reply.field(b"x-total")) == (b"", b"7")
    assert merged(Count(header="X-Total"), ok(""), ok("")).field(b"x-total") is None


@pytest.mark.parametrize(
    ("rule", "one", "two"),
    [
        (Count(), ok("3"), ok('"4"')),
        (Count(), ok("3"), ok("")),
        (Count(member="n"), ok('{"n":1}'), ok("{}")),
        (Count(header="X-Total"), ok("", x_total="3"), ok("")),
        (Count(header="X-Total"), ok("", x_total="0"), ok("")),
        (Count(header="X-Total"), ok("", x_total="3"), ok("", x_total="-1")),
        (Count(header="X-Total"), ok("3", x_total="3"), ok("4", x_total="4")),
    ],
)
def test_a_count_that_some_shard_does_not_state_is_never_given_as_exact(rule: Count, one: Reply, two: Reply) -> None:
    with pytest.raises(BrokenReplyError):
        merged(rule, one, two)


def test_distinct_values_are_there_once() -> None:
    by_text = Union(order="text")
    assert text(by_text, '["Bern", "Z\\u00fcrich"]', '["Aarau", "Bern", "Zürich"]', "[]") == (
        '["Aarau", "Bern", "Z\\u00fcrich"]'
    )
    assert text(Union(order="number", descends=True), "[3,2.0]", "[3.0,2,1]") == "[3,2.0,1]"
    assert text(Union(), '["b",{"a":1},1]', '["a",{"a":1},1.0,"b"]') == '["b",{"a":1},1,"a"]'
    rule = Union(items="data.tags", total="n", order=SortKey(nulls="last", collation="case_insensitive"))
    assert text(rule, '{"data":{"tags":["a","C",null]},"n":3}', '{"data":{"tags":["B","C"]},"n":2}') == (
        '{"data":{"tags":["a","B","C",null]},"n":4}'
    )


def test_numbers_in_quotes_are_sorted_as_numbers() -> None:
    """Found: a union sorted by `decimal` compared such numbers as texts, and one without quotes as a float."""
    by_number = Union(order="decimal")
    assert text(by_number, '["9.5","10.0"]', '["9.75",10.25]') == '["9.5","9.75","10.0",10.25]'
    close = ("0.1000000000000000000001", "0.1000000000000000000002")
    assert text(by_number, f"[{close[1]}]", f"[{close[0]}]") == f"[{close[0]},{close[1]}]"


@given(st.lists(st.lists(st.integers(-9, 9)), min_size=1, max_size=4))
def test_the_union_is_the_set_of_all(shards: list[list[int]]) -> None:
    bodies = [str(sorted(set(shard))) for shard in shards]
    assert json.loads(text(Union(order="number"), *bodies)) == sorted({value for shard in shards for value in shard})


@pytest.mark.parametrize("broken", ["", "{}", "[1]", "[null]", '["a",["b"]]', '["a"'])
def test_values_of_another_kind_are_broken(broken: str) -> None:
    with pytest.raises(BrokenReplyError):
        merged(Union(order="text"), '["a"]', broken)


def test_values_out_of_order_are_found_out() -> None:
    with pytest.raises(OrderBrokenError):
        merged(Union(order="text"), '["a"]', '["c","b"]')


def test_the_first_that_has_it_is_the_first_in_the_configuration() -> None:
    nothing, one, two = Reply(404, [], b"none"), ok("one"), ok("two")
    assert merged(First(), nothing, one, two) is one
    assert merged(First(), two, one) is two
    assert merged(First(), nothing, Reply(404, [], b"neither")) is nothing
    assert merged(First(not_found=(404, 410)), Reply(410, []), one) is one
    assert merged(First(empty=True), ok(" [ ]\n"), ok("null"), one) is one
    assert merged(First(), ok("[]"), one).body == b"[]"
    assert merged(First(empty=True), nothing, ok("{}")).body == b"{}"


def test_a_failure_before_the_first_hides_who_is_first() -> None:
    nothing, failure, one = Reply(404, []), Reply(500, []), ok("one")
    assert merged(First(), nothing, failure, one) is failure
    assert merged(First(), one, failure) is one
    assert merged(First(), nothing, Reply(403, [])).status == 403


def test_objects_become_one_member_by_member() -> None:
    one = '{"by_city":{"Bern":{"n":1.0}},"unit":"EUR","tags":[1,2]}'
    two = '{"by_city":{"Aarau":{"n":2},"Bern":{"m":"\\u00e9"}},"unit":"EUR","tags":[2,3]}'
    assert text(Deep(lists="union"), one, two) == (
        '{"by_city":{"Bern":{"n":1.0,"m":"\\u00e9"},"Aarau":{"n":2}},"unit":"EUR","tags":[1,2,3]}'
    )
    assert text(Deep(lists="join", conflict="last"), '{"a":[1],"b":1}', '{"a":[1],"b":{}}') == '{"a":[1,1],"b":{}}'
    assert (
        text(Deep(conflict="first"), '{"a": [1], "b": 1}', '{"a": [2], "c": null}') == '{"a": [1], "b": 1, "c": null}'
    )
    assert text(Deep(), one) == one


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=1), st.integers(1, 4))
def test_an_object_cut_in_parts_is_whole_again(whole: dict[str, int], count: int) -> None:
    parts = [dict(list(whole.items())[n::count]) for n in range(count)]
    assert json.loads(text(Deep(), *map(json.dumps, parts))) == whole


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ('{"a":1}', '{"a":2}'),
        ('{"a":[1]}', '{"a":[2]}'),
        ('{"a":{}}', '{"a":1}'),
        ('{"a":1}', "[]"),
        ('{"a":1}', '{"a":1,"a":1}'),
        ('{"a":1}', '{"a":'),
        ('{"a":1}', '{"b":"\xff"}'.encode("latin-1")),
        ('{"a":' * 200 + "1" + "}" * 200, '{"a":' * 200 + "2" + "}" * 200),
        ("{}", ""),
    ],
)
def test_members_that_conflict_or_cannot_be_read_are_broken(one: str, two: str | bytes) -> None:
    with pytest.raises(BrokenReplyError):
        merged(Deep(), one, two)


def test_every_merge_says_what_it_does_in_one_line() -> None:
    rules = [Count(), Count(member="n", header="X-N"), Union(items="tags"), First(), Deep()]
    said = [rule.describe() for rule in rules]
    assert all(line and "\n" not in line for line in said)
    assert all(one != two for one, two in pairwise(said))
