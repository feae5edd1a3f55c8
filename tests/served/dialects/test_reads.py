"""Applications that read bad values of paging parameters in ways of their own (L9), before three shards of them."""

import json
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

Read = Callable[[str | None, int], int]


def parse_int(text: str | None, default: int) -> int:
    """JavaScript: `parseInt(text) || default`."""
    found = re.match(r"\s*([-+]?\d+)", text or "")
    return (int(found[1]) if found else 0) or default


def atoi(text: str | None, default: int) -> int:
    """Go: `n, _ := strconv.Atoi(text)`, and the default where the parameter is not there."""
    return default if text is None else int(text) if re.fullmatch(r"-?\d+", text) else 0


def page_of(rows: list[Row], asked: Question, number: int, size: int, shown: list[Row] | None = None) -> bytes:
    shown = ranked(rows, minus(asked.values.get("order"))) if shown is None else shown
    pages = max(1, -(-len(rows) // size))
    body = {
        "items": shown[(number - 1) * size : number * size],
        "total": len(rows),
        "page_count": pages,
        "page": number,
        "page_size": size,
        "prev": number - 1 if number > 1 else None,
        "next": number + 1 if number * size < len(rows) else None,
        "from": (number - 1) * size + 1 if shown[(number - 1) * size :] else None,
        "last": pages,
    }
    return reply(json.dumps(body))


PAGES: dict[str, Any] = {
    "kind": "pages",
    "limit_default": 10,
    "limit_max": 50,
    "numbers": {"prev": "prev", "next": "next", "last": "last"},
    "from_echo": "from",
}


def django(rows: list[Row], asked: Question) -> bytes:
    """As `Paginator.get_page`: a text is page 1, a number that no page has is the last page."""
    pages, text = max(1, -(-len(rows) // 10)), asked.values.get("page", "1")
    number = pages if text == "last" else int(text) if re.fullmatch(r"-?\d+", text) else 1
    return page_of(rows, asked, number if 1 <= number <= pages else pages, 10)


DJANGO = {
    **PAGES,
    "past_end": "last",
    "limit": None,
    "limit_max": None,
    "reads": {"page": {"bad": "default", "below": "last", "words": {"last": "last"}}},
}
PAGE_QUERIES = [
    *("", "?page=2", "?page=12", "?page=13", "?page=99999999999999999999", "?page=0", "?page=-3", "?page=x", "?page="),
    *("?page=last", "?page=last&order=-name", "?page=first", "?order=price&page=500"),
]


@pytest.mark.parametrize("size", [0, 7, 120])
async def test_l9_the_last_page_by_a_word_or_behind_the_end(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    rows = await world(stack, tmp_path, django, DJANGO, size=size)
    for query in PAGE_QUERIES:
        await rows.both(f"/rows{query}")


async def test_l9_the_last_page_of_a_long_list(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, django, DJANGO, size=3000)
    for query in ("?page=last", "?page=301&order=-price", "?page=250", "?page=0"):
        await rows.both(f"/rows{query}")


async def test_l9_a_shard_that_moves_pages_and_states_no_size_is_found(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, lambda part, asked: reply(json.dumps({"items": part[:10]})), DJANGO)
    assert (await rows.gateway.get("/rows?page=3")).status_code == 502


def express(rows: list[Row], asked: Question) -> bytes:
    """`Math.min(parseInt(size) || 10, 50)`, and a page that is never less than 1."""
    size = min(max(parse_int(asked.values.get("page_size"), 10), 1), 50)
    return page_of(rows, asked, max(parse_int(asked.values.get("page"), 1), 1), size)


EXPRESS = {
    **PAGES,
    "reads": {
        "page_size": {"number": "leading", "bad": "default", "below": "least", "zero": "default"},
        "page": {"number": "leading", "bad": "default", "below": "least"},
    },
}


async def test_l9_numbers_that_a_text_begins_with(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, express, EXPRESS)
    sizes = ("", "5x", "%207", "x", "500", "-3", "2.5", "+4")
    for size in sizes:
        for page in ("", "2", "3rd", "0", "-1", "x"):
            await rows.both(f"/rows?page_size={size}&page={page}")
    for text in ("0x10", "1e3"):  # other numbers to other parsers
        assert (await rows.gateway.get(f"/rows?page={text}")).status_code == 400


def go(rows: list[Row], asked: Question) -> bytes:
    """`limit` and `offset` by Atoi, errors ignored: a text is 0; a limit of 0 or less means all rows."""
    limit, offset = atoi(asked.values.get("limit"), 20), max(atoi(asked.values.get("offset"), 0), 0)
    word = {"newest": "-price,name", "cheapest": "price"}.get(asked.values.get("order", ""), asked.values.get("order"))
    shown = ranked(rows, minus(word))[offset:]
    shown = shown[:limit] if limit > 0 and asked.values.get("limit") != "all" else shown
    return reply(json.dumps({"items": shown, "total": len(rows)}))


GO = {
    "kind": "envelope",
    "limit_default": 20,
    "reads": {
        "limit": {"bad": "zero", "least": 1, "below": "all", "words": {"all": "all"}},
        "offset": {"bad": "zero", "below": "least"},
        "order": {"words": {"newest": "-price,name", "cheapest": "price"}},
    },
}


async def test_l9_texts_that_are_zero_and_words_for_everything(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await world(stack, tmp_path, go, GO)
    for limit in ("all", "0", "-1", "x", "", "7"):
        for offset in ("", "x", "-2", "30"):
            await rows.both(f"/rows?limit={limit}&offset={offset}")
    for order in ("newest", "cheapest", "-name"):
        await rows.both(f"/rows?order={order}&limit=9&offset=40")


async def test_l9_an_unknown_direction_is_ascending(stack: AsyncExitStack, tmp_path: Path) -> None:
    def speak(part: list[Row], asked: Question) -> bytes:
        name, word = asked.values.get("order", "id"), asked.values.get("dir", "asc")
        return reply(json.dumps(ranked(part, [(name, word.lower() == "desc")])[: asked.number("limit", 200)]))

    dialect = {"kind": "offset", "direction": "dir", "reads": {"dir": {"bad": "default"}}}
    rows: World = await world(stack, tmp_path, speak, dialect)
    for word in ("asc", "DESC", "down", "", "1"):
        await rows.both(f"/rows?order=price&dir={word}&limit=15")
