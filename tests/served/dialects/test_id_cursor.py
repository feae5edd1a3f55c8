"""Lists that continue after the id of a row, which one shard has."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

DIALECT: dict[str, Any] = {"kind": "id_cursor", "limit_default": 10, "limit_max": 25, "order": "sort"}
REFUSING = {**DIALECT, "row": "/rows/{id}", "limit_over": "refuse"}
SEEKING = {**REFUSING, "seeks": {"price": {"up": "price[gte]", "down": "price[lte]"}}}
LINKED = {**REFUSING, "has_more": None, "next": "links.next", "previous": "links.previous", "origin": ""}
UNSAID = {**REFUSING, "has_more": None}
NEWEST = {"default_order": ["-price", "-id"]}


def refusing(rows: list[Row], asked: Question) -> bytes:
    """As Stripe: an id that it does not have is refused; newest first."""
    name = asked.target.partition("?")[0].removeprefix("/rows").strip("/")
    if name:
        found = [row for row in rows if row["id"] == name]
        return reply(json.dumps(found[0])) if found else reply('{"error":"no such row"}', status="404 Not Found")
    limit = asked.number("limit", 10)
    if not 1 <= limit <= 25:
        return reply('{"error":"limit"}', status="400 Bad Request")
    order = minus(asked.values.get("sort", "-price,-id"))
    shown = ranked([row for row in rows if passes(row, asked)], order)
    everything = [row["id"] for row in ranked(rows, order)]
    after, before = asked.values.get("starting_after"), asked.values.get("ending_before")
    if {after, before} - {None, *everything}:
        return reply('{"error":"no such cursor"}', status="400 Bad Request")
    place = {row_id: n for n, row_id in enumerate(everything)}
    if after is not None:
        shown = [row for row in shown if place[row["id"]] > place[after]]
    if before is not None:
        shown = [row for row in shown if place[row["id"]] < place[before]]
        return told(shown[-limit:], len(shown) > limit, asked)
    return told(shown[:limit], len(shown) > limit, asked)


def passes(row: Row, asked: Question) -> bool:
    least, most = asked.values.get("price[gte]", "0"), asked.values.get("price[lte]", "99")
    vendors = asked.values.get("vendor", "a-1,b-1,c-1").split(",")
    return float(least) <= row["price"] <= float(most) and row["vendor"] in vendors


def comparing(rows: list[Row], asked: Question) -> bytes:
    """As many with ids that rise: it takes what is greater than the id, whosever it is."""
    limit = min(asked.number("limit", 10), 25)
    after, before = asked.values.get("starting_after", ""), asked.values.get("ending_before", "~")
    shown = [row for row in ranked(rows, []) if after < row["id"] < before]
    return told(shown[-limit:] if before != "~" else shown[:limit], len(shown) > limit, asked)


def told(rows: list[Row], more: bool, asked: Question) -> bytes:
    return reply(json.dumps({"object": "list", "data": rows, "has_more": more}))


def linked(rows: list[Row], asked: Question) -> bytes:
    """As Ticket Tailor: relative links instead of a flag."""
    whole = refusing(rows, asked)
    head, _, body = whole.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0] or asked.target.startswith("/rows/"):
        return whole
    said = json.loads(body)
    back, inside = "ending_before" in asked.values, "starting_after" in asked.values
    shown, more = said["data"], said["has_more"]
    limit = asked.number("limit", 10)
    following = f"/rows?limit={limit}&starting_after={shown[-1]['id']}" if shown and (more or back) else None
    previous = f"/rows?limit={limit}&ending_before={shown[0]['id']}" if shown and (more if back else inside) else None
    return reply(json.dumps({"data": shown, "links": {"next": following, "previous": previous}}))


async def walk(rows: World, query: str, limit: int = 13) -> None:
    seen: list[str] = []
    more, after = True, ""
    while more:
        body = (await rows.both(f"/rows?limit={limit}{query}{after}")).json()
        seen += [row["id"] for row in body["data"]]
        more, after = body["has_more"], f"&starting_after={seen[-1]}"
    assert len(seen) == len(set(seen)) == 120
    back = [seen[-1]]
    more = True
    while more:
        body = (await rows.both(f"/rows?limit={limit}{query}&ending_before={back[0]}")).json()
        back = [row["id"] for row in body["data"]] + back
        more = body["has_more"]
    assert back == seen


@pytest.mark.parametrize("query", ["", "&sort=name", "&sort=-price,name", "&sort=price"])
@pytest.mark.parametrize("dialect", [REFUSING, SEEKING], ids=["walking", "seeking"])
async def test_every_page_forward_and_back(
    stack: AsyncExitStack, tmp_path: Path, dialect: dict[str, Any], query: str
) -> None:
    await walk(await world(stack, tmp_path, refusing, dialect, **NEWEST), query)


@pytest.mark.parametrize("query", ["", "&q=a%20b"])
async def test_ids_that_are_compared_take_one_request_of_each_shard(
    stack: AsyncExitStack, tmp_path: Path, query: str
) -> None:
    rows = await world(stack, tmp_path, comparing, DIALECT)
    await walk(rows, query)
    asked = [len(part.asked) for part in rows.parts]
    await rows.both("/rows?starting_after=05000")
    assert [len(part.asked) - before for part, before in zip(rows.parts, asked, strict=True)] == [1, 1, 1]


async def test_links_lead_to_the_neighbours(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, linked, LINKED, **NEWEST)
    seen: list[str] = []
    link = following = "/rows?limit=17"
    while following:
        body = (await rows.both(following)).json()
        seen += [row["id"] for row in body["data"]]
        link, following = following, body["links"]["next"]
    assert len(seen) == len(set(seen)) == 120
    back: list[str] = []
    while link:
        body = (await rows.both(link)).json()
        back = [row["id"] for row in body["data"]] + back
        link = body["links"]["previous"]
    assert back[-120:] == seen or back == seen


async def test_where_nothing_says_that_there_is_more(stack: AsyncExitStack, tmp_path: Path) -> None:
    def silent(rows: list[Row], asked: Question) -> bytes:
        head, _, body = refusing(rows, asked).partition(b"\r\n\r\n")
        said = json.loads(body)
        said.pop("has_more", None)
        return reply(json.dumps(said), status=head.split(b"\r\n")[0].decode().partition(" ")[2])

    rows = await world(stack, tmp_path, silent, UNSAID, **NEWEST)
    seen: list[str] = []
    while True:
        after = f"&starting_after={seen[-1]}" if seen else ""
        page = [row["id"] for row in (await rows.both(f"/rows?limit=25{after}")).json()["data"]]
        seen += page
        if len(page) < 25:
            break
    assert len(seen) == len(set(seen)) == 120


async def test_any_row_can_be_the_cursor_under_any_filter(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, refusing, SEEKING, **NEWEST)
    ids = [row["id"] for row in (await rows.both("/rows?limit=25&sort=name")).json()["data"]]
    for name in ids:
        await rows.both(f"/rows?starting_after={name}&price[lte]=6&price[gte]=2")
        await rows.both(f"/rows?ending_before={name}&price%5Blte%5D=6&sort=price")


async def test_a_refusal_of_the_application_is_passed_on(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, refusing, REFUSING, **NEWEST)
    for query in ("starting_after=nobody", "limit=0", "limit=99", "limit=26&starting_after=nobody"):
        assert (await rows.both(f"/rows?{query}")).status_code == 400


async def test_a_seek_brings_the_others_near_at_once(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, refusing, SEEKING, size=2000, **NEWEST)
    seen: list[str] = []
    after = ""
    for _ in range(30):
        seen += [row["id"] for row in (await rows.both(f"/rows?limit=25{after}")).json()["data"]]
        after = f"&starting_after={seen[-1]}"
    asked = sum(len(part.asked) for part in rows.parts)
    await rows.both(f"/rows?limit=25{after}")
    assert sum(len(part.asked) for part in rows.parts) - asked <= 12


async def test_a_row_on_two_shards_is_nobodys_place(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, lambda part, asked: reply('{"id":"1"}'), REFUSING)
    assert (await rows.gateway.get("/rows?starting_after=1")).json()["code"] == "SG2006"


async def test_a_shard_that_does_not_go_on_is_broken_not_asked_for_ever(stack: AsyncExitStack, tmp_path: Path) -> None:
    def stuck(part: list[Row], asked: Question) -> bytes:
        return refusing(part, asked) if "rows/" in asked.target else told(ranked(part, [])[:5], more=True, asked=asked)

    rows = await world(stack, tmp_path, stuck, REFUSING)
    assert (await rows.gateway.get("/rows?limit=25")).json()["code"] == "SG2002"


async def test_a_page_of_one_vendor_goes_on_behind_a_row_of_another(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, refusing, SEEKING, prune={"vendor": "part"}, **NEWEST)
    first = (await rows.both("/rows?vendor=b-1&limit=4")).json()["data"]
    assert [bool(part.asked) for part in rows.parts] == [False, True, False]
    for row in (await rows.both("/rows?vendor=a-1,c-1&limit=25")).json()["data"]:
        await rows.both(f"/rows?vendor=b-1&limit=4&starting_after={row['id']}")
        await rows.both(f"/rows?vendor=b-1&limit=4&ending_before={row['id']}")
    await rows.both(f"/rows?vendor=b-1&limit=4&starting_after={first[-1]['id']}")
