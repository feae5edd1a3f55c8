"""Cookies and Date of merged replies are what their rule says."""

import json
from typing import Any

import pytest

from tests.cluster import Asked, reply

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "number"}}
DATES = {"a": "Fri, 01 May 2026 00:00:00 GMT", "b": "Mon, 01 Jun 2026 00:00:00 GMT"}


@pytest.fixture
async def get(start_shard: Any, start_gateway: Any) -> Any:
    async def get(rows: int = 2, target: str = "/rows", **words: str) -> Any:
        def answer(name: str, _: Asked) -> bytes:
            body = json.dumps([{"id": n} for n in range(rows)], separators=(",", ":"))
            fields = f"Date: {DATES[name]}\r\nSet-Cookie: csrf={name}; Path=/; HttpOnly\r\nSet-Cookie: n={name}\r\n"
            return reply(body, fields=fields)

        urls = {name: (await start_shard(lambda asked, name=name: answer(name, asked))).url for name in "ab"}
        rule = {"rule": "gather", "merge": LIST, **words}
        return await (await start_gateway({"shards": urls, "rules": {"GET /rows": rule}})).get(target)

    return get


@pytest.mark.parametrize("rows", [2, 40_000])  # the second is sent while it arrives
async def test_l12_cookies_of_one_shard(get: Any, rows: int) -> None:
    got = await get(rows, cookies="first")
    assert got.headers.get_list("set-cookie") == ["csrf=a; Path=/; HttpOnly", "n=a"]
    assert len(got.json()) == 2 * rows


@pytest.mark.parametrize("rows", [2, 40_000])
async def test_l12_the_date_is_one_shards_or_the_latest_or_none(get: Any, rows: int) -> None:
    for word, date in (("first", DATES["a"]), ("latest", DATES["b"]), ("none", None)):
        got = await get(rows, date=word)
        assert got.headers.get("date") == date, word
        assert "set-cookie" not in got.headers


async def test_l12_by_default_no_cookies_and_one_date(get: Any) -> None:
    got = await get()
    assert got.headers.get_list("date") == [DATES["a"]]
    assert "set-cookie" not in got.headers
