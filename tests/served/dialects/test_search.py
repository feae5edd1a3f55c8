"""Lists by POST, with the page in a JSON body."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from shardgate.config.load import ConfigError
from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world
from tests.waiting import delivered

STARTS: dict[str, Any] = {
    "kind": "search",
    "limit": "pagination.count",
    "offset": "pagination.start",
    "offset_first": 1,
    "order": "sorting",
    "limit_default": 10,
    "limit_max": 30,
    "total": "totalCount",
}
NUMBERS: dict[str, Any] = {
    "kind": "search",
    "limit": "pageSize",
    "page": "page",
    "order": "sortField",
    "direction": "sortOrder",
    "limit_default": 10,
    "limit_max": 30,
    "total": "totalHits",
    "page_count": "pages",
    "page_echo": "page",
    "limit_echo": "size",
    "count_echo": "shown",
    "has_more": "more",
}
POST = "POST /rows/search"


def by_start(rows: list[Row], asked: Question) -> bytes:
    said = json.loads(asked.body)
    block = said.get("pagination") or {}
    count, start = block.get("count", 10), block.get("start", 1)
    if not 1 <= count <= 30 or start < 1:
        return reply(json.dumps({"error": "pagination", "was": block}), status="400 Bad Request")
    found = [row for row in rows if said.get("query", "") in row["name"]]
    shown = ranked(found, minus(said.get("sorting")))[start - 1 : start - 1 + count]
    return reply(json.dumps({"items": shown, "totalCount": len(found), "query": said.get("query")}))


def by_number(rows: list[Row], asked: Question) -> bytes:
    said = json.loads(asked.body)
    size, page = min(said.get("pageSize", 10), 30), said.get("page", 1)
    order = [(said["sortField"], said.get("sortOrder") == "DESC")] if "sortField" in said else []
    shown = ranked(rows, order)[(page - 1) * size : page * size]
    pages = -(-len(rows) // size)
    block = {"page": page, "size": size, "pages": pages, "more": page < pages, "shown": len(shown)}
    return reply(json.dumps({"totalHits": len(rows), "items": shown, **block}))


@pytest.mark.parametrize(
    "more", ["", '"query": "\\u00c5re",', '"sorting": "-name",', '"sorting":"price,-name","x":[1.0,1e400],']
)
async def test_every_page_forward_and_back(stack: AsyncExitStack, tmp_path: Path, more: str) -> None:
    rows = await world(stack, tmp_path, by_start, STARTS, operation=POST)
    seen: list[str] = []
    total, start = 1, 1
    while start <= total:
        body = (await ask(rows, f'{{{more} "pagination": {{"start": {start},  "count": 17}} }}')).json()
        seen += [row["id"] for row in body["items"]]
        total, start = body["totalCount"], start + 17
    assert len(seen) == len(set(seen)) == total
    for back in range(start, 0, -17):
        await ask(rows, f'{{{more} "pagination": {{"count": 17, "start": {back}}}}}')


async def ask(rows: World, body: str) -> Any:
    return await rows.both("/rows/search", body=body.encode(), **{"Content-Type": "application/json"})


@pytest.mark.parametrize("more", ["", ',"sortField":"name"', ',"sortField":"price","sortOrder":"DESC"'])
async def test_page_numbers(stack: AsyncExitStack, tmp_path: Path, more: str) -> None:
    rows = await world(stack, tmp_path, by_number, NUMBERS, operation=POST)
    seen: list[str] = []
    page, going = 1, True
    while going:
        body = (await ask(rows, f'{{"page":{page},"pageSize":17{more}}}')).json()
        seen += [row["id"] for row in body["items"]]
        page, going = page + 1, body["more"]
    assert len(seen) == len(set(seen)) == 120
    for back in range(page, 0, -1):
        await ask(rows, f'{{"page":{back},"pageSize":17{more}}}')


async def test_without_page_parameters_the_first_page_is_served(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_start, STARTS, operation=POST)
    for body in ("{}", ' { "query" : "e" } ', '{"pagination":null}', '{"pagination":{}}', '{"pagination":{"count":3}}'):
        assert (await ask(rows, body)).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_long_body_that_arrives_bit_by_bit_is_read_whole_before_a_shard_is_asked(
    stack: AsyncExitStack, tmp_path: Path, chunked: bool
) -> None:
    rows = await world(stack, tmp_path, by_start, STARTS, operation=POST)
    body = b'{"tags": ["%b"], "pagination": {"count": 7, "start": 5}}' % (b"x" * 200_000)
    framing = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    reader, writer = await asyncio.open_connection("127.0.0.1", rows.gateway.port)
    writer.write(b"POST /rows/search HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%b\r\n\r\n" % (rows.gateway.port, framing))
    try:
        for start in range(0, len(body), 40_000):
            await delivered(writer)
            assert all(not part.asked for part in rows.parts)
            piece = body[start : start + 40_000]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if chunked else b"")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    finally:
        writer.close()
    expected = await rows.gateway.client.post(rows.whole.url + "/rows/search", content=body)
    assert (await rows.gateway.client.post("/rows/search", content=body)).text == expected.text
    for part in rows.parts:
        first = part.asked[0]
        assert first.line == "POST /rows/search HTTP/1.1"
        assert (first.field("transfer-encoding"), first.field("content-length")) == ([], [str(len(first.body))])
        assert json.loads(first.body)["tags"] == ["x" * 200_000]


async def test_a_body_longer_than_what_is_held_is_refused(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_start, STARTS, operation=POST)
    answer = await rows.gateway.client.post("/rows/search", content=b'{"x":"%b"}' % (b"x" * 17_000_000))
    assert answer.status_code == 413
    assert all(not part.asked for part in rows.parts)


async def test_deep_pages(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_start, STARTS, operation=POST, size=3000)
    for start in (900, 2000, 2990, 4000):
        await ask(rows, f'{{"sorting":"-price","pagination":{{"start":{start},"count":20}}}}')


async def test_a_refusal_of_the_application_is_passed_on(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_start, {**STARTS, "limit_over": "refuse"}, operation=POST)
    for block in ('{"count":31}', '{"count":-1}', '{"start":0}', '{"start":-4,"count":3}'):
        assert (await ask(rows, f'{{"pagination":{block}}}')).status_code == 400


@pytest.mark.parametrize(
    "body", ['{"page":2,"page":3}', '{"Page":2}', '{"PAGESIZE":3,"page":2}', '{"page":true}', '{"page":"x"}', "[]", ""]
)
async def test_a_body_that_servers_read_differently_is_refused(
    stack: AsyncExitStack, tmp_path: Path, body: str
) -> None:
    rows = await world(
        stack, tmp_path, lambda part, asked: reply('{"items":[],"totalHits":0}'), NUMBERS, operation=POST
    )
    answer = await rows.gateway.client.post("/rows/search", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1009")


async def test_only_what_reads_a_body_is_gathered_by_post(stack: AsyncExitStack, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a gather reads, and POST does not"):
        await world(stack, tmp_path, by_start, {"kind": "envelope"}, operation=POST)
    with pytest.raises(ConfigError, match="which a GET has not"):
        await world(stack, tmp_path, by_start, STARTS)


async def test_l2_a_query_that_pages_beside_the_body_is_refused(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: an application that reads parameters from both gave so many rows of each shard, with a 200.
    rows = await world(stack, tmp_path, by_start, STARTS | {"refuse": ["top"]}, operation=POST)
    for query in ("pagination.count=3", "pagination[count]=3", "Pagination.Start=2", "sorting=name", "top=3"):
        refused = await rows.gateway.client.post(f"/rows/search?{query}", json={})
        assert (refused.status_code, refused.json()["code"]) == (400, "SG1009"), query
    assert (await rows.gateway.client.post("/rows/search?lang=fi", json={})).status_code == 200


@pytest.mark.parametrize("name", ["top", "Top"])
async def test_a_member_that_the_rule_refuses_is_refused(stack: AsyncExitStack, tmp_path: Path, name: str) -> None:
    # Found: `refuse` was read for the query alone, so that each shard gave its own first three.
    rows = await world(stack, tmp_path, by_start, STARTS | {"refuse": ["top"]}, operation=POST)
    refused = await rows.gateway.client.post("/rows/search", json={name: 3})
    assert (refused.status_code, refused.json()["member"]) == (400, "top")
