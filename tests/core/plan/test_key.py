"""The key of a request: as the application will read it, or a refusal; never a guess."""

import base64

import pytest

from shardgate.core.errors import AmbiguousKeyError
from shardgate.core.http import Request
from shardgate.core.plan.key import read_key, unknown_key
from tests.core.requests import request


def basic(text: bytes) -> str:
    return "Authorization: Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("", None),
        ("?v=7", "7"),
        ("?v=", ""),
        ("?v", ""),
        ("?x=1&v=7&y=2", "7"),
        ("?v=a%20b", "a b"),
        ("?v=a+b", "a b"),
        ("?%76=7", "7"),
        ("?v=%C3%A9", "é"),
        ("?V=7", None),
        ("?v[]=7", None),
        ("?x=%ff&v=7", "7"),
    ],
)
def test_a_key_in_the_query(query: str, key: str | None) -> None:
    assert read_key("query.v", request(f"GET /{query}"), {}) == key


@pytest.mark.parametrize("query", ["?v=7&v=7", "?v=7&v=8", "?v=7&%76=8", "?v=7&v", "?v=%ff", "?v=%ED%A0%80"])
def test_a_query_key_that_stands_twice_or_is_not_utf_8_is_refused(query: str) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("query.v", request(f"GET /{query}"), {})


def test_a_key_in_a_header() -> None:
    assert read_key("header.X-Vendor", request("GET /", "x-vendor:  7 "), {}) == "7"
    assert read_key("header.X-Vendor", request("GET /", "X-Other: 7"), {}) is None


@pytest.mark.parametrize(
    "lines",
    [
        ["X-Vendor: 7", "X-Vendor: 7"],
        ["X-Vendor: 7", "x-vendor: 8"],
        ["X-Vendor: 7", "X_Vendor: 8"],
        ["X_Vendor: 8"],
        ["X-Vendor: 7", "Connection: X-Vendor"],
        ["X-Vendor: 7", "Connection: close, x-vendor"],
    ],
)
def test_a_header_key_that_the_shard_may_not_see_as_we_do_is_refused(lines: list[str]) -> None:
    # Found: `X_Vendor` beside `X-Vendor` (one header to a WSGI application), and a key that Connection takes away.
    with pytest.raises(AmbiguousKeyError):
        read_key("header.X-Vendor", request("GET /", *lines), {})


@pytest.mark.parametrize(
    ("body", "source", "key"),
    [
        ("", "body.v", None),
        ('{"v":"7"}', "body.v", "7"),
        ('{"v":7}', "body.v", "7"),
        ('{"v":-7}', "body.v", "-7"),
        ('{"v":12345678901234567890123}', "body.v", "12345678901234567890123"),
        (' { "x" : [ { "v" : "8" } ] , "v" : "7" } ', "body.v", "7"),
        (r'{"\u0076":"\u0037"}', "body.v", "7"),
        ('{"a":{"b":"7"}}', "body.a.b", "7"),
        ('{"a":{"b":"7"}}', "body.a", None),
        ('{"a":"x"}', "body.a.b", None),
        ('{"v":null}', "body.v", None),
        ('{"v":true}', "body.v", None),
        ('{"v":1.5}', "body.v", None),
        ('{"v":["7"]}', "body.v", None),
        ('[{"v":"7"}]', "body.v", None),
        ('"v"', "body.v", None),
        ('{"v":"é"}', "body.v", "é"),
    ],
)
def test_a_key_in_a_json_body(body: str, source: str, key: str | None) -> None:
    assert read_key(source, request("POST /", body=body), {}) == key


@pytest.mark.parametrize(
    "body",
    [
        b"no",
        b"{",
        b"v=7",
        b'{"v":"7"} x',
        b'{"v":"7","v":"7"}',
        b'{"v":"7","v":"8"}',
        rb'{"v":"7","\u0076":"8"}',
        b'{"v":"7","x":{"a":1,"a":2}}',
        b'{"v":"7","x":[[{"a":1,"a":2}]]}',
        b"\xef\xbb\xbf{}",
        b'{"v":"\xff"}',
        '{"v":"7"}'.encode("utf-16"),
        rb'{"v":"\ud800"}',
        b'{"v":' + b"9" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_a_body_that_is_not_plain_json_or_has_twins_at_any_depth_is_refused(body: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("body.v", request("POST /", body=body), {})


@pytest.mark.parametrize(
    "line",
    [
        "Content-Type: application/x-www-form-urlencoded",
        "content-type: Multipart/Form-Data; boundary=a",
        "Content-Type: application/json; charset=utf-7",
        'Content-Type: application/json;charset = "UTF-16"',
        "Content-Encoding: gzip",
    ],
)
def test_a_json_key_in_a_body_that_is_declared_as_something_else_is_refused(line: str) -> None:
    # Found: `{"v":"7","x":"&v=8&"}` is v=7 to one who reads JSON, and v=8 to an application that reads forms.
    with pytest.raises(AmbiguousKeyError):
        read_key("body.v", request("POST /", line, body='{"v":"7","x":"&v=8&"}'), {})
    assert read_key("body.v", request("POST /", line), {}) is None


@pytest.mark.parametrize(
    "line",
    [
        "Content-Type: application/json",
        "Content-Type: application/json; charset=UTF-8",
        'Content-Type: application/vnd.api+json; charset="utf-8"',
        "Content-Type: text/plain",
        "Content-Encoding: identity",
    ],
)
def test_a_json_key_in_a_body_that_is_declared_as_json_or_as_nothing_that_hides_a_key(line: str) -> None:
    assert read_key("body.v", request("POST /", line, body='{"v":"7"}'), {}) == "7"


@pytest.mark.parametrize("body", ['{"v":"7","V":"8"}', '{"V":"8"}', '{"x":{"v":1},"V":"8"}'])
def test_a_json_key_that_some_applications_would_find_in_another_case_is_refused(body: str) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("body.v", request("POST /", body=body), {})
    assert read_key("body.x", request("POST /", body=body), {}) is None


@pytest.mark.parametrize(("body", "key"), [("v=7&x=1", "7"), ("x=1", None), ("v=a+b%2C", "a b,"), ("", None)])
def test_a_key_in_a_form(body: str, key: str | None) -> None:
    assert read_key("form.v", request("POST /", body=body), {}) == key


@pytest.mark.parametrize("body", [b"v=7&v=8", b"v=7&%76=7", b"v=\xff", b"v=%ff"])
def test_a_form_key_that_stands_twice_or_is_not_plain_is_refused(body: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("form.v", request("POST /", body=body), {})


@pytest.mark.parametrize("line", ["Content-Type: multipart/form-data; boundary=a", "Content-Encoding: deflate"])
def test_a_form_key_in_a_body_that_is_declared_as_something_else_is_refused(line: str) -> None:
    # Found: a token per shard, by a form in parts whose client nobody here saw.
    with pytest.raises(AmbiguousKeyError):
        read_key("form.v", request("POST /", line, body="--a"), {})
    form = "Content-Type: application/x-www-form-urlencoded; charset=utf-8"
    assert read_key("form.v", request("POST /", form, body="v=7"), {}) == "7"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (basic(b"alice:secret"), "alice"),
        (basic(b"alice:a:b"), "alice"),
        (basic("é:x".encode()), "é"),
        (basic(b"alice:x").replace("Basic", "bASIC"), "alice"),
        ("Authorization: Bearer abc", None),
        ("Authorization: Basic !!!", None),
        ("Authorization: Basic", None),
        (basic(b"\xff:x"), None),
        ("X: y", None),
    ],
)
def test_a_key_that_is_the_user_of_basic_authentication(line: str, key: str | None) -> None:
    assert read_key("basic.username", request("GET /", line), {}) == key


def test_two_authorizations_are_refused() -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("basic.username", request("GET /", basic(b"a:x"), basic(b"b:x")), {})


def test_of_several_sources_those_that_are_present_must_agree() -> None:
    both = ("path.v", "query.v", "body.v")
    assert read_key(both, request("POST /", body='{"v":"7"}'), {}) == "7"
    assert read_key(both, request("POST /?v=7", body='{"v":7}'), {"v": "7"}) == "7"
    assert read_key(both, request("POST /"), {}) is None
    with pytest.raises(AmbiguousKeyError):
        read_key(both, request("POST /?v=8", body='{"v":"7"}'), {})
    with pytest.raises(AmbiguousKeyError):
        read_key(both, request("POST /?v=07"), {"v": "7"})


@pytest.mark.parametrize(
    ("key", "asked", "detail", "about"),
    [
        (
            "query.v",
            request("GET /?v=7&v=8"),
            "the parameter `v` stands twice, as `7` and `8`: one is accepted",
            {"parameter": "v"},
        ),
        ("header.X-V", request("GET /", "X-V: 7", "X-V: 8"), "the header `X-V` stands twice: one is accepted", None),
        (("query.v", "query.w"), request("GET /?v=7&w=8"), "name different keys: query.v `7`, query.w `8`", None),
        (("query.v", "header.X-V"), request("GET /?v=7", "X-V: 8"), "name different keys: query.v `7`", None),
    ],
)
def test_a_refusal_names_what_is_ambiguous_and_no_credentials(
    key: str | tuple[str, ...], asked: Request, detail: str, about: dict[str, str] | None
) -> None:
    with pytest.raises(AmbiguousKeyError) as refused:
        read_key(key, asked, {})
    assert refused.value.detail.endswith(detail)
    assert about is None or refused.value.about == about


def test_a_refusal_hides_values_of_parameters_that_look_like_secrets() -> None:
    with pytest.raises(AmbiguousKeyError) as refused:
        read_key("query.api_key", request("GET /?api_key=S3&api_key=S4"), {})
    assert refused.value.detail == "the parameter `api_key` stands twice, as `***` and `***`: one is accepted"
    with pytest.raises(AmbiguousKeyError) as refused:
        read_key(("query.token", "query.v"), request("GET /?token=S3&v=7"), {})
    assert "query.token `***`, query.v `7`" in refused.value.detail
    unknown = unknown_key("S3", ("path.id", "header.X-Api-Key"))
    assert (unknown.detail, unknown.about) == ("no shard owns the key `***`", {"key": "***"})
    assert unknown_key("7", "path.id").about == {"key": "7"}


def test_a_member_that_stands_twice_is_named_however_many_there_are() -> None:
    members = ",".join(f'"m{n}":{n}' for n in range(100_000))
    asked = request("POST /", "Content-Type: application/json")
    asked.body = f'{{"v":1,{members},"v":2}}'.encode()
    with pytest.raises(AmbiguousKeyError, match="the JSON member `v` stands twice"):
        read_key("body.v", asked, {})
