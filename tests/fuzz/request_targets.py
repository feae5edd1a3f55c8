"""Readers of what requests say: keys, pages, cursors, claims, idempotency keys."""

import email.policy
import json
from urllib.parse import parse_qsl

import msgspec

from shardgate.core.changes.idempotency import client_of, fingerprint_of, key_of
from shardgate.core.clients.claims import judge, keys_in
from shardgate.core.clients.terms import KeySource, TokenTerms
from shardgate.core.contracts import Merged, Page
from shardgate.core.cursors.seal import MergedCursor, Seal
from shardgate.core.dialect.json_api import JsonApi
from shardgate.core.dialect.offset import Offset
from shardgate.core.dialect.pages import Pages
from shardgate.core.errors import InvalidTokenError
from shardgate.core.http import Reply, Request
from shardgate.core.paging.links import with_values
from shardgate.core.paging.query import name_of, pairs_of, values_of
from shardgate.core.plan.key import read_key
from shardgate.core.wire.request_head import RequestHeadParser
from tests.fuzz.target import Target, of_client, of_shard


def _request(target: bytes = b"/", *lines: bytes, body: bytes = b"") -> Request:
    request = RequestHeadParser().parse(b"\r\n".join([b"POST " + target + b" HTTP/1.1", b"Host: a", *lines, b""]))
    request.body = body
    return request


def _is_text(key: str | None) -> None:
    assert key is None or key.encode() is not None


def query(data: bytes) -> None:
    """A key and a page out of a query, and the query with another value."""
    request = _request(b"/list?" + data)
    _is_text(read_key("query.id", request, {}))
    values_of(request.query, "id")
    assert len(pairs_of(request.query)) == len(parse_qsl(request.query, keep_blank_values=True))
    assert values_of(with_values(request.query, {"id": "a&b"}), "id").count("a&b") >= 1
    for part in request.query.split("&"):
        name_of(part)


def paging(data: bytes) -> None:
    """A page that is read can be asked for."""
    request = _request(b"/list?" + data)
    for dialect in (
        Offset(limit_default=10, fields="fields", passes=("page", "page_size")),
        Pages(items="rows", limit_default=10, limit_max=50, passes=("limit", "offset")),
    ):
        page = dialect.read(request)
        dialect.problem(request)
        if isinstance(page, msgspec.Struct):
            dialect.ask(request, page, None)


def form(data: bytes) -> None:
    """A key in a form; a body that says it is something else is refused."""
    _is_text(read_key("form.id", _request(b"/", b"Content-Type: application/x-www-form-urlencoded", body=data), {}))
    _is_text(read_key(("form.id", "query.id"), _request(b"/", body=data), {}))


_MULTIPART = b"Content-Type: multipart/form-data; boundary=xYz"


def multipart(data: bytes) -> None:
    """A key in a form with files is the one that another parser finds, or the form is refused."""
    key = read_key("form.id", _request(b"/", _MULTIPART, body=data), {})
    _is_text(key)
    if key is not None:
        whole = email.message_from_bytes(_MULTIPART + b"\r\n\r\n" + data, policy=email.policy.HTTP)
        named = [part for part in whole.iter_parts() if part.get_param("name", header="content-disposition") == "id"]
        assert [part.get_payload(decode=True) for part in named] == [key.encode()]


def body(data: bytes) -> None:
    """A key in JSON is the one that another parser finds, or the body is refused."""
    request = _request(b"/", b"Content-Type: application/json", body=data)
    key = read_key("body.id", request, {})
    _is_text(key)
    _is_text(read_key("body.a.b", request, {}))
    if key is not None:
        assert str(json.loads(data, parse_int=str)["id"]) == key


def content_type(data: bytes) -> None:
    """Declarations of a body: multipart, charsets, codings."""
    request = _request(b"/", b"Content-Type: " + data, body=b'{"id":"a"}')
    assert read_key("body.id", request, {}) == "a"


def headers(data: bytes) -> None:
    """Keys in header fields, and in Basic authentication."""
    request = _request(b"/", b"X-Key: " + data, b"Authorization: Basic " + data)
    for source in ("header.X-Key", "basic.username", "basic.client_id"):
        _is_text(read_key(source, request, {}))


def idempotency(data: bytes) -> None:
    """A key has 1 to 255 characters."""
    request = _request(b"/", b"Idempotency-Key: " + data, b"Authorization: " + data)
    key = key_of(request)
    assert key is None or 1 <= len(key) <= 255
    client_of(request, ("Authorization", "claim.sub"))
    fingerprint_of(request)


_TERMS = TokenTerms(("HS256",), KeySource("key_env", "X", 300), "issuer", ("us",), 5.0, "sub")


def claims(data: bytes) -> None:
    """Claims of a token whose signature is good."""
    try:
        said = msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidTokenError("refused") from None
    judge(said, _TERMS, 1_000_000.0)
    for name in ("sub", "vendor", "a"):
        keys_in(said, name)


_SEAL = Seal((b"s" * 32, b"t" * 32), 100)


def cursor(data: bytes) -> None:
    """What we sealed is opened as it was; nothing else is opened."""
    text = data.decode("latin-1")
    made = MergedCursor(10**9, data[:12], b"x" * 12, data, (text, None))
    assert _SEAL.open(_SEAL.close(made), 0.0) == made
    _SEAL.open(text, 0.0)


_LINKS = JsonApi(limit_default=2, limit_max=9)
_PAGE = Merged(_request(), Page(0, 2, (), None), b"[]", 2, 9, more=True, reply=Reply(200, [], b""))


def links(data: bytes) -> None:
    """Links of pages in a shard's body."""
    _LINKS.linked(_PAGE, data, "links", {"next": "http://a/?page=2", "prev": None}, absent=False)


_OPEN = _SEAL.close(MergedCursor(10**9, b"a", b"b", b"{}", ("x", None))).encode()
_CLAIMS = b'{"iss":"issuer","aud":["us"],"sub":"a","exp":2000000,"nbf":1,"iat":1.5,"vendor":["v"]}'

REQUESTS: dict[str, Target] = {
    "query": of_client(query, b"limit=2&order=name&id=n-1", b"id=%C3%A9&id[]=1&a=+b", b"&&=&id"),
    "paging": of_client(
        paging, b"limit=2&offset=10&order=-n,id&fields=id", b"page=3&page_size=10", b"limit=9&limit=10"
    ),
    "form": of_client(form, b"id=n-1&client_secret=x%20y+z", b"id=%E9&ID=2", b"a=1;id=2&id="),
    "multipart": of_client(
        multipart,
        b'--xYz\r\nContent-Disposition: form-data; name="id"\r\n\r\nn-1\r\n--xYz--\r\n',
        b'--xYz\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\nContent-Type: image/png'
        b"\r\n\r\n\x89\r\n--xY"
        b"\r\n--xYz\r\ncontent-disposition: form-data; name=id\r\ncontent-type: text/plain\r\n\r\nn-1\r\n--xYz--",
    ),
    "body": of_client(
        body, b'{"id":"n-1","a":{"b":7}}', b'{"id":12,"x":[1,2,{"id":"y"}]}', b'[{"id":1}]', b'{"Id":"x"}', b""
    ),
    "content_type": of_client(
        content_type,
        b'application/json; charset="utf-8"',
        b"multipart/form-data; boundary=x",
        b"text/plain",
        b"a/b; charset=us-ascii",
    ),
    "headers": of_client(headers, b"n-1", b"dXNlcjpwYXNz", b"dXMlMjBlcjo=", b"\xe9"),
    "idempotency": of_client(idempotency, b'"a-key"', b"bare-key", b'"quoted \\" inside"', b'"a"; b=c'),
    "claims": of_client(claims, _CLAIMS, b'{"sub":1,"exp":"x"}', b'{"aud":{},"exp":1e999}', b"{}"),
    "cursor": of_client(cursor, _OPEN, b"abc", _OPEN[:-4], b"a.b"),
    "links": of_shard(
        links, b'{"links":{"next":"/a?page=2","self":{"href":"/a"}},"data":[]}', b'{"links":null}', b"{}"
    ),
}
