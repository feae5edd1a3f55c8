"""The replies to the requests of a batch: each as a JSON object with the members that the rule names."""

import json
from typing import Any

import pytest

from shardgate.core.body.inner import InnerRequest
from shardgate.core.body.inner_reply import ReplyMembers, nested, written
from shardgate.core.http import Reply

JSON = (b"Content-Type", b"application/json")


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(200, [JSON], b' {"a": 1.00}\n'), b'{"a": 1.00}'),
        (Reply(204, []), b"null"),
        (Reply(200, [JSON], b"{"), b'"{"'),
        (Reply(200, [(b"Content-Type", b"text/plain")], b"7"), b'"7"'),
        (Reply(200, [JSON], b"\xff"), '"ÿ"'.encode()),
    ],
)
def test_a_body_is_put_in_as_a_json_value(reply: Reply, expected: bytes) -> None:
    assert written(ReplyMembers(body="b"), InnerRequest(), reply) == b'{"b":%b}' % expected


def test_replies_have_the_members_that_the_rule_names() -> None:
    members = ReplyMembers(id="id", status="s", headers="h", success="ok", error="no", always={"jsonrpc": "2.0"})
    inner = InnerRequest(id=b'"x"')
    assert json.loads(written(members, inner, Reply(201, [JSON], b"5"))) == {
        "jsonrpc": "2.0",
        "id": "x",
        "s": 201,
        "h": {"Content-Type": "application/json"},
        "ok": 5,
    }
    assert json.loads(written(members, InnerRequest(), Reply(404, [], b"{}"))) == {
        "jsonrpc": "2.0",
        "s": 404,
        "h": {},
        "no": {},
    }


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"body_is": "text"}, [{"b": '{"a": 1.00}'}, {"b": None}]),
        ({"empty": "absent"}, [{"b": {"a": 1.0}}, {}]),
        ({"empty": "object"}, [{"b": {"a": 1.0}}, {"b": {}}]),
        ({"empty": "text", "body_is": "text"}, [{"b": '{"a": 1.00}'}, {"b": ""}]),
    ],
)
def test_l16_a_body_is_written_as_the_application_writes_it(members: dict[str, Any], expected: list[Any]) -> None:
    replies = Reply(200, [JSON], b'{"a": 1.00}'), Reply(204, [], b"")
    how = ReplyMembers(body="b", **members)
    assert [json.loads(written(how, InnerRequest(), each)) for each in replies] == expected


def test_l16_header_fields_may_be_a_list() -> None:
    how = ReplyMembers(body="b", headers="h", headers_are="list")
    reply = Reply(200, [JSON, (b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2")], b"1")
    fields = [[each["name"], each["value"]] for each in json.loads(written(how, InnerRequest(), reply))["h"]]
    assert fields == [["Content-Type", "application/json"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]


def test_l16_replies_stand_as_deep_as_the_rule_says() -> None:
    # Found: `data.responses` was one name with a dot in it.
    assert nested("data.responses", b"[1]") == b'{"data":{"responses":[1]}}'
    assert nested("", b"[1]") == b"[1]"
