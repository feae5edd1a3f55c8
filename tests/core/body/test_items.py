"""Bodies cut, put together and filled in: what is not touched keeps its bytes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.body.assigning import assign
from shardgate.core.body.items import Items, ShardItems, key_of, open_items, parts_of, rejoin
from shardgate.core.changes.placing import LeastTenants, Weighted
from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError, TooComplexError
from shardgate.core.http import Reply
from shardgate.core.limits import ITEM_COLONS_MAX, OPENED_BODY_BYTES_MAX, OPENED_MARKS_MAX


def test_a_part_keeps_what_stands_around_the_items() -> None:
    items = open_items(b'{ "a" : 1.50, "items" : [ {"d":1}, {"d":2}, {"d":3} ] , "z" : "\\u00e9" }', "items", 9)
    assert isinstance(items, Items)
    assert items.part([0, 2]) == b'{ "a" : 1.50, "items" : [ {"d":1}, {"d":3} ] , "z" : "\\u00e9" }'


UNPLAIN = [
    b'{"items":[1],"items":[2]}',
    b'{"items":[1}',
    b"{",
    b"\xff",
    b'{"items":[NaN]}',
    b'\xef\xbb\xbf{"items":[]}',
    '{"items":[]}'.encode("utf-16"),
]
"""What another reader may take for something, or for something else."""


@pytest.mark.parametrize("body", UNPLAIN)
def test_a_body_that_two_servers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        assign(body, {"id": "new"})
    with pytest.raises(AmbiguousKeyError):
        open_items(body, "items", 9)


@pytest.mark.parametrize("body", [b"", b"7", b"{}", b'{"items":{}}', b"[]"])
def test_what_has_no_items_has_none(body: bytes) -> None:
    assert open_items(body, "items", 9) is None


@pytest.mark.parametrize(
    ("item", "key"), [('{"d":"a"}', "a"), ('{"d":7}', "7"), ('{"d":true}', None), ("{}", None), ("7", None)]
)
def test_the_key_of_an_item(item: str, key: str | None) -> None:
    items = open_items(f"[{item}]".encode(), "", 99)
    assert isinstance(items, Items)
    assert key_of(items.found.raw[0], "d") == key


def test_more_items_than_the_bound_are_counted_and_never_cut() -> None:
    # Found: a body of 8 million items took 6 s and 400 MB before anybody counted them.
    assert isinstance(open_items(b"[1,[2,2],{}]", "", 3), Items)
    assert open_items(b"[1,[2,2],{}, 4]", "", 3) == "longer"
    assert open_items(b'{"x":[1,2,3,4]}', "x", 3) == "longer"
    assert open_items(b"[" + b"1," * 100_000 + b"1]", "", 3) == "longer"
    with pytest.raises(TooComplexError, match="commas"):
        open_items(b"[" + b"1," * OPENED_MARKS_MAX + b"1]", "", 3)
    with pytest.raises(TooComplexError, match="members"):
        open_items(b'[{"a":"' + b":" * ITEM_COLONS_MAX + b'"}]', "", 3)
    with pytest.raises(TooComplexError, match="4194304"):
        open_items(b'["' + b"a" * OPENED_BODY_BYTES_MAX + b'"]', "", 3)


@pytest.mark.parametrize(
    "item",
    [
        '{"v_id":"a","v_id":"b"}',
        '{"v_id":"a","v_id":{"v_id":"b"}}',
        '{"v_id":{"v_id":"a"},"v_id":"b"}',
        '{"v_id":"a","x":"v_id","v_id":"b"}',
        '{"v_id":"a","V_ID":"b"}',
        '{"v_id":"a","vId":"b"}',
        '{"\uff56_id":"b"}',
        r'{"v_id":"a","\u0076_id":"b"}',
    ],
)
def test_an_item_that_has_its_key_twice_is_refused(item: str) -> None:
    with pytest.raises(AmbiguousKeyError):
        key_of(msgspec.Raw(item.encode()), "v_id")


@pytest.mark.parametrize(
    "item",
    [
        '{"v_id":"a","x":{"v_id":"b"},"y":[{"v_id":"c"}],"z":"v_id"}',
        '{"x":1,"v_id":"a","x":2}',
        r'{"v_id":"a","x":"\u003c\u00e9"}',
        '{"v_id":"a","_v_id":1,"v__id":2,"v_ids":3}',
    ],
)
def test_an_item_that_has_its_key_once_is_read(item: str) -> None:
    assert key_of(msgspec.Raw(item.encode()), "v_id") == "a"


def test_an_item_with_many_names_like_its_key_is_refused() -> None:
    item = ",".join(f'"ïd{n}":1' for n in range(9))
    with pytest.raises(TooComplexError):
        key_of(msgspec.Raw(f"{{{item}}}".encode()), "id")


@given(st.lists(st.sampled_from("nsw"), min_size=1, max_size=20))
def test_what_is_cut_is_put_together_in_the_same_order(owners: list[str]) -> None:
    items = open_items(json.dumps([{"n": number} for number in range(len(owners))]).encode(), "", 99)
    assert isinstance(items, Items)
    parts = parts_of(owners)
    replies = [Reply(200, [], items.part(part.positions)) for part in parts]
    assert json.loads(rejoin(parts, replies, "", ()).body) == [{"n": number} for number in range(len(owners))]


def test_numbers_beside_the_items_are_added_up() -> None:
    parts = [ShardItems("n", (1,)), ShardItems("s", (0, 2))]
    replies = [
        Reply(201, [], b'{"id":"x","price":10,"items":["b"]}'),
        Reply(201, [], b'{"id":"x","price":5,"items":["a","c"]}'),
    ]
    assert rejoin(parts, replies, "items", ["price"]).body == b'{"id":"x","price":15,"items":["a","b","c"]}'


def test_a_shard_that_answers_another_number_of_items_is_broken() -> None:
    with pytest.raises(BrokenReplyError):
        rejoin([ShardItems("n", (0, 1))], [Reply(200, [], b"[1]")], "", ())


@pytest.mark.parametrize(
    ("body", "filled", "value"),
    [
        (b"{}", b'{"id":"new"}', "new"),
        (b'{ "a": 1 }', b'{"id":"new", "a": 1 }', "new"),
        (b'{"a":1,"id":null}', b'{"a":1,"id":"new"}', "new"),
        (b'{"id":"mine"}', b'{"id":"mine"}', "mine"),
        (b'{"id":7}', b'{"id":7}', "7"),
    ],
)
def test_a_member_is_filled_in_where_it_is_missing(body: bytes, filled: bytes, value: str) -> None:
    assert assign(body, {"id": "new"}) == (filled, {"id": value})


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null"])
def test_what_is_plainly_no_object_is_left_for_the_application(body: bytes) -> None:
    assert assign(body, {"id": "new"}) == (body, {})


def test_a_member_that_stands_twice_is_refused() -> None:
    with pytest.raises(AmbiguousKeyError):
        assign(b'{"id":1,"id":2}', {"id": "new"})


def test_policies_choose_the_shard_that_is_furthest_behind() -> None:
    loads: dict[str, Any] = {"north": 6, "south": 3, "west": 3}
    assert LeastTenants().choose(loads) == "south"
    assert Weighted(weights={"north": 3}).choose(loads) == "north"
    assert Weighted(weights={"south": 0}).choose(loads) == "west"
