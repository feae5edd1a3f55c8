"""Lists that are answered though a shard is missing: exactly those of the other shards, and marked as such."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import reply, running_shard
from tests.served.dialects import (
    test_content_range,
    test_cursor,
    test_drf,
    test_envelope,
    test_hal,
    test_id_cursor,
    test_json_api,
    test_link_header,
    test_ndjson,
    test_offset,
    test_pages,
    test_search,
    test_whole,
)
from tests.served.dialects.world import SPEAKING, Question, Row, World, world
from tests.served.test_reports import REPORT, by_get

Case = tuple[Any, dict[str, Any], str, str]


def union(rows: list[Row], asked: Question) -> bytes:
    return reply(json.dumps(sorted({row["name"] for row in rows}), ensure_ascii=False))


def numbers(rows: list[Row], asked: Question) -> bytes:
    return reply(json.dumps({"count": len(rows), "dearest": max(row["price"] for row in rows)}))


def counted(rows: list[Row], asked: Question) -> bytes:
    return reply(str(len(rows)))


LISTS: dict[str, Case] = {
    "offset": (test_offset.speak, test_offset.DIALECT, "GET /rows", "/rows?limit=7&offset=3"),
    "deep": (test_offset.speak, test_offset.DIALECT, "GET /rows", "/rows?limit=5&offset=60&order=name"),
    "long": (test_offset.speak, test_offset.DIALECT, "GET /rows", "/rows?limit=110"),
    "envelope": (test_envelope.speak, test_envelope.DIALECT, "GET /rows", "/rows?limit=9"),
    "content_range": (test_content_range.speak, test_content_range.DIALECT, "GET /rows", "/rows?limit=9&offset=9"),
    "link_header": (test_link_header.by_offset, test_link_header.OFFSETS, "GET /rows", "/rows?limit=9&offset=9"),
    "pages": (test_pages.speak, test_pages.DIALECT, "GET /rows", "/rows?page=2&page_size=9"),
    "drf": (test_drf.by_number, test_drf.NUMBERS, "GET /rows", "/rows?page=2"),
    "hal": (test_hal.speak, test_hal.DIALECT, "GET /rows", "/rows?page=1&size=10"),
    "json_api": (test_json_api.by_number, test_json_api.NUMBERS, "GET /rows", "/rows?page[number]=2"),
    "ndjson": (test_ndjson.speak, test_ndjson.DIALECT, "GET /rows", "/rows?limit=9"),
    "search": (test_search.by_start, test_search.STARTS, "POST /rows", "/rows"),
    "whole": (test_whole.speak, {"kind": "whole"}, "GET /rows", "/rows"),
    "cursor": (test_cursor.in_body, {**test_cursor.BODY, "seal": None}, "GET /rows", "/rows?limit=10"),
    "id_cursor": (test_id_cursor.comparing, test_id_cursor.DIALECT, "GET /rows", "/rows?limit=10"),
}
MERGES: dict[str, Case] = {
    "groups": (by_get, REPORT, "GET /rows", "/rows"),
    "union": (union, {"kind": "union"}, "GET /rows", "/rows"),
    "numbers": (numbers, {"kind": "numbers", "sum": ["count"], "max": ["dearest"]}, "GET /rows", "/rows"),
    "count": (counted, {"kind": "count"}, "GET /rows", "/rows"),
}
CASES = [*LISTS, *MERGES]
SEARCHED = b'{"pagination": {"count": 9}}'


async def start(stack: AsyncExitStack, folder: Path, name: str, missing: Any = "partial", **more: Any) -> World:
    speak, config, operation, _ = {**LISTS, **MERGES}[name]
    dialect = {key: value for key, value in config.items() if key != "seal"}
    if name in MERGES:
        return await world(stack, folder, speak, {}, instead=config, missing=missing, **more)
    return await world(stack, folder, speak, dialect, operation=operation, missing=missing, **more)


async def asked(rows: World, name: str, **headers: str) -> httpx.Response:
    method, target = LISTS.get(name, MERGES.get(name))[2].split()[0], {**LISTS, **MERGES}[name][3]  # type: ignore[index]
    body = SEARCHED if method == "POST" else None
    return await rows.gateway.client.request(method, target, content=body, headers=headers)


async def down(rows: World, n: int = 2) -> None:
    """Kill a shard: nobody listens there any more."""
    rows.parts[n].kill()


def marked(answer: httpx.Response) -> bool:
    gone = {"etag", "last-modified", "expires", "age"} & {*answer.headers}
    return "shardgate-partial" in answer.headers and answer.headers["cache-control"] == "no-store" and not gone


@pytest.mark.parametrize("name", CASES)
async def test_while_all_shards_answer_it_is_the_list_of_one_instance(
    stack: AsyncExitStack, tmp_path: Path, name: str
) -> None:
    rows = await start(stack, tmp_path, name)
    method, target = {**LISTS, **MERGES}[name][2].split()[0], {**LISTS, **MERGES}[name][3]
    if "cursor" in name:
        answer = await asked(rows, name)
        assert answer.status_code == 200
    else:
        answer = await rows.both(target, body=SEARCHED if method == "POST" else None)
    assert "shardgate-partial" not in answer.headers
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize("name", CASES)
async def test_without_a_shard_it_is_the_list_of_the_others_and_says_so(
    stack: AsyncExitStack, tmp_path: Path, name: str
) -> None:
    rows = await start(stack, tmp_path, name)
    speak, _, operation, target = {**LISTS, **MERGES}[name]
    left = [row for row in rows.rows if row["vendor"] != "c-1"]
    others = await stack.enter_async_context(running_shard(lambda each: speak(left, Question(each))))
    rows.parts[2].kill()
    answer = await asked(rows, name)
    expected = await rows.gateway.client.request(
        operation.split()[0],
        others.url + target,
        content=SEARCHED if operation.startswith("POST") else None,
        headers={"Host": f"127.0.0.1:{rows.gateway.port}"},
    )
    text = re.sub(r"(\\?[?&])shardgate-lacks=[\w%=-]+(?=[\"&>])", "", answer.text)
    if name == "cursor":
        assert [row["id"] for row in answer.json()["items"]] == [row["id"] for row in expected.json()["items"]]
    else:
        assert (answer.status_code, text) == (expected.status_code, expected.text)
    for field in SPEAKING:
        said = re.sub(r"[?&]shardgate-lacks=[\w%=-]+", "", answer.headers.get(field, ""))
        assert said == expected.headers.get(field, ""), field
    assert not any("shardgate-lacks" in asked.line for part in rows.parts for asked in part.asked)
    assert marked(answer)
    assert answer.headers["shardgate-partial"] == (
        'asked=3, answered=2, missing=("s2";reason=unreachable), totals=inexact'
    )
