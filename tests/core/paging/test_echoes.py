"""What a page is, under whatever names the application has for it."""

import msgspec

from shardgate.core.contracts import Merged, Page
from shardgate.core.dialect.envelope import Envelope
from shardgate.core.http import Reply
from tests.core.requests import request

NAMES = (
    *("limit", "offset", "page", "pages", "total", "count", "from", "to", "has_next", "has_previous", "is_first"),
    *("is_last", "is_empty", "next_page", "previous_page", "next_offset", "previous_offset"),
)


def said(offset: int, limit: int, shown: int, total: int | None, *, more: bool) -> list[object]:
    dialect = Envelope(echoes={f"m.{name}": name for name in NAMES})  # type: ignore[misc]
    page = Page(offset, limit, (), None)
    merged = Merged(request("GET /rows"), page, b"[]", shown, total, more=more, reply=Reply(200, [], b"{}"))
    return [dialect.echoed(merged).get(f"m.{name}", "kept") for name in NAMES]


def test_a_page_in_the_middle_the_last_and_one_behind_it() -> None:
    assert said(10, 5, 5, 18, more=True) == [
        *(5, 10, 3, 4, 18, 5, 11, 15, True, True, False),
        *(False, False, 4, 2, 15, 5),
    ]
    assert said(15, 5, 3, 18, more=False)[8:] == [False, True, False, True, False, None, 3, None, 10]
    assert said(20, 5, 0, None, more=False)[3:8] == [None, None, 0, None, None]
    assert said(0, 5, 0, 0, more=False)[8:] == [False, False, True, True, True, None, None, None, None]
    # Of a list without rows, each shard says itself how many pages it has, and where an empty page begins.
    assert said(0, 5, 0, 0, more=False)[3:8] == ["kept", 0, 0, "kept", "kept"]
    assert said(5, 5, 0, 0, more=False)[3:8] == ["kept", 0, 0, None, None]


def test_an_application_without_further_members_costs_nothing() -> None:
    assert (
        Envelope().echoed(
            Merged(request("GET /"), Page(0, 1, (), None), b"", 0, 0, more=False, reply=Reply(200, [], b""))
        )
        == {}
    )


def test_a_member_that_is_left_out_is_added_where_it_belongs() -> None:
    dialect = Envelope(items="value", total=None, urls={"next": "@odata.nextLink", "prev": "links.prev"})
    page = Page(2, 2, (), None)
    bodies = [(b'{"value":[]}', {}), (b'{"value":[],"links":null}', {}), (b'{"value":[],"links":{"a":1}}', {"a": 1})]
    for body, kept in bodies:
        shard = Reply(200, [], body)
        merged = Merged(request("GET /rows?offset=2&limit=2"), page, b"[1,2]", 2, None, more=True, reply=shard)
        prev, following = "http://a/rows?offset=0&limit=2", "http://a/rows?offset=4&limit=2"
        expected = {"value": [1, 2], "links": {**kept, "prev": prev}, "@odata.nextLink": following}
        assert msgspec.json.decode(dialect.close(merged).body) == expected


def test_where_a_page_starts_is_said_of_a_page_without_rows_too() -> None:
    # Found: `pagingCounter` of mongoose-paginate was `null` on a page behind the last row, with 200.
    dialect = Envelope(items="docs", total="totalDocs", echoes={"pagingCounter": "start"})
    shard = Reply(200, [], b'{"docs":[],"totalDocs":1,"pagingCounter":1}')
    merged = Merged(request("GET /rows"), Page(20, 10, (), None), b"[]", 0, 3, more=False, reply=shard)
    assert dialect.close(merged).body == b'{"docs":[],"totalDocs":3,"pagingCounter":21}'


def test_page_0_is_a_page() -> None:
    dialect = Envelope(echoes={"before": "previous_offset"}, total=None)
    for own in (b'{"items":[],"before":null}', b'{"items":[]}'):
        shard, page = Reply(200, [], own), Page(2, 2, (), None)
        merged = Merged(request("GET /rows"), page, b"[]", 0, None, more=False, reply=shard)
        assert dialect.close(merged).body == b'{"items":[],"before":0}'
