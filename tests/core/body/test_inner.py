"""Requests in a body: read as the rule says, and written as a client would."""

import json
from typing import Any

import pytest

from shardgate.core.body.inner import (
    InnerRequest,
    RequestMembers,
    inner_head,
    read_inner,
)
from shardgate.core.errors import BatchError
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


@pytest.mark.parametrize(
    ("member", "value", "accepted"),
    [
        ("params", {"limit": 2}, False),
        ("headers", {"If-Match": "x"}, False),
        ("atomic", True, False),
        ("atomic", False, True),
        ("note", None, True),
        ("tag", "x", True),
    ],
)
def test_l16_a_member_that_no_word_names_is_refused_unless_it_passes(member: str, value: Any, accepted: bool) -> None:
    # Found: parameters, conditions and `atomic` beside the path were left out in silence.
    one = {"method": "GET", "path": "/x", member: value}
    body = json.dumps({"requests": [one]}).encode()
    (inner,) = read_inner(request("POST /b", body=body), "requests", RequestMembers(), "", (), 9, ("tag",))
    assert (inner.refusal is None) is accepted
    assert accepted or f"`{member}` is not accepted" in str(inner.refusal)
    outer = request("POST /b", body=json.dumps({"data": {"requests": [], member: value}}).encode())
    if accepted:
        assert read_inner(outer, "data.requests", RequestMembers(), "", (), 9, ("data.tag",)) == []
    else:
        with pytest.raises(BatchError, match=f"data.{member}"):
            read_inner(outer, "data.requests", RequestMembers(), "", (), 9, ("tag",))


def test_l16_parameters_may_stand_beside_the_path() -> None:
    members = RequestMembers(path="url", query="params", method_default="get")
    given = {"limit": 2, "tag": ["a", "b c"], "deep": True, "price": 9.50, "none": []}
    (inner,) = read({"url": "/x?a=1", "params": given}, members=members)
    assert (inner.method, inner.target) == ("GET", "/x?a=1&limit=2&tag=a&tag=b+c&deep=true&price=9.5")
    for strange in ({"a": {"b": 1}}, {"a": None}, "a=1"):
        (inner,) = read({"url": "/x", "params": strange}, members=members)
        assert isinstance(inner.refusal, BatchError)
    (plain,) = read({"url": "/x", "method": None}, members=members)
    assert (plain.method, plain.target) == ("GET", "/x")


def test_l16_an_address_of_this_host_is_its_path() -> None:
    for url, target in (("http://A/v1/x?a=1", "/v1/x?a=1"), ("https://a", "/")):
        body = json.dumps({"requests": [{"method": "GET", "path": url}]}).encode()
        outer = request("POST /b", body=body)
        (inner,) = read_inner(outer, "requests", RequestMembers(), "/v1", (), 9)
        assert inner.target == target
    (inner,) = read({"method": "GET", "url": "http://elsewhere/x"})
    assert "another host" in str(inner.refusal)


def test_l16_a_body_of_null_is_none_and_a_text_may_hold_it() -> None:
    # Found: `null` was sent as a body, which many applications refuse with a GET, and all that read objects alone.
    assert read({"method": "GET", "url": "/x", "body": None})[0].body is None
    text = RequestMembers(path="url", body_is="text")
    assert read({"method": "PUT", "url": "/x", "body": '{"n": 1}'}, members=text)[0].body == b'{"n": 1}'
    assert read({"method": "PUT", "url": "/x", "body": {"n": 1}}, members=text)[0].refusal is not None
    form = RequestMembers(path="url", body_is="form")
    (inner,) = read({"method": "POST", "url": "/x", "body": "a=1&b=%C3%A9"}, members=form)
    assert (inner.body, inner.fields) == (b"a=1&b=%C3%A9", ((b"Content-Type", b"application/x-www-form-urlencoded"),))
