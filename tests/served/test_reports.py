"""Reports in an envelope, by POST, and with a merge that the query chooses (L19)."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, world

REPORT: dict[str, Any] = {
    "kind": "groups",
    "key": "name",
    "sum": ["count", "price"],
    "items": "data.rows",
    "total": "data.groups",
    "around": {"sum": ["orders"], "max": ["dearest"], "first_of": ["instance"]},
    "order": ["-count"],
    "limit": "top",
}


def grouped(rows: list[Row], top: int | None, instance: int) -> dict[str, Any]:
    names = sorted({row["name"] for row in rows})
    groups = [[row for row in rows if row["name"] == name] for name in names]
    shown = [{"name": g[0]["name"], "count": len(g), "price": sum(int(r["price"]) for r in g)} for g in groups]
    shown.sort(key=lambda each: -each["count"])
    dearest = max((row["price"] for row in rows), default=None)
    return {
        "data": {"rows": shown[:top], "groups": len(names)},
        "orders": len(rows),
        "dearest": dearest,
        "currency": "EUR",
        "instance": instance,
    }


def by_get(rows: list[Row], asked: Question) -> bytes:
    top = asked.values.get("top")
    if top is not None and not top.isdecimal():
        return reply('{"error":"top"}', status="400 Bad Request")
    return reply(json.dumps(grouped(rows, None if top is None else int(top), 7), ensure_ascii=False))


def by_post(rows: list[Row], asked: Question) -> bytes:
    try:
        question = json.loads(asked.body or b"{}")
        top = question.get("page", {}).get("top")
        [][:top]
    except (ValueError, TypeError):
        return reply('{"error":"body"}', status="400 Bad Request")
    vendors = question.get("vendors")
    kept = [row for row in rows if vendors is None or row["vendor"] in vendors]
    return reply(json.dumps(grouped(kept, top, 7), ensure_ascii=False))


async def test_l19_a_report_in_an_envelope(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_get, {}, instead=REPORT)
    for query in ("", "?top=3", "?top=0", "?top=500", "?top=x", "?since=2026"):
        await rows.both(f"/rows{query}")
    assert (await rows.gateway.get("/rows?limit=3")).status_code == 400


async def test_l19_a_report_that_is_asked_for_by_post(stack: AsyncExitStack, tmp_path: Path) -> None:
    merge = {**REPORT, "limit": "page.top", "posted": True}
    rows = await world(stack, tmp_path, by_post, {}, operation="POST /rows", instead=merge)
    for question in (
        {},
        {"page": {"top": 3}},
        {"vendors": ["a-1", "c-1"], "page": {"top": 2, "from": 1}},
        {"page": {}},
    ):
        await rows.both("/rows", body=json.dumps(question).encode())
    await rows.both("/rows", body=b"")
    for bad in ({"limit": 5}, {"Limit": 5}, {"page_size": 2}, {"page": {"top": "3"}}, {"page": {"Top": 3, "top": 4}}):
        refused = await rows.gateway.client.post("/rows", content=json.dumps(bad).encode())
        assert refused.status_code == 400, bad
    assert (await rows.gateway.client.post("/rows", content=b"{oops")).status_code == 400


async def test_l7_a_report_that_gives_its_top_by_default(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: where the application gives ten rows unless it is asked for more, each shard gave its own ten.
    def top_two(rows: list[Row], asked: Question) -> bytes:
        text = asked.values.get("top", "")
        return reply(json.dumps(grouped(rows, int(text) if text.isdecimal() else 2, 7), ensure_ascii=False))

    more = {"limit_default": 2, "limit_all": 1000, "reads": {"top": {"bad": "default", "below": "default"}}}
    rows = await world(stack, tmp_path, top_two, {}, instead={**REPORT, **more})
    for query in ("", "?top=3", "?top=0", "?top=x", "?top=", "?top=-1", "?top=99"):
        await rows.both(f"/rows{query}")
    few = await world(stack, tmp_path, top_two, {}, instead={**REPORT, **more, "limit_all": 3})
    assert (await few.gateway.get("/rows")).status_code == 502


async def test_l19_a_report_by_post_with_a_top_by_default(stack: AsyncExitStack, tmp_path: Path) -> None:
    def top_two(rows: list[Row], asked: Question) -> bytes:
        top = json.loads(asked.body or b"{}").get("page", {}).get("top", 2)
        return reply(json.dumps(grouped(rows, top, 7), ensure_ascii=False))

    merge = {**REPORT, "limit": "page.top", "posted": True, "limit_default": 2, "limit_all": 1000}
    rows = await world(stack, tmp_path, top_two, {}, operation="POST /rows", instead=merge)
    for body in (b"", b"{}", b'{"page": {"top": 4}}', b'{"page": {}, "since": 2026}'):
        await rows.both("/rows", body=body)


async def test_l19_a_form_with_a_parameter_that_each_shard_would_apply_alone(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    def speak(rows: list[Row], asked: Question) -> bytes:
        vendor = parse_qs(asked.body.decode()).get("vendor")
        return reply(b"%d" % len([row for row in rows if vendor is None or row["vendor"] in vendor]))

    merge = {"kind": "count", "posted": True}
    rows = await world(stack, tmp_path, speak, {}, operation="POST /rows", instead=merge)
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"vendor=a-1&vendor=b-1", b"vendor=none", b""):
        await rows.both("/rows", body=body, **form)
    refused = await rows.gateway.client.post("/rows", content=b"vendor=a-1&limit=4", headers=form)
    assert refused.status_code == 400


async def test_l19_the_merge_is_chosen_by_the_query(stack: AsyncExitStack, tmp_path: Path) -> None:
    def speak(rows: list[Row], asked: Question) -> bytes:
        view = asked.values.get("view")
        if view == "groups":
            return by_get(rows, asked)
        if view == "count":
            return reply(b"%d" % len(rows))
        return reply(json.dumps(sorted(rows, key=lambda row: str(row["id"]))[: asked.number("limit", 10)]))

    listed = {"kind": "list", "dialect": {"kind": "offset", "limit_default": 10}, "keys": {"id": "text"}}
    choices = [{"when": "view=groups", "merge": REPORT}, {"when": "view=count", "merge": {"kind": "count"}}]
    rows = await world(stack, tmp_path, speak, {}, instead={"kind": "chosen", "choices": choices, "otherwise": listed})
    for query in ("view=groups&top=2", "view=count", "view=list", "limit=5", "", "view=count&limit=5"):
        answer = await rows.gateway.get(f"/rows?{query}")
        if "view=count&" in query:
            assert answer.status_code == 400
        else:
            await rows.both(f"/rows?{query}")


async def test_l19_one_row_of_all(stack: AsyncExitStack, tmp_path: Path) -> None:
    def speak(rows: list[Row], asked: Question) -> bytes:
        return reply(json.dumps([{"orders": len(rows), "price": sum(int(row["price"]) for row in rows)}]))

    rows = await world(stack, tmp_path, speak, {}, instead={"kind": "groups", "key": [], "sum": ["orders", "price"]})
    await rows.both("/rows")
