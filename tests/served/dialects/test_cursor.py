"""Lists by opaque cursors, in the body or a header field. A cursor of the gateway holds a position for each shard."""

import base64
import json
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from shardgate.config.load import ConfigError, load
from tests.cluster import Gateway, reply, running_gateway, running_shard
from tests.served.dialects.world import Question, Row, World, minus, ranked, table, world

BODY: dict[str, Any] = {"kind": "cursor", "limit_default": 10, "limit_max": 25, "total": "total", "has_more": "more"}
ABSENT = {**BODY, "next": "meta.next", "items": "data", "at_end": "absent"}
LINK = {"kind": "cursor", "limit": "_limit", "limit_default": 10, "cursor": "_token", "order": "_sort"}
FIELD = {**LINK, "items": "data", "next_header": "Next-Page", "next_is": "link", "count_header": "Total-Objects"}
ARRAY = {"kind": "cursor", "limit_default": 10, "items": None, "next_header": "X-Next"}


def kept(rows: list[Row], asked: Question) -> list[Row]:
    vendors = asked.values.get("vendor")
    return rows if vendors is None else [row for row in rows if row["vendor"] in vendors.split(",")]


def page(rows: list[Row], asked: Question, *, cursor: str = "cursor", limit: str = "limit") -> tuple[list[Row], str]:
    """A keyset: the cursor is the id of the last row, in disguise, and the order it was made in."""
    order = asked.values.get("order", asked.values.get("_sort", ""))
    shown = ranked(kept(rows, asked), minus(order))
    if cursor in asked.values:
        made, last = json.loads(base64.b64decode(asked.values[cursor]))
        assert made == order
        shown = shown[[row["id"] for row in shown].index(last) + 1 :]
    size = min(asked.number(limit, 10), 25)
    token = base64.b64encode(json.dumps([order, shown[size - 1]["id"]]).encode()).decode() if shown[size:] else ""
    return shown[:size], token


def in_body(rows: list[Row], asked: Question) -> bytes:
    shown, token = page(rows, asked)
    total = len(kept(rows, asked))
    return reply(json.dumps({"next_cursor": token or None, "items": shown, "total": total, "more": bool(token)}))


def in_meta(rows: list[Row], asked: Question) -> bytes:
    shown, token = page(rows, asked)
    meta = {"kind": "rows", **({"next": token} if token else {})}
    return reply(json.dumps({"data": shown, "meta": meta, "total": len(rows), "more": bool(token)}))


def in_field(rows: list[Row], asked: Question) -> bytes:
    """As Kinto; its cursors count rows."""
    limit, start = asked.number("_limit", 10), asked.number("_token", 0)
    shown = ranked(rows, minus(asked.values.get("_sort")))[start : start + limit]
    fields = f"Total-Objects: {len(rows)}\r\n"
    if start + limit < len(rows):
        parts = [part for part in asked.query.split("&") if part and not part.startswith("_token=")]
        url = asked.url.partition("?")[0] + "?" + "&".join([*parts, f"_token={start + limit}"])
        fields += f"Next-Page: {url}\r\n"
    return reply(json.dumps({"data": shown}), fields=fields)


def as_array(rows: list[Row], asked: Question) -> bytes:
    shown, token = page(rows, asked)
    return reply(json.dumps(shown), fields=f"X-Next: {token}\r\n" if token else "")


def next_of(rows: World, answer: Any) -> str:
    """The cursor of the next page, or nothing; a link must lead to the gateway."""
    if "next-page" in answer.headers:
        link = rows.local(answer.headers["next-page"])
        (token,) = re.findall("[?&]_token=([^&]+)", link)
        return str(token)
    body = answer.json()
    said = answer.headers.get("x-next") or (
        isinstance(body, dict) and (body.get("next_cursor") or body.get("meta", {}).get("next"))
    )
    return str(said or "")


def without_cursor(text: str) -> str:
    return re.sub(r'("next(?:_cursor)?": )"[^"]+"', r"\1X", text)


async def walk(rows: World, query: str, parameter: str, size: int = 120) -> list[str]:
    """Every page of the gateway beside the one instance, each with its own cursors."""
    seen: list[str] = []
    ours = theirs = ""
    host = {"Host": f"127.0.0.1:{rows.gateway.port}"}
    while True:
        answer = await rows.gateway.get(f"/rows?{query}{ours}")
        expected = await rows.gateway.client.get(rows.whole.url + f"/rows?{query}{theirs}", headers=host)
        assert answer.status_code == 200, answer.text
        assert without_cursor(answer.text) == without_cursor(expected.text)
        assert answer.headers.get("total-objects") == expected.headers.get("total-objects")
        body = answer.json()
        seen += [row["id"] for row in (body if isinstance(body, list) else body.get("data") or body["items"])]
        ours, theirs = next_of(rows, answer), next_of(rows, expected)
        assert bool(ours) == bool(theirs)
        if not ours:
            break
        ours, theirs = f"&{parameter}={ours}", f"&{parameter}={quote(theirs)}"
    assert len(seen) == len(set(seen)) == size
    return seen


@pytest.mark.parametrize("query", ["limit=13", "limit=7&order=-name", "", "limit=25&order=price,-name"])
@pytest.mark.parametrize(("speak", "dialect"), [(in_body, BODY), (in_meta, ABSENT), (as_array, ARRAY)])
async def test_every_page_by_its_cursor(
    stack: AsyncExitStack, tmp_path: Path, speak: Callable[..., bytes], dialect: dict[str, Any], query: str
) -> None:
    await walk(await world(stack, tmp_path, speak, dialect), query, "cursor")


@pytest.mark.parametrize("query", ["_limit=13", "_limit=7&_sort=-name&q=a%20b", ""])
async def test_every_page_by_a_link_in_a_field(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    await walk(await world(stack, tmp_path, in_field, FIELD), query, "_token")


async def test_a_page_costs_two_requests_of_a_shard_at_most(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, in_body, BODY, size=600)
    await walk(rows, "limit=25", "cursor", size=600)
    assert max(len(part.asked) for part in rows.parts) <= 2 * 24


async def test_only_the_owners_of_the_vendors_are_asked_for_any_page(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, in_body, {**BODY}, prune={"vendor": "part"})
    size = sum(row["vendor"] != "a-1" for row in rows.rows)
    await walk(rows, "vendor=b-1,c-1&limit=7&order=-name", "cursor", size=size)
    assert [bool(part.asked) for part in rows.parts] == [False, True, True]


@pytest.mark.parametrize("size", [0, 1, 10, 11])
async def test_small_lists(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    await walk(await world(stack, tmp_path, in_body, BODY, size=size), "", "cursor", size=size)


async def test_no_name_of_a_shard_is_in_a_cursor(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, in_body, BODY)
    cursor = (await rows.gateway.get("/rows")).json()["next_cursor"]
    inside = base64.urlsafe_b64decode(cursor + "==")
    assert not re.search(rb"s[012]\b", inside)
    assert all(str(part.port).encode() not in inside for part in rows.parts)


async def test_a_cursor_that_is_not_ours_is_refused(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, in_body, BODY)
    cursor = (await rows.gateway.get("/rows?order=name")).json()["next_cursor"]
    bent = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(0, len(cursor) - 1, 5)]
    for forged in [*bent, cursor[:-6], cursor + "AAAA", "x", "é", "a.b", json.dumps(["name", "1"])]:
        answer = await rows.gateway.get("/rows", params={"order": "name", "cursor": forged})
        assert (answer.status_code, answer.json()["code"]) == (400, "SG1015"), forged
    for other in ("", "&order=-name", "&order=name&q=1", "&order=name&order=name"):
        assert (await rows.gateway.get(f"/rows?cursor={cursor}{other}")).status_code == 400
    for same in ("&order=name", "&order=name&limit=3", "&limit=25&order=n%61me"):
        assert (await rows.gateway.get(f"/rows?cursor={cursor}{same}")).status_code == 200
    assert all(cursor not in asked.line for part in rows.parts for asked in part.asked)


def config(shards: list[str], **cursors: Any) -> dict[str, Any]:
    merge = {"kind": "list", "dialect": BODY, "keys": {"id": "text", "name": "text", "price": "number"}}
    return {
        "shards": {f"s{n}": url for n, url in enumerate(shards)},
        "rules": {"GET /rows": {"rule": "gather", "merge": merge}},
        "cursors": {"secret_file": "cursor.secret", **cursors},
    }


async def gateway_of(
    stack: AsyncExitStack, folder: Path, parts: list[list[Row]], secret: str, **cursors: Any
) -> Gateway:
    shards = [
        await stack.enter_async_context(running_shard(lambda asked, part=part: in_body(part, Question(asked))))  # type: ignore[misc]
        for part in parts
    ]
    (folder / "cursor.secret").write_text(secret)
    return await stack.enter_async_context(running_gateway(config([s.url for s in shards], **cursors), folder))


async def test_a_page_with_a_cursor_is_never_a_304(stack: AsyncExitStack, tmp_path: Path) -> None:
    """Its cursor grows too old, whether rows change or not."""

    def tagged(rows: list[Row], asked: Question) -> bytes:
        fields = b'ETag: "1"\r\nLast-Modified: Sun, 01 Mar 2026 09:30:00 GMT\r\nContent-Length:'
        return in_body(rows, asked).replace(b"Content-Length:", fields)

    rows = await world(stack, tmp_path, tagged, BODY)
    for known in ({}, {"If-None-Match": "*"}, {"If-Modified-Since": "Sun, 01 Mar 2026 09:30:00 GMT"}):
        answer = await rows.gateway.get("/rows", headers=known)
        assert (answer.status_code, answer.headers.get("etag"), answer.headers.get("last-modified")) == (
            200,
            None,
            None,
        )


async def test_a_list_by_cursors_that_fits_on_one_page_has_validators(stack: AsyncExitStack, tmp_path: Path) -> None:
    def tagged(rows: list[Row], asked: Question) -> bytes:
        return in_body(rows, asked).replace(b"Content-Length:", b'ETag: "1"\r\nContent-Length:')

    rows = await world(stack, tmp_path, tagged, BODY, size=20)
    whole = await rows.gateway.get("/rows?limit=25")
    assert (whole.json()["next_cursor"], whole.headers["etag"][:3]) == (None, 'W/"')
    known = {"If-None-Match": whole.headers["etag"]}
    assert (await rows.gateway.get("/rows?limit=25", headers=known)).status_code == 304
    assert "etag" not in (await rows.gateway.get("/rows?limit=5", headers={"If-None-Match": "*"})).headers


def test_dedupe_of_a_list_with_cursors_is_a_mistake(tmp_path: Path) -> None:
    whole = config(["http://127.0.0.1:1"])
    whole["rules"]["GET /rows"]["merge"]["dedupe"] = {"by": "id"}
    (tmp_path / "cursor.secret").write_text(OLD)
    (tmp_path / "shardgate.yaml").write_text(json.dumps(whole))
    with pytest.raises(ConfigError, match="`dedupe` reads every list whole"):
        load(tmp_path / "shardgate.yaml")


OLD, NEW = "a" * 32, "b" * 32


async def test_a_cursor_survives_an_added_shard_that_took_rows(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = ranked(table(200), [])
    two = await gateway_of(stack, tmp_path, [rows[::2], rows[1::2]], OLD)
    first = (await two.get("/rows?limit=25")).json()
    second = (await two.get(f"/rows?limit=25&cursor={first['next_cursor']}")).json()
    three = await gateway_of(stack, tmp_path, [rows[::3], rows[1::3], rows[2::3]], OLD)
    seen = [row["id"] for row in first["items"] + second["items"]]
    cursor = second["next_cursor"]
    while cursor:
        body = (await three.get(f"/rows?limit=25&cursor={cursor}")).json()
        seen += [row["id"] for row in body["items"]]
        cursor = body["next_cursor"]
    assert seen == [row["id"] for row in rows]


async def test_rows_that_come_and_go_are_neither_twice_nor_missing(stack: AsyncExitStack, tmp_path: Path) -> None:
    """Cursors that count rows would show some twice; ours go by keys."""
    rows = ranked(table(120), [])
    parts = [rows[::2], rows[1::2]]
    gateway = await gateway_of(stack, tmp_path, parts, OLD)
    body = (await gateway.get("/rows?limit=20")).json()
    seen = [row["id"] for row in body["items"]]
    parts[0].insert(3, {"id": rows[6]["id"] + "a", "name": "x", "price": 1})
    parts[1].append({"id": "99999x", "name": "x", "price": 1})
    while body["next_cursor"]:
        body = (await gateway.get(f"/rows?limit=20&cursor={body['next_cursor']}")).json()
        seen += [row["id"] for row in body["items"]]
    assert seen == [*(row["id"] for row in rows), "99999x"]


async def test_a_cursor_outlives_its_worker_and_lives_on_with_the_next_secret(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    rows = ranked(table(60), [])
    one = await gateway_of(stack, tmp_path, [rows], OLD, lifetime_s=3600)
    cursor = (await one.get("/rows")).json()["next_cursor"]
    codes = []
    for secret in (OLD, f"{NEW}\n{OLD}\n", NEW):
        other = await gateway_of(stack, tmp_path, [rows], secret)
        codes.append((await other.get(f"/rows?cursor={cursor}")).status_code)
    assert codes == [200, 200, 400]


async def test_where_a_shards_own_cursor_has_ended_the_keys_decide(stack: AsyncExitStack, tmp_path: Path) -> None:
    life = ["one"]

    def forgetful(part: list[Row], asked: Question) -> bytes:
        said = asked.values.get("cursor", "")
        if said and not said.startswith(life[0]):
            return reply('{"error":"cursor"}', status="410 Gone")
        start = int(said.removeprefix(life[0]) or 0)
        limit = min(asked.number("limit", 10), 25)
        token = f"{life[0]}{start + limit}" if start + limit < len(part) else None
        return reply(json.dumps({"items": ranked(part, [])[start : start + limit], "next_cursor": token}))

    rows = await world(stack, tmp_path, forgetful, {"kind": "cursor", "limit_default": 10, "limit_max": 25})
    body = (await rows.gateway.get("/rows?limit=25")).json()
    seen = [row["id"] for row in body["items"]]
    while body["next_cursor"]:
        life[0] = "two" if life[0] == "one" else "one"
        body = (await rows.gateway.get(f"/rows?limit=25&cursor={body['next_cursor']}")).json()
        seen += [row["id"] for row in body["items"]]
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("secret", "said"), [(None, "cannot be read"), ("short", "32 characters"), ("", "32 characters")]
)
def test_a_file_without_a_secret_is_a_mistake(tmp_path: Path, secret: str | None, said: str) -> None:
    if secret is not None:
        (tmp_path / "cursor.secret").write_text(secret)
    (tmp_path / "shardgate.yaml").write_text(json.dumps(config(["http://127.0.0.1:1"])))
    with pytest.raises(ConfigError, match=said):
        load(tmp_path / "shardgate.yaml")


def test_a_list_with_cursors_needs_a_secret(tmp_path: Path) -> None:
    whole = config(["http://127.0.0.1:1"])
    del whole["cursors"]
    (tmp_path / "shardgate.yaml").write_text(json.dumps(whole))
    with pytest.raises(ConfigError, match="there is no secret") as raised:
        load(tmp_path / "shardgate.yaml")
    assert len(raised.value.mistakes) == 1


DRF = {
    "kind": "cursor",
    "items": "results",
    "next": "next",
    "previous": "previous",
    "next_is": "link",
    "limit": None,
    "limit_default": 10,
    "order": "ordering",
}


def django(rows: list[Row], asked: Question) -> bytes:
    """As CursorPagination: pages of one size, a link forward and one back; a cursor is a key and a direction."""
    shown = ranked(rows, minus(asked.values.get("ordering")))
    ids, cursor = [row["id"] for row in shown], asked.values.get("cursor")
    start = 0
    if cursor is not None:
        back, key = json.loads(base64.b64decode(cursor))
        start = max(0, ids.index(key) - 10) if back else ids.index(key) + 1
        shown = shown[: ids.index(key)] if back else shown
    part = shown[start : start + 10]

    def link(key: str, *, back: bool) -> str:
        token = base64.b64encode(json.dumps([back, key]).encode()).decode()
        return f"{asked.url.partition('?')[0]}?cursor={quote(token)}"

    following = link(part[-1]["id"], back=False) if part and part[-1]["id"] != ids[-1] else None
    before = link(part[0]["id"], back=True) if part and part[0]["id"] != ids[0] else None
    return reply(json.dumps({"next": following, "previous": before, "results": part}))


@pytest.mark.parametrize("query", ["", "?ordering=-name", "?ordering=price&z=1"])
async def test_l9_pages_of_a_fixed_size_forward_and_back(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    rows = await world(stack, tmp_path, django, DRF)
    expected = [row["id"] for row in ranked(rows.rows, minus(query.partition("ordering=")[2].partition("&")[0]))]
    pages: list[list[str]] = []
    link: str | None = f"/rows{query}"
    body: dict[str, Any] = {}
    while link:
        body = (await rows.gateway.get(link)).json()
        assert (body["previous"] is None) == (not pages)
        pages.append([row["id"] for row in body["results"]])
        link = rows.local(body["next"]) if body["next"] else None
    assert [each for page in pages for each in page] == expected
    back = [pages[-1]]
    while body["previous"]:
        body = (await rows.gateway.get(rows.local(body["previous"]))).json()
        back.insert(0, [row["id"] for row in body["results"]])
        following = (await rows.gateway.get(rows.local(body["next"]))).json()
        assert [row["id"] for row in following["results"]] == back[1]
    assert back == pages


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "204 No Content"])
async def test_l1_a_shard_without_rows_is_an_empty_list(stack: AsyncExitStack, tmp_path: Path, status: str) -> None:
    # Found (L1, L13): `not_here` was not read where a list has cursors, and the refusal was the whole reply.
    def speak(rows: list[Row], asked: Question) -> bytes:
        kept = [row for row in rows if row["vendor"] == asked.values["only"]]
        if not kept:
            return reply("" if status.startswith("204") else '{"error":"none"}', status=status)
        return in_body(kept, asked)

    rows = await world(stack, tmp_path, speak, BODY, not_here=[204, 403, 404])
    link = "/rows?only=b-1&limit=7"
    seen: list[str] = []
    while link:
        body = (await rows.gateway.get(link)).json()
        seen += [row["id"] for row in body["items"]]
        token = body["next_cursor"]
        link = f"/rows?only=b-1&limit=7&cursor={token}" if token else ""
    assert seen == sorted(row["id"] for row in rows.rows if row["vendor"] == "b-1")
    await rows.both("/rows?only=nobody")
