"""What stands around the rows: members that the dialect does not name are merged by a word, are the same on every
shard, or are a failure; never one shard's in silence."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.cluster import reply
from tests.served.dialects.world import Question, Row, World, minus, ranked, world


def speaker(around: Any) -> Any:
    """An application by limit and offset. `around` gives the other members, from its rows and the request."""

    def speak(rows: list[Row], asked: Question) -> bytes:
        limit, offset = asked.number("limit", 10), asked.number("offset", 0)
        page = ranked(rows, minus(asked.values.get("order")))[offset : offset + limit]
        members = around(rows, asked, page, limit, offset)
        return reply(msgspec.json.encode({"items": page, "total": len(rows), **members}))

    return speak


async def start(stack: AsyncExitStack, folder: Path, around: Any, *, said: Any = None, **dialect: Any) -> World:
    kind = {"kind": "envelope", "limit_default": 10, "limit_max": 100, **dialect}
    return await world(stack, folder, speaker(around), kind, **({} if said is None else {"around": said}))


async def failed(here: World, target: str) -> str:
    answer: httpx.Response = await here.gateway.get(target)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    return str(answer.json()["detail"])


async def test_sums_and_least_values_around_a_list_are_merged(stack: AsyncExitStack, tmp_path: Path) -> None:
    # Found: a member beside the rows was the first shard's, with a 200: a third of the revenue.
    def around(rows: list[Row], asked: Question, page: list[Row], limit: int, offset: int) -> dict[str, Any]:
        return {
            "sums": {"price": sum(row["price"] for row in rows), "rows": len(rows)},
            "from_price": min(row["price"] for row in rows),
            "made_by": "v7",
            "took": len(rows),
        }

    said = {"sum": ["sums.price", "sums.rows"], "min": ["from_price"], "first_of": ["took"]}
    here = await start(stack, tmp_path, around, said=said)
    for target in ("/rows", "/rows?limit=7&offset=40", "/rows?order=-price&offset=119"):
        expected = msgspec.json.decode((await here.gateway.get(here.whole.url + target)).content)
        answer = (await here.gateway.get(target)).json()
        assert answer.pop("took") < expected.pop("took")
        assert answer == expected


async def test_a_member_in_which_shards_differ_is_a_failure(stack: AsyncExitStack, tmp_path: Path) -> None:
    here = await start(stack, tmp_path, lambda rows, *_: {"names": len({row["name"] for row in rows[:3]}) + len(rows)})
    assert await failed(here, "/rows") == "shards differ in names, and the rule does not say how it is merged"
    here = await start(stack, tmp_path, lambda rows, *_: {"meta": {"rows_in_all": len(rows)}, "version": 7})
    assert "shards differ in meta, and" in await failed(here, "/rows?limit=3&offset=9")


@pytest.mark.parametrize("member", ["limit", "pageSize", "has_more", "isLast", "numberOfElements", "@odata.count"])
async def test_a_member_that_describes_the_page_is_named_or_a_failure(
    stack: AsyncExitStack, tmp_path: Path, member: str
) -> None:
    # Found: `{"meta": {"limit": 8}}` for a request of 3 rows from row 5 on: each shard is asked for 8.
    here = await start(stack, tmp_path, lambda *_: {"meta": {member: True if member[0] in "hi" else 8}})
    assert f"meta.{member} describes the page" in await failed(here, "/rows?limit=3&offset=5")


async def test_a_link_to_the_list_is_never_that_of_a_shard(stack: AsyncExitStack, tmp_path: Path) -> None:
    def around(rows: list[Row], asked: Question, page: list[Row], limit: int, offset: int) -> dict[str, Any]:
        return {"links": {"here": asked.url}}

    here = await start(stack, tmp_path, around)
    assert "links.here describes the page" in await failed(here, "/rows?limit=3&offset=5")
    here = await start(stack, tmp_path, around, urls={"self": "links.here"})
    await here.both("/rows?limit=3&offset=5")
    await here.both("/rows?limit=3&order=-name&offset=5")


async def test_a_page_is_described_under_whatever_names(stack: AsyncExitStack, tmp_path: Path) -> None:
    """As Spring Data writes a page without HAL."""

    def around(rows: list[Row], asked: Question, page: list[Row], limit: int, offset: int) -> dict[str, Any]:
        number, behind = offset // limit, offset + limit < len(rows)
        return {
            "pageable": {"offset": offset, "pageSize": limit, "pageNumber": number, "paged": True},
            "totalPages": -(-len(rows) // limit),
            "last": not behind,
            "first": offset == 0,
            "numberOfElements": len(page),
            "empty": not page,
            "nextOffset": offset + limit if behind else None,
            "shown": [1, 2],
        }

    echoes = {
        "pageable.offset": "offset",
        "pageable.pageSize": "limit",
        "pageable.pageNumber": "page",
        "totalPages": "pages",
        "last": "is_last",
        "first": "is_first",
        "numberOfElements": "count",
        "empty": "is_empty",
        "nextOffset": "next_offset",
    }
    here = await start(stack, tmp_path, around, echoes=echoes, page_first=0)
    for target in ("/rows", "/rows?limit=8&offset=16", "/rows?limit=8&offset=112", "/rows?limit=5&offset=500"):
        await here.both(target)


async def test_a_size_that_is_a_text_is_written_as_a_text(stack: AsyncExitStack, tmp_path: Path) -> None:
    """As PHP gives it from many databases."""

    def speak(rows: list[Row], asked: Question) -> bytes:
        limit, offset = asked.number("limit", 10), asked.number("offset", 0)
        page = ranked(rows, [])[offset : offset + limit]
        return reply(msgspec.json.encode({"items": page, "total": str(len(rows)), "limit": str(limit)}))

    dialect = {"kind": "envelope", "limit_default": 10, "limit_max": 100, "limit_echo": "limit"}
    here = await world(stack, tmp_path, speak, dialect)
    assert (await here.both("/rows?limit=7&offset=40")).json()["total"] == "120"
    await here.both("/rows")


async def test_a_header_that_describes_the_page_of_one_shard_is_never_shown(
    stack: AsyncExitStack, tmp_path: Path
) -> None:
    # Found: `X-Total-Count` of the first shard, a part of the size, where the dialect does not name it.
    def speak(rows: list[Row], asked: Question) -> bytes:
        limit, offset = asked.number("limit", 10), asked.number("offset", 0)
        fields = f"X-Total-Count: {len(rows)}\r\nCurrent-Page: 1\r\nX-Pagination: {{}}\r\nX-RateLimit-Limit: 9\r\n"
        return reply(msgspec.json.encode(ranked(rows, [])[offset : offset + limit]), fields=fields)

    dialect = {"kind": "offset", "limit_default": 10, "limit_max": 100}
    silent = await world(stack, tmp_path, speak, dialect)
    for target in ("/rows", "/rows?limit=5&offset=500", "/rows?limit=5&offset=40", "/rows?limit=100"):
        shown = {name for name, _ in (await silent.gateway.get(target)).headers.items()}
        assert "x-ratelimit-limit" in shown
        assert not shown & {"x-total-count", "current-page", "x-pagination"}, target
    named = await world(stack, tmp_path, speak, {**dialect, "count_header": "X-Total-Count"})
    assert (await named.both("/rows?limit=5&offset=40")).headers["x-total-count"] == "120"
