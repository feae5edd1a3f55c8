"""Requests in a body: read as the rule says, written as a client would, and their replies as JSON."""

import json
from typing import Any

import pytest

from shardgate.core.body.inner import (
    InnerRequest,
    ReplyMembers,
    RequestMembers,
    inner_head,
    read_inner,
    written,
)
from shardgate.core.errors import BatchError
from shardgate.core.http import Reply
from shardgate.core.wire.request_head import RequestHeadParser
from tests.core.requests import request

GRAPH = RequestMembers(path="url", headers="headers", id="id")


def read(*items: Any, members: RequestMembers = GRAPH, base: str = "") -> list[InnerRequest]:
    body = json.dumps({"requests": items}).encode()
    return read_inner(request("POST /b", body=body), "requests", members, base, ("dependsOn",), 10)


def test_members_are_as_the_rule_names_them() -> None:
    (inner,) = read({"id": 7, "method": "post", "url": "/x?a=1", "headers": {"X-A": "b"}, "body": {"n": 1.0}})
    assert (inner.method, inner.target, inner.body, inner.id) == ("POST", "/x?a=1", b'{"n": 1.0}', b"7")
    assert inner.fields == ((b"X-A", b"b"),)


def test_the_body_can_be_the_list() -> None:
    outer = request("POST /b", body=b'[{"method":"GET","path":"/x"}]')
    (inner,) = read_inner(outer, "", RequestMembers(), "/v1", (), 10)
    assert inner.target == "/v1/x"
    with pytest.raises(BatchError):
        read_inner(request("POST /b", body=b"{}"), "", RequestMembers(), "", (), 10)


def test_a_base_stands_before_each_path() -> None:
    assert [
        each.target for each in read({"method": "GET", "url": "x"}, {"method": "GET", "url": "/x"}, base="/v1")
    ] == [
        "/v1/x",
        "/v1/x",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"Host": "b"},
        {"Content-Length": "5"},
        {"Transfer-Encoding": "chunked"},
        {"Content_Length": "5"},
        {"X-A": "b\r\nX-B: c"},
        {"X A": "b"},
        {"X-A": "b", "x-a": "c"},
        {"X-A": 7},
        {"X-A": "\u0107"},
        {"X-Forwarded-For": "1.2.3.4", "Connection": "X-A"},
        ["X-A"],
    ],
)
def test_a_header_that_is_not_for_it_to_give_is_refused(fields: Any) -> None:
    (inner,) = read({"id": 1, "method": "GET", "url": "/x", "headers": fields})
    assert isinstance(inner.refusal, BatchError)
    assert inner.id == b"1"


def test_what_the_gateway_cannot_do_is_refused() -> None:
    asked = {"method": "GET", "url": "/x"}
    first, second = read({**asked, "dependsOn": ["1"]}, {**asked, "dependsOn": []})
    assert (first.refusal is not None, second.refusal) == (True, None)


def test_the_head_is_one_that_a_client_could_send() -> None:
    outer = request(
        "POST /b", "Authorization: Bearer x", "If-Match: *", "Content-Type: a/b", "Idempotency-Key: k", "TE: trailers"
    )
    for given, body, said in (
        ((), None, b""),
        ((), b"{}", b"application/json"),
        (((b"content-type", b"text/x"),), b"", b"text/x"),
    ):
        head = inner_head(outer, InnerRequest("PUT", "/x", given, body), b"id", 3)
        made = RequestHeadParser().parse(head)
        values = made.fields.values
        assert (made.method, made.path, values[b"authorization"]) == ("PUT", "/x", b"Bearer x")
        assert (values.get(b"content-type", b""), made.fields.content_length) == (said, len(body or b""))
        assert (values[b"idempotency-key"], made.fields.request_id) == (b"k.3", b"id.3")
        assert not {b"if-match", b"te", b"connection"} & {*values}


def test_a_key_of_its_own_counts() -> None:
    outer = request("POST /b", 'Idempotency-Key: "k"')
    own = InnerRequest("POST", "/x", ((b"Idempotency-Key", b"mine"),))
    assert RequestHeadParser().parse(inner_head(outer, own, b"i", 0)).fields.values[b"idempotency-key"] == b"mine"
    none = InnerRequest("POST", "/x")
    assert RequestHeadParser().parse(inner_head(outer, none, b"i", 2)).fields.values[b"idempotency-key"] == b'"k.2"'


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
