"""HAL lists, as Spring Data writes them."""

import json
from contextlib import AsyncExitStack
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


@pytest.mark.parametrize("size", [0, 1, 2, 20, 21, 3000])
async def test_small_lists_and_deep_pages(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    """Shards without rows have no `_embedded`; the page has one when it has rows."""
    rows = await world(stack, tmp_path, speak, DIALECT, size=size)
    for query in ("", "?size=1", "?page=1", "?page=149&sort=name,desc", "?page=150", "?size=25&page=60&sort=price"):
        await rows.both(f"/rows{query}")
