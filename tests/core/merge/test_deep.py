"""Objects merged member by member."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.merge.deep import Deep
from tests.core.merge.merging import merged, text


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
