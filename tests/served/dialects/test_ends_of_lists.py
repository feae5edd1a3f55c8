"""What applications write of the first, the last and the next page: of short lists, of empty ones, and at the end."""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.test_link_header import link_field, with_values
from tests.served.dialects.world import Question, Row, World, ranked, world

LIMITS: dict[str, Any] = {"limit_default": 10, "limit_max": 25}
LINKS: dict[str, Any] = {"kind": "link_header", **LIMITS}
PAGES: dict[str, Any] = {"kind": "pages", **LIMITS, "limit": "per_page", "page_echo": None, "limit_echo": None}
SIZES = [0, 1, 9, 10, 24, 120]
Write = Callable[[Question, list[Row], int, int, int], bytes]


def speaker(write: Write) -> Callable[[list[Row], Question], bytes]:
    """`write`: the rows of the page, its number, its size, and the size of the list."""

    def speak(rows: list[Row], asked: Question) -> bytes:
        size, page = min(asked.number("per_page", 10), 25), asked.number("page", 1)
        return write(asked, ranked(rows, [])[(page - 1) * size : page * size], page, size, len(rows))

    return speak


async def walk(stack: AsyncExitStack, folder: Path, write: Write, dialect: dict[str, Any]) -> None:
    for size in SIZES:
        here: World = await world(stack, folder, speaker(write), dialect, size)
        for per_page in (1, 7, 10, 25):
            for page in (1, 2, 3, 200):
                await here.both(f"/rows?page={page}&per_page={per_page}")
        await here.both("/rows")


def linking(*, own_ends: bool, single: bool) -> Write:
    def write(asked: Question, shown: list[Row], page: int, size: int, total: int) -> bytes:
        pages = max(1, -(-total // size))
        numbers = {"first": 1, "prev": page - 1, "next": page + 1 if page < pages else 0, "last": pages}
        if not own_ends:
            numbers |= {"first": 0} if page == 1 else {}
            numbers |= {"last": 0} if page >= pages else {}
        links = {rel: with_values(asked, page=number) for rel, number in numbers.items() if number}
        fields = link_field(links) if links and (single or pages > 1 or page > 1) else ""
        return reply(json.dumps(shown), fields=f"{fields}X-Total-Count: {total}\r\n")

    return write


@pytest.mark.parametrize(("own_ends", "single"), [(True, True), (True, False), (False, False)])
async def test_links_of_the_first_and_the_last_page(
    stack: AsyncExitStack, tmp_path: Path, own_ends: bool, single: bool
) -> None:
    # Found: a list of one page had no links where the application writes them (as GitLab); and the first page named
    # itself where the application does not (as GitHub).
    dialect = {**LINKS, "count_header": "X-Total-Count", "own_ends": own_ends}
    await walk(stack, tmp_path, linking(own_ends=own_ends, single=single), dialect)


@pytest.mark.parametrize(("none", "ends"), [(0, (0, 0)), (None, (None, None)), (1, (1, 0))])
async def test_numbers_of_a_list_without_rows(stack: AsyncExitStack, tmp_path: Path, none: Any, ends: Any) -> None:
    # Found: `last: 0`, `from: null` and links to the first page, whatever the application writes there.
    def write(asked: Question, shown: list[Row], page: int, size: int, total: int) -> bytes:
        begin, pages = (page - 1) * size, -(-total // size)
        numbers = {"next": page + 1 if page < pages else 0, "last": pages if total else none}
        numbers["first"] = 1 if total else none
        first = with_values(asked, page=1) if total else none and ""
        place = (begin + 1, begin + len(shown)) if shown else (ends if not total and page == 1 else (None, None))
        said = {"from": place[0], "to": place[1], "start": place[0]}
        body = {"items": shown, "total": total, "page_count": pages if total else none, **numbers, **said, "url": first}
        return reply(json.dumps(body, separators=(",", ":")))

    numbers = {"next": "next", "last": "last", "first": "first"}
    dialect = {**PAGES, "no_page": "zero", "numbers": numbers, "from_echo": "from", "to_echo": "to"}
    dialect |= {"echoes": {"start": "from"}, "urls": {"first": "url"}}
    await walk(stack, tmp_path, write, dialect)


async def test_a_next_page_of_zero_is_none(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: `next: 0` was taken for a page, so that the last page named another one.
    def write(asked: Question, shown: list[Row], page: int, size: int, total: int) -> bytes:
        following = page + 1 if page * size < total else 0
        return reply(json.dumps({"items": shown, "next": following}, separators=(",", ":")))

    dialect = {**PAGES, "total": None, "page_count": None, "numbers": {"next": "next"}}
    for size in SIZES:
        here = await world(stack, tmp_path, speaker(write), dialect, size)
        for page in (1, 2, 3, 5):
            await here.both(f"/rows?page={page}&per_page=25")


COUNTED: dict[str, tuple[dict[str, Any], str]] = {
    "pages": ({**PAGES, "total": None}, "page_count"),
    "echoes": ({**PAGES, "total": None, "page_count": None, "echoes": {"page_count": "pages"}}, "page_count"),
    "numbers": ({**PAGES, "total": None, "page_count": None, "numbers": {"last": "page_count"}}, "page_count"),
    "json_api": ({"kind": "json_api", **LIMITS, "page": "page", "limit": "per_page", "total": None}, "links.last"),
    "links": ({**LINKS}, "Link"),
    "field": ({**LINKS, "rels": ["next"], "pages_header": "X-Total-Pages"}, "X-Total-Pages"),
}


@pytest.mark.parametrize("kind", COUNTED)
async def test_pages_of_a_list_whose_size_is_not_stated_are_a_502(
    stack: AsyncExitStack, tmp_path: Path, kind: str
) -> None:
    # Found: `page_count: null`, no link to the last page, or the first shard's number of pages, with 200.
    def write(asked: Question, shown: list[Row], page: int, size: int, total: int) -> bytes:
        pages = max(1, -(-total // size))
        links = {"next": with_values(asked, page=page + 1)} if page < pages else {}
        links |= {"last": with_values(asked, page=pages)}
        if kind in {"links", "field"}:
            field = link_field(links) if kind == "links" else f"X-Total-Pages: {pages}\r\n" + link_field(links)
            return reply(json.dumps(shown), fields=field)
        if kind == "json_api":
            names = {"self": asked.url, "first": with_values(asked, page=1), "prev": None, "next": None, **links}
            names |= {"prev": with_values(asked, page=page - 1)} if page > 1 else {}
            return reply(json.dumps({"data": [{"type": "r", **row} for row in shown], "links": names}))
        return reply(json.dumps({"items": shown, "page_count": pages}))

    dialect, member = COUNTED[kind]
    here = await world(stack, tmp_path, speaker(write), dialect, 24)
    answer = await here.gateway.get("/rows?page=1&per_page=10")
    assert answer.status_code == 502
    assert answer.json()["detail"].startswith("a shard says how many pages its list has"), member
    single = await here.gateway.get("/rows?page=1&per_page=25")
    assert single.status_code == 200  # the page itself shows how many rows there are
