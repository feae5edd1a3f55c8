"""Pages by ids of rows: what they say of their first and last row, and how they lead to the next and the one before."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, ranked, world

DIALECT: dict[str, Any] = {"kind": "id_cursor", "limit_default": 10, "limit_max": 25}
NEWEST: dict[str, Any] = {"default_order": ["-id"], "tie": "-id"}
STEPS = [(asked, name) for asked in ("starting_after", "ending_before") for name in ("00000", "30000", "99999")]


def page(rows: list[Row], asked: Question) -> tuple[list[Row], bool]:
    """Newest first: what is behind an id, or what ends before it; and whether there is more that way."""
    shown, size = ranked(rows, [])[::-1], min(asked.number("limit", 10), 25)
    after, before = asked.values.get("starting_after"), asked.values.get("ending_before")
    if before is not None:
        shown = [row for row in shown if row["id"] > before]
        return shown[-size:], len(shown) > size
    shown = [row for row in shown if after is None or row["id"] < after]
    return shown[:size], len(shown) > size


def with_ends(rows: list[Row], asked: Question) -> bytes:
    """As OpenAI's API."""
    shown, more = page(rows, asked)
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
    return reply(json.dumps({"data": shown, "first_id": first, "last_id": last, "has_more": more}))


def backwards(rows: list[Row], asked: Question) -> bytes:
    shown, more = page(rows, asked)
    shown = shown[::-1] if "ending_before" in asked.values else shown
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return reply(json.dumps({"data": shown, **ends, "has_more": more}))


def in_links(rows: list[Row], asked: Question) -> bytes:
    """As Mastodon: each page with rows links both ways, in the field Link alone."""
    shown, _ = page(rows, asked)
    own = [part for part in asked.query.split("&") if part and not part.startswith(("starting_", "ending_"))]
    begin = asked.url.partition("?")[0]
    steps = [("next", "starting_after", -1), ("prev", "ending_before", 0)] if shown else []
    links = [f'<{begin}?{"&".join([*own, name + "=" + shown[n]["id"]])}>; rel="{rel}"' for rel, name, n in steps]
    return reply(json.dumps(shown), fields=f"Link: {', '.join(links)}\r\n" if links else "")


async def asked_both(rows: World) -> None:
    for size in (1, 3, 13, 25):
        await rows.both(f"/rows?limit={size}")
        for name, value in STEPS:
            await rows.both(f"/rows?limit={size}&{name}={value}")


async def test_the_ids_of_the_first_and_the_last_row(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: they could not be said, so that every page was a 502.
    dialect = {**DIALECT, "first_id": "first_id", "last_id": "last_id"}
    await asked_both(await world(stack, tmp_path, with_ends, dialect, **NEWEST))


@pytest.mark.parametrize("size", [3, 120])
async def test_a_page_before_a_row_stands_the_other_way_round(stack: AsyncExitStack, tmp_path: Path, size: int) -> None:
    # Found: a 502; and where each shard had one row alone, another order than the application's, with 200.
    dialect = {**DIALECT, "first_id": "first_id", "last_id": "last_id", "reversed_back": True}
    await asked_both(await world(stack, tmp_path, backwards, dialect, size, **NEWEST))


async def test_pages_that_lead_on_by_the_field_link(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: the field was left out, and nothing else led to the next page.
    dialect = {**DIALECT, "items": None, "has_more": None, "rels": ["next", "prev"], "links_always": True}
    await asked_both(await world(stack, tmp_path, in_links, dialect, **NEWEST))
    unnamed = {**dialect, "rels": ["next"]}
    answer = await (await world(stack, tmp_path, in_links, unnamed, **NEWEST)).gateway.get("/rows")
    assert (answer.status_code, answer.json()["detail"]) == (502, "a shard's Link names a page that the rule does not")
