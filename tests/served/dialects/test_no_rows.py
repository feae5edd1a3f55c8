"""A list without rows, as applications write it: by a status, without the member, as `{}`, as `""`, without a body."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world

TARGETS = [
    *("/rows", "/rows?limit=3&offset=5", "/rows?limit=7&offset=119", "/rows?offset=500", "/rows?limit=0"),
    *("/rows?vendor=b-1&limit=4", "/rows?vendor=b-1&offset=90", "/rows?vendor=none", "/rows?vendor=none&offset=9"),
]


def speaker(write: Any) -> Any:
    def speak(rows: list[Row], asked: Question) -> bytes:
        rows = [row for row in rows if asked.values.get("vendor") in {None, row["vendor"]}]
        limit, offset = asked.number("limit", 10), asked.number("offset", 0)
        said: bytes = write(ranked(rows, minus(asked.values.get("order")))[offset : offset + limit], len(rows))
        return said

    return speak


async def walk(stack: AsyncExitStack, folder: Path, write: Any, dialect: dict[str, Any], **merge: Any) -> None:
    said = {"limit_default": 10, "limit_max": 100, **dialect}
    here: World = await world(stack, folder, speaker(write), said, **merge)
    for target in TARGETS:
        await here.both(target)


@pytest.mark.parametrize(("no_rows", "empty"), [("absent", None), ("object", {}), ("text", ""), ("false", False)])
async def test_l3_a_member_without_rows(stack: AsyncExitStack, tmp_path: Path, no_rows: str, empty: Any) -> None:
    # Found: 502 for every list of which one shard has no rows.
    def write(page: list[Row], total: int) -> bytes:
        body = {"n": total} if no_rows == "absent" and not page else {"data": page or empty, "n": total}
        return reply(msgspec.json.encode(body))

    await walk(stack, tmp_path, write, {"kind": "envelope", "items": "data", "total": "n"}, no_rows=no_rows)


async def test_l3_the_object_of_a_list_that_has_no_rows_is_null(stack: AsyncExitStack, tmp_path: Path) -> None:
    """And a page behind the end is a list: a shard that has rows tells."""

    def write(page: list[Row], total: int) -> bytes:
        return reply(msgspec.json.encode({"data": {"rows": page, "n": total} if total else None}))

    dialect = {"kind": "envelope", "items": "data.rows", "total": "data.n"}
    await walk(stack, tmp_path, write, dialect, no_rows="absent")


async def test_l3_a_size_that_is_null_where_there_is_none(stack: AsyncExitStack, tmp_path: Path) -> None:
    def write(page: list[Row], total: int) -> bytes:
        return reply(msgspec.json.encode({"items": page, "total": total or None}))

    await walk(stack, tmp_path, write, {"kind": "envelope"})


async def test_l1_a_list_without_rows_has_no_body(stack: AsyncExitStack, tmp_path: Path) -> None:
    await walk(
        stack,
        tmp_path,
        lambda page, total: reply(msgspec.json.encode(page) if page else b""),
        {"kind": "offset"},
        no_rows="no_body",
    )


async def test_l1_a_page_without_rows_has_the_status_of_a_list_without_rows(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    # Found: `[]` with 200 where the application answers a page behind the last row with 204.
    def write(page: list[Row], total: int) -> bytes:
        return reply(msgspec.json.encode(page)) if page else b"HTTP/1.1 204 No Content\r\n\r\n"

    await walk(stack, tmp_path, write, {"kind": "offset"}, not_here=[204])


async def test_l1_a_page_behind_the_end_is_a_list_where_only_an_empty_table_is_404(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    def write(page: list[Row], total: int) -> bytes:
        return reply(msgspec.json.encode(page)) if total else reply('{"error":"nothing"}', status="404 Not Found")

    await walk(stack, tmp_path, write, {"kind": "offset"}, not_here=[404])
