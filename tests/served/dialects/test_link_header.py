"""Bare arrays with links to other pages in a Link header field."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

COUNTS = {"count_header": "X-Total-Count", "pages_header": "X-Total-Pages"}
NUMBERS = {"kind": "link_header", "rels": ["prev", "next", "last", "first"], "limit_default": 10, "limit_max": 25}
OFFSETS = {"kind": "link_header", "page": None, "limit": "limit", "limit_default": 10}


def by_number(rows: list[Row], asked: Question, *, counts: bool = False) -> bytes:
    size, page = min(asked.number("per_page", 10), 25), asked.number("page", 1)
    pages = -(-len(rows) // size)
    numbers = {"prev": page - 1, "next": page + 1 if page < pages else 0, "last": pages, "first": 1}
    links = {rel: with_values(asked, page=number) for rel, number in numbers.items() if number}
    fields = link_field(links) if page > 1 or pages > 1 else ""
    if counts:
        fields += f"X-Total-Count: {len(rows)}\r\nX-Total-Pages: {pages}\r\n"
    return told(rows, asked, (page - 1) * size, size, fields)


def by_offset(rows: list[Row], asked: Question) -> bytes:
    """One that does not say how many rows there are."""
    limit, offset = asked.number("limit", 10), asked.number("offset", 0)
    links = {"first": with_values(asked, limit=limit, offset=0)} if offset or len(rows) > limit else {}
    if offset:
        links["prev"] = with_values(asked, limit=limit, offset=max(0, offset - limit))
    if offset + limit < len(rows):
        links["next"] = with_values(asked, limit=limit, offset=offset + limit)
    return told(rows, asked, offset, limit, link_field(links) if links else "")


def with_values(asked: Question, **values: int) -> str:
    """In place where it stands, behind where it does not."""
    parts = [part for part in asked.query.split("&") if part]
    for name, value in values.items():
        places = [n for n, part in enumerate(parts) if part.partition("=")[0] == name]
        if places:
            parts[places[0]] = f"{name}={value}"
        else:
            parts.append(f"{name}={value}")
    return f"{asked.url.partition('?')[0]}?{'&'.join(parts)}"


def link_field(links: dict[str, str]) -> str:
    return "Link: " + ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items()) + "\r\n"


def told(rows: list[Row], asked: Question, start: int, size: int, fields: str) -> bytes:
    shown = ranked(rows, minus(asked.values.get("order")))[start : start + size]
    return reply(json.dumps(shown), fields=fields)


async def walk(rows: World, target: str) -> None:
    seen = await follow(rows, target, "next")
    assert len({row for page in seen.values() for row in page}) == 120
    assert sum(map(len, seen.values())) == 120
    back = await follow(rows, list(seen)[-1], "prev")
    assert list(back.values()) == list(seen.values())[::-1]


async def follow(rows: World, link: str, rel: str) -> dict[str, list[str]]:
    seen: dict[str, list[str]] = {}
    while link:
        answer = await rows.both(link)
        seen[link] = [row["id"] for row in answer.json()]
        match = re.search(rf'<([^>]*)>; rel="{rel}"', answer.headers.get("link", ""))
        link = rows.local(match[1]) if match else ""
    return seen


@pytest.mark.parametrize("query", ["", "?order=-name&per_page=7&q=a%20b", "?page=1&per_page=25", "?per_page=99"])
async def test_page_numbers_with_counts(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    def speak(part: list[Row], asked: Question) -> bytes:
        return by_number(part, asked, counts=True)

    await walk(await world(stack, tmp_path, speak, {**NUMBERS, **COUNTS}), f"/rows{query}")


async def test_page_numbers_without_counts_have_no_last_page(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_number, {**NUMBERS, "rels": ["prev", "next"]})
    pages = [await rows.gateway.get(f"/rows?page={page}") for page in (1, 2, 12, 13)]
    links = [re.findall(r'rel="(\w+)"', page.headers["link"]) for page in pages]
    assert links == [["next"], ["prev", "next"], ["prev"], ["prev"]]


@pytest.mark.parametrize(
    "query", ["?page=12", "?page=13", "?page=99&per_page=25", "?page=5&per_page=25", "?per_page=25"]
)
async def test_no_links_behind_the_last_row(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    """As json-server."""

    def speak(part: list[Row], asked: Question) -> bytes:
        size, page = min(asked.number("per_page", 10), 25), asked.number("page", 1)
        if (page - 1) * size >= len(part):
            return told(
                part,
                asked,
                len(part),
                size,
                f"X-Total-Count: {len(part)}\r\nX-Total-Pages: {-(-len(part) // size)}\r\n",
            )
        return by_number(part, asked, counts=True)

    rows = await world(stack, tmp_path, speak, {**NUMBERS, **COUNTS, "links_behind": False})
    await rows.both(f"/rows{query}")


@pytest.mark.parametrize("query", ["?limit=9", "?order=name&limit=40&offset=0&x"])
async def test_offsets(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    await walk(await world(stack, tmp_path, by_offset, OFFSETS), f"/rows{query}")


@pytest.mark.parametrize("size", [0, 1, 10, 11])
async def test_small_lists(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    rows = await world(stack, tmp_path, by_offset, OFFSETS, size=size)
    for query in ("", "?limit=3", "?limit=10", "?limit=3&offset=9"):
        await rows.both(f"/rows{query}")
