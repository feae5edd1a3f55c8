"""Lists by opaque cursors whose replies have a cursor of the page before, and cursors that the gateway did not make."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Gateway, reply, running_gateway, running_shard
from tests.served.dialects.test_cursor import BODY, config, in_body, page
from tests.served.dialects.world import Question, Row, ranked, table, world

BACK = {**BODY, "previous": "back"}


def linked(rows: list[Row], asked: Question) -> bytes:
    """As the Django REST framework: the addresses of the pages around the page."""
    shown, token = page(rows, asked)
    link = f"{asked.url.partition('?')[0]}?cursor={token.replace('=', '%3D')}" if token else None
    return reply(json.dumps({"next": link, "previous": None, "items": shown}))


@pytest.mark.parametrize("query", ["order=-name&limit=13", "", "limit=25&order=price,-name"])
async def test_back_by_links_each_page_is_as_it_was_on_the_way_there(
    stack: AsyncExitStack, tmp_path: Path, query: str
) -> None:
    dialect = {"kind": "cursor", "limit_default": 10, "limit_max": 25, "next": "next", "next_is": "link"}
    rows = await world(stack, tmp_path, linked, {**dialect, "previous": "previous", "links_sorted": True})

    async def get(link: str) -> dict[str, Any]:
        answer = await rows.gateway.get(rows.local(link))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    body = await get(f"/rows?{query}")
    assert body["previous"] is None
    pages = [body["items"]]
    while body["next"] is not None:
        body = await get(body["next"])
        pages.append(body["items"])
        assert body["previous"].partition("?")[2].startswith("cursor=")
    assert sum(map(len, pages)) == 120
    for number in reversed(range(len(pages) - 1)):
        body = await get(body["previous"])
        assert body["items"] == pages[number]
        assert (await get(body["next"]))["items"] == pages[number + 1]
    assert body["previous"] is None


async def two_shards(stack: AsyncExitStack, folder: Path, parts: list[list[Row]]) -> Gateway:
    shards = [
        await stack.enter_async_context(running_shard(lambda asked, part=part: in_body(part, Question(asked))))  # type: ignore[misc]
        for part in parts
    ]
    whole = config([shard.url for shard in shards])
    whole["rules"]["GET /rows"]["merge"]["dialect"] = BACK
    (folder / "cursor.secret").write_text("a" * 32)
    return await stack.enter_async_context(running_gateway(whole, folder))


async def test_behind_the_last_row_back_leads_to_the_last_page(stack: AsyncExitStack, tmp_path: Path) -> None:
    """The rest of the list was deleted while the client stood before it."""
    rows = ranked(table(40), [])
    parts = [rows[::2], rows[1::2]]
    gateway = await two_shards(stack, tmp_path, parts)
    first = (await gateway.get("/rows?limit=25")).json()
    for part in parts:
        part[:] = [row for row in part if row in rows[:20]]
    empty = (await gateway.get(f"/rows?limit=25&cursor={first['next_cursor']}")).json()
    assert (empty["items"], empty["next_cursor"], empty["more"]) == ([], None, False)
    back = (await gateway.get(f"/rows?limit=5&cursor={empty['back']}")).json()
    assert [row["id"] for row in back["items"]] == [row["id"] for row in rows[15:20]]


async def test_before_the_first_row_next_leads_to_the_first_page(stack: AsyncExitStack, tmp_path: Path) -> None:
    """All rows before the client's page were deleted."""
    rows = ranked(table(40), [])
    parts = [rows[::2], rows[1::2]]
    gateway = await two_shards(stack, tmp_path, parts)
    first = (await gateway.get("/rows?limit=10")).json()
    second = (await gateway.get(f"/rows?limit=10&cursor={first['next_cursor']}")).json()
    for part in parts:
        part[:] = [row for row in part if row not in rows[:10]]
    empty = (await gateway.get(f"/rows?limit=10&cursor={second['back']}")).json()
    assert (empty["items"], empty["back"], empty["more"]) == ([], None, True)
    again = (await gateway.get(f"/rows?limit=10&cursor={empty['next_cursor']}")).json()
    assert again["items"] == second["items"]


async def test_an_empty_cursor_is_the_first_page_where_the_application_reads_it_so(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    rows = await world(stack, tmp_path, in_body, {**BODY, "empty_cursor": "first"})
    first, empty = [(await rows.gateway.get(f"/rows?limit=5{cursor}")).json() for cursor in ("", "&cursor=")]
    assert (len(empty["items"]), empty["items"]) == (5, first["items"])
    following = (await rows.gateway.get(f"/rows?limit=5&cursor={empty['next_cursor']}")).json()
    assert following["items"] != first["items"]


async def test_a_foreign_cursor_is_the_applications_to_refuse(stack: AsyncExitStack, tmp_path: Path) -> None:
    """Where the application takes it, it is refused all the same: its pages would be of one shard each."""

    def choosy(rows: list[Row], asked: Question) -> bytes:
        if asked.values.get("cursor") == "x":
            return reply('{"detail":"Invalid cursor"}', status="404 Not Found")
        if asked.values.get("cursor") == "y":
            del asked.values["cursor"]
        return in_body(rows, asked)

    rows = await world(stack, tmp_path, choosy, {**BODY, "foreign": "ask"})
    answer = await rows.gateway.get("/rows?cursor=x&limit=5")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid cursor"})
    taken = await rows.gateway.get("/rows?cursor=y&limit=5")
    assert (taken.status_code, taken.json()["code"]) == (400, "SG1015")
    ours = (await rows.gateway.get("/rows?limit=5")).json()["next_cursor"]
    assert (await rows.gateway.get(f"/rows?cursor={ours}&limit=5")).status_code == 200
    assert all("cursor=y" in part.asked[1].line for part in rows.parts)
