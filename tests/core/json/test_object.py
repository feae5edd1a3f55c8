"""An object's members are found and replaced; everything else keeps its bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.object import JsonObject

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab.{}[]":\\é😀,', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('abé"\\', max_size=2), inner, max_size=3),
    max_leaves=8,
)
STYLES: list[dict[str, Any]] = [{}, {"indent": 3}, {"separators": (",", ":"), "ensure_ascii": False}]


@given(st.dictionaries(st.text('xyé"\\', max_size=3), VALUES, max_size=4), VALUES, st.sampled_from(STYLES))
def test_a_member_is_replaced_and_nothing_else(members: dict[str, Any], new: Any, style: dict[str, Any]) -> None:
    whole = {"first": {"deep": {"one": 1}, "rest": members}, **members, "last": [members]}
    body = json.dumps(whole, **style).encode()
    document = JsonObject(body)
    assert json.loads(document.raw("first.rest") or b"") == members
    assert document.edited({}) == body
    same = {"first.deep.one": document.raw("first.deep.one"), "last": document.raw("last")}
    assert document.edited(dict(same)) == body
    changed = json.loads(document.edited({"first.deep.one": new, "last": b"[]", "absent": 1, None: 2}))
    assert changed == {**whole, "first": {"deep": {"one": new}, "rest": members}, "last": []}


def test_a_name_may_have_dots() -> None:
    document = JsonObject(b'{"@odata.count": 3, "a": {"b": 4}}')
    assert (document.number("@odata.count"), document.number("a.b"), document.number("a.c.d")) == (3, 4, None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"a":1', b'{"a":1}}', b'{"a":1,"a":1}', b'{"a":"\xff"}', b'{"b":1,"a":1,"b":2}']
)
def test_what_is_not_one_plain_object_is_broken(body: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        JsonObject(body)


def test_a_member_twice_inside_is_broken_where_it_is_looked_at() -> None:
    with pytest.raises(BrokenReplyError):
        JsonObject(b'{"a":{"b":1,"b":1}}').raw("a.b")


@given(st.dictionaries(st.text("xy", min_size=1, max_size=3), VALUES, max_size=4), VALUES, st.sampled_from(STYLES))
def test_a_member_is_added_taken_out_and_rewritten_as_the_writer_would(
    members: dict[str, Any], new: Any, style: dict[str, Any]
) -> None:
    whole = {"first": members, "last": 1}
    body = json.dumps(whole, **style).encode()
    added = JsonObject(body).put("first.new", 7)
    if members:  # an empty object shows no white space
        assert added == json.dumps({**whole, "first": {**members, "new": 7}}, **style).encode()
    assert json.loads(JsonObject(added).without("first.new")) == whole
    assert JsonObject(body).without("first.new") == body
    assert json.loads(JsonObject(body).put("first", new)) == {**whole, "first": new}
    held = JsonObject(body).members("first")
    assert {name: json.loads(value) for name, value in held.items()} == members
    assert json.loads(JsonObject(body).rewritten("first", {**held, "new": b"7"})) == {
        **whole,
        "first": {**members, "new": 7},
    }
    if members:
        assert JsonObject(body).rewritten("first", held) == body


@pytest.mark.parametrize(
    ("body", "path"), [('{"Page":1}', "page"), ('{"a":{"X":1,"x":2}}', "a.x"), ('{"A":{},"a":{"x":1}}', "a.x")]
)
def test_a_name_in_another_case_is_seen(body: str, path: str) -> None:
    assert JsonObject(body.encode()).has_twin(path)
    assert not JsonObject(b'{"page":1,"a":{"x":2},"b":[{"X":1}]}').has_twin(path)
