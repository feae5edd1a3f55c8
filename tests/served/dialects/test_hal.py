"""HAL lists, as Spring Data writes them."""

import json
import re
from contextlib import AsyncExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world

DIALECT: dict[str, Any] = {"kind": "hal", "items": "_embedded.rows", "limit_default": 20, "limit_max": 25}


def speak(rows: list[Row], asked: Question) -> bytes:
    size, page = min(asked.number("size", 20), 25), asked.number("page", 0)
    pages = -(-len(rows) // size)
    keys = [value.rpartition(",") for name, value in asked.pairs if name == "sort"]
    order = [(name or word, bool(name) and word == "desc") for name, _, word in keys]
    shown = ranked(rows, order)[page * size : (page + 1) * size]
    numbers: dict[str, int] = {"first": 0} if pages > 1 or page else {}
    numbers |= {"prev": page - 1} if page else {}
    numbers |= {"self": page}
    numbers |= {"next": page + 1} if page + 1 < pages else {}
    numbers |= {"last": max(0, pages - 1)} if pages > 1 or page else {}
    links = {"profile": {"href": "/profile"}, **{rel: {"href": address(asked, n)} for rel, n in numbers.items()}}
    body: dict[str, Any] = {"_embedded": {"rows": shown}} if shown else {}
    body |= {
        "_links": links,
        "page": {"size": size, "totalElements": len(rows), "totalPages": pages, "number": page},
    }
    return reply(json.dumps(body, indent=2))


def address(asked: Question, page: int) -> str:
    parts = [part for part in asked.query.split("&") if part]
    places = [n for n, part in enumerate(parts) if part.startswith("page=")]
    if places:
        parts[places[0]] = f"page={page}"
    else:
        parts.append(f"page={page}")
    return f"{asked.url.partition('?')[0]}?{'&'.join(parts)}"


@pytest.mark.parametrize("query", ["", "?size=7&sort=name,desc&q=a%20b", "?sort=price&sort=name,desc&page=0&size=25"])
async def test_every_page_by_its_links(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    rows = await world(stack, tmp_path, speak, DIALECT)
    seen = await follow(rows, f"/rows{query}", "next")
    assert len({row for page in seen.values() for row in page}) == 120
    assert sum(map(len, seen.values())) == 120
    back = await follow(rows, list(seen)[-1], "prev")
    assert list(back.values()) == list(seen.values())[::-1]


async def follow(rows: World, link: str, rel: str) -> dict[str, list[str]]:
    seen: dict[str, list[str]] = {}
    while link:
        body = (await rows.both(link)).json()
        seen[link] = [row["id"] for row in body["_embedded"]["rows"]]
        link = rows.local(body["_links"][rel]["href"]) if rel in body["_links"] else ""
    return seen


async def test_members_around_the_rows_are_merged_where_there_are_rows(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: the page was written around the first reply that had rows, as it had come: the sum was one shard's.
    def summed(rows: list[Row], asked: Question) -> bytes:
        said = json.loads(speak(rows, asked).partition(b"\r\n\r\n")[2])
        return reply(json.dumps({**said, "rows": len(rows)}))

    rows = await world(stack, tmp_path, summed, DIALECT, around={"sum": ["rows"]})
    for query in ("", "?page=2", "?page=99", "?size=3&page=11"):
        await rows.both(f"/rows{query}")


@pytest.mark.parametrize("size", [0, 1, 2, 20, 21, 3000])
async def test_small_lists_and_deep_pages(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    """Shards without rows have no `_embedded`; the page has one when it has rows."""
    rows = await world(stack, tmp_path, speak, DIALECT, size=size)
    for query in ("", "?size=1", "?page=1", "?page=149&sort=name,desc", "?page=150", "?size=25&page=60&sort=price"):
        await rows.both(f"/rows{query}")


SPRING: dict[str, Any] = {
    **DIALECT,
    "limit_max": 1000,
    "links_stated": True,
    "empty_absent": False,
    "repeated": "first",
    "names": "exact",
    "twice": "first",
    "reads": {
        "page": {"bad": "default", "below": "default", "number": "signed", "most": 2**31 - 1},
        "size": {"bad": "default", "below": "default", "number": "signed", "most": 2**31 - 1},
        "sort": {"bad": "ignore"},
    },
}


def speak_as_spring(rows: list[Row], asked: Question) -> bytes:
    """Spring Data REST: links state page, size and order, behind all other parameters; Jackson prints the reply."""
    first: dict[str, str] = {}
    for name, value in asked.pairs:
        first.setdefault(name, value)
    size, page = min(whole(first.get("size"), 20, 1), 1000), whole(first.get("page"), 0, 0)
    order = [key for name, value in asked.pairs if name == "sort" for key in sort_of(value)]
    pages = -(-len(rows) // size)
    others = [
        part for part in asked.query.split("&") if part and part.partition("=")[0] not in {"page", "size", "sort"}
    ]

    def link(number: int) -> dict[str, str]:
        stated = [*others, f"page={number}", f"size={size}", *folded(order)]
        return {"href": f"{asked.url.partition('?')[0]}?{'&'.join(stated)}"}

    paged = pages > 1 or page
    links = {"first": link(0)} if paged else {}
    links |= {"prev": link(page - 1)} if page else {}
    links |= {"self": link(page)}
    links |= {"next": link(page + 1)} if page + 1 < pages else {}
    links |= {"last": link(max(0, pages - 1))} if paged else {}
    shown = ranked(rows, order)[page * size : (page + 1) * size]
    numbers = {"size": size, "totalElements": len(rows), "totalPages": pages, "number": page}
    body = {"_embedded": {"rows": shown}, "_links": {**links, "profile": {"href": "/profile"}}, "page": numbers}
    return reply(printed(body))


def whole(text: str | None, default: int, least: int) -> int:
    """Java's parseInt, and the default where it fails or the number is too small."""
    if text is None or not re.fullmatch(r"[+-]?[0-9]+", text) or int(text) > 2**31 - 1:
        return default
    return int(text) if int(text) >= least else default


def sort_of(value: str) -> list[tuple[str, bool]]:
    words = value.split(",")
    directed = words[-1].lower() in {"asc", "desc"}
    keys = words[:-1] if directed else words
    return [(key, directed and words[-1].lower() == "desc") for key in keys if key in {"id", "name", "price"}]


def folded(order: list[tuple[str, bool]]) -> list[str]:
    groups = [(descends, [name for name, _ in keys]) for descends, keys in groupby(order, lambda key: key[1])]
    return [f"sort={','.join(names)},{'desc' if descends else 'asc'}" for descends, names in groups]


def printed(value: Any, indent: str = "") -> str:
    """As Jackson's pretty printer: spaces around colons, and arrays on one line."""
    if isinstance(value, dict):
        inner = indent + "  "
        lines = [f"{inner}{json.dumps(name)} : {printed(each, inner)}" for name, each in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list):
        return f"[ {', '.join(printed(each, indent) for each in value)} ]" if value else "[ ]"
    return json.dumps(value)


@pytest.mark.parametrize("size", [0, 21, 3000])
async def test_lists_byte_for_byte_as_spring_writes_them(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    # Found: Spring Data REST behind the gateway: 102 of 338 replies were its own, byte for byte.
    rows = await world(stack, tmp_path, speak_as_spring, SPRING, size=size)
    for query in (
        "",
        "?size=7&page=1",
        "?page=150&size=20",
        "?a=b&size=3&sort=name&sort=id,desc&q=%C3%A9",
        "?sort=name,price,desc&sort=id&page=2",
        "?sort=nope&sort=price,DESC&sort=nope,id&page=+1&size=+4",
        "?page=x&size=0",
        "?page=99999999999&size=-3",
        "?size=5000&sort=id,desc",
        "?page=1&page=2&size=3&size=4",
        "?Page=2&Size=3",
    ):
        await rows.both(f"/rows{query}")
