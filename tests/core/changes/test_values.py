"""The values that fill the paths of later calls: from the request, and from replies as far as they make sense."""

import pytest

from shardgate.core.changes.values import asked_by, path_of, said_by, unfit
from shardgate.core.errors import AmbiguousKeyError


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"id":"a"}', {"id": "a"}),
        (b'{"id":7}', {"id": "7"}),
        (b'{"id":-7}', {"id": "-7"}),
        (b'{"id":null}', {}),
        (b'{"id":true}', {}),
        (b'{"id":1.5}', {}),
        (b'{"id":[1]}', {}),
        (b'{"id":"\\ud800"}', {}),
        (b'{"id":%b}' % (b"9" * 5000), {}),
        (b"[]", {}),
        (b"", {}),
        (b"<html>", {}),
        (b"\xff", {}),
        (b'{"id":"a","id":"b"}', {}),
        (b'{"id":"a","x":{"id":"b"}}', {"id": "a"}),
        (b'{"id":"a","x":"\\ud800"}', {"id": "a"}),
        (b'{"id":"a","x":"%b"}' % (b"x" * 100_000), {"id": "a"}),
        (b"[" * 100_000, {}),
    ],
)
def test_of_a_reply_only_plain_members_count(body: bytes, found: dict[str, str]) -> None:
    assert said_by(body, ["id"]) == found


def test_a_member_may_be_deep_and_a_name_with_a_dot_comes_first() -> None:
    assert said_by(b'{"data":{"id":"7"}}', ["data.id"]) == {"data.id": "7"}
    assert said_by(b'{"data":{"id":"7"},"data.id":"8"}', ["data.id"]) == {"data.id": "8"}
    assert said_by(b'{"data":[{"id":"7"}]}', ["data.id"]) == {}


def test_a_request_that_readers_understand_differently_is_refused_where_it_is_read() -> None:
    assert asked_by(b'{"id":"a","id":"b"}', []) == {}
    with pytest.raises(AmbiguousKeyError):
        asked_by(b'{"id":"a","id":"b"}', ["id"])
    assert asked_by(b"[1]", ["id"]) == {}


def test_a_reply_wins_where_it_makes_sense() -> None:
    known = {"id": "mine"}
    assert path_of("/x/{id}", known, b'{"id":"yours"}') == "/x/yours"
    assert path_of("/x/{id}", known, b'{"id":".."}') == "/x/mine"
    assert path_of("/x/{id}", known, b"nonsense") == "/x/mine"
    assert path_of("/x/{id}", {}, b"{}") is None


def test_which_value_is_not_fit() -> None:
    assert unfit("/x/{a}/{b}", {"a": "1", "b": ".."}) == "b"
    assert unfit("/x/{a}", {}) == "a"
    assert unfit("/x/{a}", {}, from_reply=True) is None
    assert unfit("/x/{a}", {"a": ".."}, from_reply=True) == "a"
    assert unfit("/x?y={a}", {"a": "b/c"}) is None
    assert unfit(None, {}) is None
