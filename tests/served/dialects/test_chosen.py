"""One operation that pages in several ways, or not at all: as json-server does, before and since its version 1."""

import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

KEYS = {"id": "text", "name": "text", "price": "number"}
SORTED = {"order": "_sort", "names": "exact"}
NO_NUMBER = {"reads": {"_limit": {"bad": "default"}, "_start": {"bad": "default"}}}
PLAIN = {"kind": "offset", "limit": "_limit", "offset": "_start", "offset_needs_limit": True, **NO_NUMBER, **SORTED}
PAGES = {
    "kind": "pages",
    "page": "_page",
    "limit": "_per_page",
    "limit_default": 10,
    "limit_max": 10_000,
    "items": "data",
    "total": "items",
    "page_count": "pages",
    "page_echo": None,
    "limit_echo": None,
    **SORTED,
}
ENDS = {**PLAIN, "limit": "_end", "limit_is": "end", "states_offset": True, "reads": {}}
SLICES = {**PLAIN, "states_offset": True}


def listed(dialect: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "list", "dialect": dialect, "keys": KEYS}


CHOSEN = {
    "kind": "chosen",
    "mixed": "ignore",
    "given": "number",
    "choices": [
        {"when": "_start&_end", "merge": listed(ENDS)},
        {"when": "_limit", "merge": listed(SLICES)},
        {"when": "_page", "merge": listed(PAGES)},
    ],
    "otherwise": listed(PLAIN),
}
STRICT = {name: value for name, value in CHOSEN.items() if name != "mixed"}


def speak(rows: list[Row], asked: Question) -> bytes:
    """As `find` of json-server 1: a number that cannot be read is as if it were not there."""
    given = {name: int(text) for name, text in asked.pairs if name != "_sort" and re.fullmatch("[0-9]+", text)}
    start, end, limit, page = (given.get(name) for name in ("_start", "_end", "_limit", "_page"))
    shown = ranked(rows, minus(asked.values.get("_sort")))
    if start is not None and end is not None:
        shown = shown[start:end]
    elif limit is not None:
        shown = shown[start or 0 : (start or 0) + limit]
    elif page is not None:
        size = given.get("_per_page", 10)
        body = {"pages": -(-len(rows) // size), "items": len(rows), "data": shown[(page - 1) * size : page * size]}
        return reply(json.dumps(body))
    return reply(json.dumps(shown))


async def start(stack: AsyncExitStack, folder: Path, merge: dict[str, Any], size: int = 120) -> World:
    return await world(stack, folder, speak, {}, size=size, instead=merge)


QUERIES = [
    *(
        "",
        "?_sort=-name",
        "?_page=2",
        "?_page=3&_per_page=7&_sort=price,-name",
        "?_start=20&_end=30",
        "?_start=0&_end=5",
    ),
    *(
        "?_limit=9",
        "?_start=100&_limit=50",
        "?_start=0&_limit=3",
        "?_start=30&_end=20",
        "?_start=7&_end=7",
        "?_limit=0",
    ),
    *(
        "?_start=5",
        "?_start=5&_end=x",
        "?_start=x&_limit=4",
        "?_start=5000&_end=5010",
        "?_page=&_limit=",
        "?_page=x",
        "?_page=1&_per_page=120",
    ),
]
MIXED = [
    *(
        "?_page=2&_start=5&_end=9",
        "?_page=2&_limit=5",
        "?_start=5&_end=9&_limit=1",
        "?_start=0&_end=9&_page=2&_per_page=3",
    ),
    *("?_per_page=5&_limit=2", "?_per_page=5", "?_start=0&_limit=4&_page=3"),
]


@pytest.mark.parametrize("merge", [CHOSEN, STRICT], ids=["ignore", "refuse"])
async def test_l10_the_dialect_is_chosen_by_the_parameters_that_are_there(
    stack: AsyncExitStack, tmp_path: Path, merge: dict[str, Any]
) -> None:
    rows = await start(stack, tmp_path, merge)
    for query in QUERIES:
        await rows.both(f"/rows{query}")
    for query in MIXED:
        if merge is CHOSEN:
            await rows.both(f"/rows{query}")
            continue
        refused = await rows.gateway.get(f"/rows{query}")
        assert refused.status_code == 400, query
        assert re.search(r"the parameter `_(page|per_page|start|end|limit)` is not accepted", refused.json()["detail"])


async def test_l10_deep_pages_of_each_dialect(stack: AsyncExitStack, tmp_path: Path) -> None:
    rows = await start(stack, tmp_path, CHOSEN, size=4000)
    for query in ("?_page=300", "?_start=3000&_end=3020", "?_start=2500&_limit=11&_page=1"):
        await rows.both(f"/rows{query}")
        await rows.both(f"/rows{query}&_sort=-price,name")


async def test_l10_a_name_that_a_parser_takes_for_one_of_a_choice_is_refused(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    rows = await start(stack, tmp_path, CHOSEN)
    for name in ("_Page", "_page[]", "_start.x", "_END"):
        refused = await rows.gateway.get(f"/rows?{name}=2")
        assert refused.status_code == 400
        assert "can be read as" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_start=-5&_end=10", "_start=-5"),
        ("_start=0&_end=-3", "_end=-3"),
        ("_start=-5&_limit=3", "_start=-5"),
        ("_limit=-2", "_limit=-2"),
    ],
)
async def test_l9_a_slice_that_counts_from_the_end_is_refused_in_words(
    stack: AsyncExitStack, tmp_path: Path, query: str, named: str
) -> None:
    # JavaScript's `slice(-5)`: each shard would give its own last five.
    rows = await start(stack, tmp_path, CHOSEN)
    refused = await rows.gateway.get(f"/rows?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "SG1009")
    assert re.search(rf"`{named}`: a whole number( from 0 on)? is accepted", refused.json()["detail"])
