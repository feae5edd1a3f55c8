"""Pages by ids of an application that gives fewer rows than it is asked for, without a word of the rule."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, ranked, world

UNSAID: dict[str, Any] = {"kind": "id_cursor", "limit_default": 10, "limit_max": 50, "has_more": None}
SAID = {**UNSAID, "has_more": "more"}
PLACES = ["", "&starting_after=00000", "&ending_before=99999"]


def speaking(most: int) -> Any:
    def speak(rows: list[Row], asked: Question) -> bytes:
        limit = min(asked.number("limit", 10), most)
        after, before = asked.values.get("starting_after", ""), asked.values.get("ending_before")
        shown = [row for row in ranked(rows, []) if after < row["id"] < (before or "~")]
        page = shown[-limit:] if before else shown[:limit]
        return reply(json.dumps({"data": page, "more": len(shown) > limit}))

    return speak


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dialect", [UNSAID, SAID])
async def test_a_limit_of_the_applications_own_is_a_502(
    stack: AsyncExitStack, tmp_path: Path, dialect: dict[str, Any], place: str
) -> None:
    # Found: each shard gave 15 of the 50 rows that it was asked for; the page lacked rows or had too many, with 200.
    around = {"around": {"first_of": ["more"]}} if dialect is UNSAID else {}
    rows = await world(stack, tmp_path, speaking(15), dialect, **around)
    answer = await rows.gateway.get(f"/rows?limit=50{place}")
    assert answer.status_code == 502
    assert "`limit_max`" in answer.json()["detail"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dialect", [UNSAID, SAID])
@pytest.mark.parametrize("size", [3, 15, 120])
async def test_lists_that_end_are_pages(
    stack: AsyncExitStack, tmp_path: Path, dialect: dict[str, Any], place: str, size: int
) -> None:
    around = {"around": {"first_of": ["more"]}} if dialect is UNSAID else {}
    rows = await world(stack, tmp_path, speaking(50), dialect, size, **around)
    for limit in (2, 10, 50):
        expected = await rows.gateway.client.get(f"{rows.whole.url}/rows?limit={limit}{place}")
        answer = await rows.gateway.get(f"/rows?limit={limit}{place}")
        assert (answer.status_code, answer.json()["data"]) == (200, expected.json()["data"])
