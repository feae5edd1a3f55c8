"""Links begin as the client's own request did."""

import json
from typing import Any

import msgspec
import pytest

from shardgate.core.contracts import Merged, Page
from shardgate.core.dialect.drf import Drf
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.id_cursor import IdCursor
from shardgate.core.dialect.json_api import JsonApi
from shardgate.core.dialect.link_header import LinkHeader
from shardgate.core.dialect.pages import Pages
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.paging.links import address
from tests.core.requests import request


@pytest.mark.parametrize(
    ("scheme", "origin", "begins"),
    [
        ("http", None, "http://gateway"),
        ("https", None, "https://gateway"),
        ("https", "http://api.example.com/", "http://api.example.com"),
        ("https", "", ""),
    ],
)
def test_an_address_begins_with_what_the_client_spoke_unless_the_rule_says_otherwise(
    scheme: str, origin: str | None, begins: str
) -> None:
    asked = request("GET /rows?cursor=a")
    asked.scheme = scheme
    begins = begins.replace("gateway", asked.fields.host.decode())
    assert address(asked, origin, "cursor=b") == f"{begins}/rows?cursor=b"
    assert address(asked, origin, "") == f"{begins}/rows"


RELATIVE = [
    (Envelope(urls={"next": "next"}), {"items": [], "next": "/rows?offset=2"}),
    (Pages(limit_default=2, limit_max=2, urls={"next": "next"}), {"items": [], "next": "?page=2"}),
    (Drf(limit_default=2, limit_max=2), {"results": [], "count": 9, "next": "/rows?page=2"}),
    (IdCursor(limit_default=2, next="next"), {"data": [], "next": "/rows?starting_after=2"}),
]


@pytest.mark.parametrize(("dialect", "body"), RELATIVE)
def test_a_relative_address_of_a_shard_is_a_502_where_origin_is_not_said(dialect: Any, body: dict[str, Any]) -> None:
    # Found: absolute addresses where the application writes relative ones, with 200.
    reply = Reply(200, [], json.dumps(body).encode())
    with pytest.raises(BrokenReplyError, match="relative"):
        dialect.open(reply)
    for origin, begin in (("", "/rows"), (None, "http://a/rows"), (None, "//a/rows"), (None, "")):
        said = Reply(200, [], json.dumps({**body, "next": begin}).encode())
        msgspec.structs.replace(dialect, origin=origin).open(said)


def test_links_in_an_object_and_in_the_head_likewise() -> None:
    page = Merged(request("GET /rows"), Page(0, 2, (), None), b"[]", 2, 9, more=True, reply=Reply(200, [], b""))
    for link in ("/rows?page=2", {"href": "/rows?page=2"}):
        body = json.dumps({"links": {"next": link}}).encode()
        with pytest.raises(BrokenReplyError, match="relative"):
            JsonApi(limit_default=2, limit_max=2).linked(page, body, "links", {"next": "x"}, absent=True)
    with pytest.raises(BrokenReplyError, match="relative"):
        LinkHeader(limit_default=2, limit_max=2).open(Reply(200, [(b"Link", b"</rows?page=2>; rel=next")], b"[]"))


def test_a_link_to_the_page_itself_may_be_the_clients_own_query() -> None:
    # Found: `links.self` of fastapi-pagination stated a page that the client had not asked for, with 200.
    shard = Reply(200, [], b'{"items":[],"links":{"self":"/rows?size=2&page=1"}}')
    merged = Merged(request("GET /rows?q=a"), Page(0, 2, (), None), b"[]", 2, 9, more=True, reply=shard)
    dialect = Pages(limit_default=2, limit_max=9, origin="", urls={"self": "links.self"}, self_as_asked=True)
    assert dialect.close(merged).body == b'{"items":[],"links":{"self":"/rows?q=a"}}'
    stated = msgspec.structs.replace(dialect, self_as_asked=False)
    assert stated.close(merged).body == b'{"items":[],"links":{"self":"/rows?q=a&page=1"}}'
