"""The key of a request: as the application will read it, or a refusal; never a guess."""

import base64

import pytest

from shardgate.core.errors import AmbiguousKeyError, TooComplexError
from shardgate.core.http import Request
from shardgate.core.limits import BLANK_BYTES_MAX, SEARCHED_MARKS_MAX
from shardgate.core.plan.key import has_readable_body, read_key, unknown_key
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
        ("?vs=7&w=8", None),
        ("?_v=7&v__in=8", None),
        ("?x=a%3Bv=1&v=7", "7"),
        ("?x=a;b&v=7", "7"),
        ("?x=%ff&v=7", "7"),
    ],
)
def test_a_key_in_the_query(query: str, key: str | None) -> None:
    assert read_key("query.v", request(f"GET /{query}"), {}) == key


@pytest.mark.parametrize(
    "query", ["?v=7&v=7", "?v=7&v=8", "?v=7&%76=8", "?v=7&v", "?v=%ff", "?v=%ED%A0%80", f"?v={'7' * 1025}"]
)
def test_a_query_key_that_stands_twice_or_is_not_utf_8_is_refused(query: str) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("query.v", request(f"GET /{query}"), {})


SPELLINGS = [
    "V_ID=8",
    "vId=8",
    "v-id=8",
    "v.id=8",
    "v_id[]=8",
    "v_id%5B%5D=8",
    "v_id[0]=8",
    "v_id[x]=8",
    "v_id.x=8",
    "%56_id=8",
    "v_id%00=8",
    "v_id%00x=8",
    "%20v_id=8",
    "+v_id=8",
    "v_id+=8",
    "v_id%09=8",
    "?v_id=8",
    "%EF%BD%96_id=8",
    "v_%C4%B1d=8",
    "v_%C4%B0d=8",
    "%2576_id=8",
    "[v_id]=8",
    "x=1;v_id=8",
    "x;v_id=8",
    "x=1&amp;v_id=8",
    "x=1;V_ID=8",
    "V_ID",
]
"""What some parser reads as `v_id`."""


@pytest.mark.parametrize("other", SPELLINGS)
def test_a_second_spelling_of_a_parameter_is_refused_in_query_and_form(other: str) -> None:
    # Found: `vendor=n-1&Vendor=s-1` went to the shard of n-1, and the application took s-1.
    for text in (other, f"v_id=7&{other}", f"{other}&v_id=7"):
        with pytest.raises(AmbiguousKeyError, match="v_id"):
            read_key("query.v_id", request(f"GET /?{text}"), {})
        with pytest.raises(AmbiguousKeyError, match="v_id"):
            read_key("form.v_id", request("POST /", body=text), {})


@pytest.mark.parametrize("value", ["v_id=7;x=1", "v_id=7;", "v_id;x=7"])
def test_a_key_that_a_semicolon_may_end_is_refused(value: str) -> None:
    with pytest.raises(AmbiguousKeyError, match="`;`"):
        read_key("query.v_id", request(f"GET /?{value}"), {})


@pytest.mark.parametrize("other", ["x[v]=8", "filter[w]=8", "filters[v]=8", "v=8"])
def test_a_key_in_brackets_has_neighbours(other: str) -> None:
    assert read_key("query.filter[v]", request(f"GET /?filter[v]=7&{other}"), {}) == "7"


@pytest.mark.parametrize("other", ["filter=8", "filter.v=8", "Filter[v]=8", "filter[v][]=8"])
def test_a_key_in_brackets_has_other_spellings(other: str) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("query.filter[v]", request(f"GET /?filter[v]=7&{other}"), {})


def test_parameters_have_bounds() -> None:
    # Found: a form of 4.2 million fields took 23 s and 670 MB.
    thousand = "&".join(f"a{n}=1" for n in range(999))
    assert read_key("form.v", request("POST /", body=f"{thousand}&v=7"), {}) == "7"
    for body in (f"{thousand}&v=7&b", "v=7&a=" + ";" * 1001, f"{'a' * 513}=1&v=7", "a" * 513):
        with pytest.raises(TooComplexError):
            read_key("form.v", request("POST /", body=body), {})
    with pytest.raises(TooComplexError, match="the query has more than 1000 parameters"):
        read_key("query.v", request(f"GET /?{'a&' * 1000}v=7"), {})


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
        ["X-Vendor: 7", "X.Vendor: 8"],
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
        ('{"v":-0}', "body.v", "0"),
        ('{"v":"7","x":{"a":1,"a":2}}', "body.v", "7"),
        ('{"v":{"w":{"x":7,"y":{}}},"z":{"v":1}}', "body.v.w.x", "7"),
        ('{"v":{},"w":[]}', "body.v.x", None),
        (r'{"x":"\ud83d","v":"7"}', "body.v", "7"),
        ('{"_v":1,"v_":2,"v__x":3,"v":"7"}', "body.v", "7"),
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
        b'{"v":"7","x":1,"x":2}',
        b'{"v":"7","x":[1,2}',
        b'{"v":"7","x":NaN}',
        b'{"v":"7",}',
        b'{"v":"7"',
        b'{"v":"7","x":"\n"}',
        b'{"v":7.0}',
        b'{"v":7e1}',
        b'{"v":' + b"9" * 1025 + b"}",
        b'{"v":"' + b"9" * 1025 + b'"}',
        b"\xef\xbb\xbf{}",
        b'{"v":"\xff"}',
        '{"v":"7"}'.encode("utf-16"),
        rb'{"v":"\ud800"}',
        b'{"v":' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_is_not_plain_json_or_has_twins_beside_the_key_is_refused(body: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key("body.v", request("POST /", body=body), {})


@pytest.mark.parametrize(
    "line",
    [
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/xml",
        "Content-Type: application/x-www-form-urlencoded, application/json",
        "Content_Type: application/json",
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


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"v":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"v":1,' + b",".join(b'"m%d":1' % n for n in range(1000)) + b"}",
        b'{"v":{"v":1,' + b",".join(b'"m%d":1' % n for n in range(1000)) + b"}}",
        b'{"' + b"a" * 513 + b'":1}',
        b'{"' + rb"\u0061" * 513 + b'":1}',
        b'{"v":1,"x":[' + b"123," * SEARCHED_MARKS_MAX + b"1]}",
        b'{"v":1' + b" \n" * BLANK_BYTES_MAX + b"}",
    ],
)
def test_what_would_take_long_to_read_is_refused(body: bytes) -> None:
    # Found: a JSON body of 16 MiB took 6.7 s and 470 MB.
    with pytest.raises(TooComplexError):
        read_key("body.v.v", request("POST /", body=body), {})


def test_a_long_body_may_have_long_runs_of_white_space() -> None:
    text = b'{"x":"%b"%b,"v":7}' % (b"x" * BLANK_BYTES_MAX, b" " * BLANK_BYTES_MAX)
    assert read_key("body.v", request("POST /", body=text), {}) == "7"


@pytest.mark.parametrize(
    "other", ["V_id", "vId", "v-id", "v.id", "v id", " v_id", r"v_id\u0000", "\uff56_id", "v_\u0131d", "v_id[]"]
)
def test_a_second_spelling_of_a_json_member_is_refused(other: str) -> None:
    for body in (f'{{"a":{{"{other}":8}}}}', f'{{"a":{{"v_id":7,"{other}":8}}}}'):
        with pytest.raises(AmbiguousKeyError, match="v_id"):
            read_key("body.a.v_id", request("POST /", body=body), {})


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


@pytest.mark.parametrize(
    "line",
    [
        "Content-Type: multipart/form-data; boundary=a",
        "Content-Type: application/json",
        "Content-Type: text/plain",
        "Content-Encoding: deflate",
    ],
)
def test_a_form_key_in_a_body_that_is_declared_as_something_else_is_refused(line: str) -> None:
    # Found: a token per shard, by a form in parts whose client nobody here saw.
    with pytest.raises(AmbiguousKeyError):
        read_key("form.v", request("POST /", line, body="--a"), {})
    with pytest.raises(AmbiguousKeyError):
        read_key("form.v", request("POST /", body='{"a":"&v=7&"}'), {})
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
    members = ",".join(f'"m{n}":{n}' for n in range(900))
    asked = request("POST /", "Content-Type: application/json")
    asked.body = f'{{"v":1,{members},"v":2}}'.encode()
    with pytest.raises(AmbiguousKeyError, match="the JSON member `v` stands twice"):
        read_key("body.v", asked, {})


@pytest.mark.parametrize(
    ("line", "body", "key"),
    [
        ("Content-Type: application/json", '{"v":7}', "7"),
        ("Content-Type: application/x-www-form-urlencoded", "v=7", "7"),
        ("Content-Type: application/x-www-form-urlencoded; charset=utf-8", "w=7", None),
        ("X: y", '{"v":7}', "7"),
        ("Content-Type: application/json", "", None),
    ],
)
def test_a_key_in_a_body_or_a_form_is_where_the_body_is_declared_to_have_it(
    line: str, body: str, key: str | None
) -> None:
    assert read_key(("body.v", "form.v"), request("POST /", line, body=body), {}) == key


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("Content-Type: application/json", "v=7"),
        ("Content-Type: application/x-www-form-urlencoded", "v=7&v=8"),
        ("Content-Type: multipart/form-data; boundary=a", "v=7"),
        ("Content-Type: application/xml", "<v>7</v>"),
    ],
)
def test_neither_a_body_nor_a_form_is_refused(line: str, body: str) -> None:
    with pytest.raises(AmbiguousKeyError):
        read_key(("body.v", "form.v"), request("POST /", line, body=body), {})


@pytest.mark.parametrize(
    ("key", "line", "body", "readable"),
    [
        ("body.v", "Content-Type: application/json", "{", False),
        ("body.v", "Content-Type: application/json", b"\xff", False),
        ("body.v", "Content-Type: application/xml", "<v/>", False),
        ("body.v", "Content-Type: application/json", '{"v":7,"v":8}', True),
        ("body.v", "Content-Type: application/json", "[]", True),
        ("form.v", "Content-Type: application/json", "{}", False),
        ("form.v", "Content-Type: application/x-www-form-urlencoded", "v=7&v=8", True),
        (("body.v", "form.v"), "Content-Type: text/xml", "v", False),
        ("path.v", "Content-Type: text/xml", "v", True),
        ("body.v", "X: y", "", True),
    ],
)
def test_whether_a_body_can_have_a_key(key: str | tuple[str, ...], line: str, body: str, readable: bool) -> None:
    assert has_readable_body(key, request("POST /", line, body=body)) is readable


def test_a_body_of_two_media_types_is_not_readable_for_one_and_not_for_the_other() -> None:
    with pytest.raises(AmbiguousKeyError):
        has_readable_body("body.v", request("POST /", "Content-Type: text/xml, application/json", body="{"))
