"""Lists of the Django REST framework: `count`, `next`, `previous`, `results`."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

NUMBERS = {"kind": "drf", "limit_default": 10, "limit_max": 25}
OFFSETS = {"kind": "drf", "page": None, "limit": "limit", "limit_default": 10, "limit_max": 25, "past_end": None}


def replaced(url: str, **values: int | None) -> str:
    """As the framework's replace_query_param and remove_query_param do it."""
    parts = urlsplit(url)
    query: dict[str, list[Any]] = dict(parse_qs(parts.query, keep_blank_values=True))
    for name, value in values.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [value]
    return parts._replace(query=urlencode(sorted(query.items()), doseq=True)).geturl()


def by_number(rows: list[Row], asked: Question) -> bytes:
    size = min(asked.number("page_size", 10), 25)
    page, pages = asked.number("page", 1), max(1, -(-len(rows) // size))
    if not 1 <= page <= pages:
        return reply('{"detail":"Invalid page."}', status="404 Not Found")
    following = replaced(asked.url, page=page + 1) if page < pages else None
    before = None if page == 1 else replaced(asked.url, page=page - 1 if page > 2 else None)
    return told(rows, asked, (page - 1) * size, size, following, before)


def by_offset(rows: list[Row], asked: Question) -> bytes:
    limit, offset = min(asked.number("limit", 10), 25), asked.number("offset", 0)
    following = replaced(asked.url, limit=limit, offset=offset + limit) if offset + limit < len(rows) else None
    before = replaced(asked.url, limit=limit, offset=offset - limit if offset > limit else None) if offset else None
    return told(rows, asked, offset, limit, following, before)


def told(rows: list[Row], asked: Question, start: int, size: int, following: str | None, before: str | None) -> bytes:
    shown = ranked(rows, minus(asked.values.get("ordering")))[start : start + size]
    body = {"count": len(rows), "next": following, "previous": before, "results": shown}
    return reply(json.dumps(body, separators=(",", ":"), ensure_ascii=False))


async def walk(rows: World, target: str) -> None:
    seen: list[str] = []
    link = following = target
    while following:
        body = (await rows.both(following)).json()
        seen += [row["id"] for row in body["results"]]
        link, following = following, rows.local(body["next"]) if body["next"] else ""
    assert len(seen) == len(set(seen)) == 120
    back: list[str] = []
    while link:
        body = (await rows.both(link)).json()
        back = [row["id"] for row in body["results"]] + back
        link = rows.local(body["previous"]) if body["previous"] else ""
    assert back == seen


@pytest.mark.parametrize("query", ["", "?page_size=7&q=a%20b,c&ordering=-name", "?z=&page_size=25", "?page_size=99"])
async def test_page_numbers_by_their_links(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    await walk(await world(stack, tmp_path, by_number, NUMBERS), f"/rows{query}")


@pytest.mark.parametrize("query", ["", "?limit=7&q=a%20b,c&ordering=-name", "?z=&limit=25&offset=0"])
async def test_offsets_by_their_links(stack: AsyncExitStack, tmp_path: Path, query: str) -> None:
    await walk(await world(stack, tmp_path, by_offset, OFFSETS), f"/rows{query}")


@pytest.mark.parametrize("size", [0, 1, 30, 120])
async def test_a_page_behind_the_end_is_the_applications_own_404(
    stack: AsyncExitStack, tmp_path: Path, size: int
) -> None:
    rows = await world(stack, tmp_path, by_number, NUMBERS, size=size)
    for query in ("", "?page=2", "?page=3", "?page=12", "?page=13", "?page=99", "?page=2&page_size=25", "?page=0"):
        await rows.both(f"/rows{query}")


async def test_a_deep_page_is_found_though_pages_behind_the_end_are_refused(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    rows = await world(stack, tmp_path, by_number, NUMBERS, size=3000)
    for page in (60, 150, 299, 300, 301):
        await rows.both(f"/rows?page={page}&ordering=-price,name")


async def test_links_begin_with_the_address_that_is_configured(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, by_number, {**NUMBERS, "origin": "https://api.example.com"})
    body = (await rows.gateway.get("/rows?page=2")).json()
    assert (body["next"], body["previous"]) == ("https://api.example.com/rows?page=3", "https://api.example.com/rows")


@pytest.mark.parametrize("size", [0, 1, 10, 11, 120])
async def test_a_word_for_the_last_page_says_nothing_of_numbers_behind_the_end(
    stack: AsyncExitStack, tmp_path: Path, size: int
) -> None:
    """`page=last` is the last page, and `page=999` still the application's own 404."""

    def speak(rows: list[Row], asked: Question) -> bytes:
        if asked.values.get("page") == "last":
            asked.values["page"] = str(max(1, -(-len(rows) // min(asked.number("page_size", 10), 25))))
        return by_number(rows, asked)

    dialect = {**NUMBERS, "reads": {"page": {"words": {"last": "last"}}}}
    rows = await world(stack, tmp_path, speak, dialect, size=size)
    for query in ("page=last", "page=2", "page=13", "page=999", "page=5&page_size=25", "page=6&page_size=25"):
        await rows.both(f"/rows?{query}")
