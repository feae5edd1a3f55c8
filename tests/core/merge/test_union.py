"""The distinct values of all shards, each once."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.merge.union import Union
from shardgate.core.order.sort_key import SortKey
from tests.core.merge.merging import merged, text


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


NO_CASE = SortKey(collation="case_insensitive")


@pytest.mark.parametrize("rule", [Union(order=NO_CASE), Union(compare=NO_CASE)])
def test_values_that_the_application_takes_for_one_are_there_once(rule: Union) -> None:
    # Found (L6): `Bern` and `BERN` of a column without case were two values, where one instance has one.
    assert text(rule, '["aarau","Bern"]', '["BERN","chur"]') == '["aarau","Bern","chur"]'
    # A shard that has both tells them apart, and so does the application.
    assert text(rule, '["Bern","BERN"]', '["bern"]') == '["Bern","BERN","bern"]'


@pytest.mark.parametrize("other", ["BERN", "Bern ", "Bérn"])
def test_values_that_are_alike_need_a_word_of_the_rule(other: str) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        merged(Union(), '["Bern"]', json.dumps([other]))
    assert "say in `compare`" in caught.value.log
    assert json.loads(text(Union(compare="any"), '["Bern"]', json.dumps([other]))) == ["Bern", other]
    assert json.loads(text(Union(), json.dumps(["Bern", other]), json.dumps([other]))) == ["Bern", other]


@pytest.mark.parametrize("rule", [Union(order=NO_CASE), Union(compare=NO_CASE)])
def test_l6_values_that_differ_in_spaces_at_the_end_need_a_word_where_a_collation_is_said(rule: Union) -> None:
    # Found: with `case_insensitive` alone, `Bern` and `bern ` of a column of MySQL were two values, with 200.
    with pytest.raises(BrokenReplyError) as caught:
        merged(rule, '["Bern"]', '["bern "]')
    assert "`pad_space`" in caught.value.log
    assert text(rule, '["Bern","bern "]', '["bern "]') == '["Bern","bern "]'
    name = "order" if rule.compare is None else "compare"
    padded = msgspec.structs.replace(rule, **{name: SortKey(collation="case_insensitive", pad_space=True)})
    assert text(padded, '["Bern"]', '["bern ","chur"]') == '["Bern","chur"]'
    told = msgspec.structs.replace(rule, **{name: SortKey(collation="case_insensitive", pad_space=False)})
    assert text(told, '["Bern"]', '["bern "]') == '["Bern","bern "]'
    binary = msgspec.structs.replace(rule, **{name: SortKey(pad_space=True)})
    assert text(binary, '["Bern"]', '["Bern "]') == '["Bern"]'


def test_l18_values_of_a_locale_need_to_be_told_apart_or_not() -> None:
    # Found: values that are not sorted were never compared, so that two which the collation takes for equal stayed two.
    pytest.importorskip("icu")

    def rule(*, deterministic: bool | None) -> Union:
        return Union(compare=SortKey(collation="icu:und-u-ks-level2", deterministic=deterministic))

    shards = ('["Bern","Chur"]', '["Zug","BERN"]')
    with pytest.raises(OrderBrokenError):
        merged(rule(deterministic=None), *shards)
    assert text(rule(deterministic=False), *shards) == '["Bern","Chur","Zug"]'
    assert text(rule(deterministic=True), *shards) == '["Bern","Chur","Zug","BERN"]'
