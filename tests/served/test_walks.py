"""A client that reads page after page costs one round a page; a wrong guess costs a round, never a row."""

import json
import random
import re
from bisect import insort
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cluster import Asked, reply

ROWS = 6000
LIMIT = 100
RULE = {
    "rule": "gather",
    "merge": {
        "kind": "list",
        "dialect": {"kind": "offset", "limit_default": 50, "count_header": "X-Total"},
        "keys": {"id": "number"},
    },
}


def listing(rows: list[int]) -> Any:
    """A shard with these rows, which a test may change."""

    def answer(asked: Asked) -> bytes:
        query = {name: int(values[0]) for name, values in parse_qs(urlsplit(asked.line.split()[1]).query).items()}
        page = rows[query.get("offset", 0) :][: query.get("limit", 50)]
        return reply(json.dumps([{"id": row} for row in page]), fields=f"X-Total: {len(rows)}\r\n")

    return answer


async def walk(gateway: Any, shards: list[Any], start: int, pages: int) -> tuple[list[int], list[int]]:
    """The rows of pages one after the other, and the calls that each took."""
    seen, calls = [], []
    for number in range(pages):
        before = sum(len(shard.asked) for shard in shards)
        response = await gateway.get(f"/items?limit={LIMIT}&offset={start + number * LIMIT}")
        assert response.status_code == 200, response.text
        seen += [row["id"] for row in response.json()]
        calls.append(sum(len(shard.asked) for shard in shards) - before)
    return seen, calls


async def test_the_pages_of_a_walk_take_one_round_each(start_shard: Any, start_gateway: Any) -> None:
    # Skewed: the first shard has a range, the others what is left in turns.
    parts = [list(range(2000)), list(range(2000, ROWS, 2)), list(range(2001, ROWS, 2))]
    shards = [await start_shard(listing(part)) for part in parts]
    gateway = await start_gateway(
        {"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, "rules": {"GET /items": RULE}}
    )
    seen, calls = await walk(gateway, shards, 1500, 20)
    assert seen == list(range(1500, 1500 + 20 * LIMIT))
    assert calls[0] > 3
    assert calls[1:] == [3] * 19


async def test_rows_that_come_or_go_between_pages_cost_a_round_and_no_row(start_shard: Any, start_gateway: Any) -> None:
    parts = [list(range(0, ROWS, 3)), list(range(1, ROWS, 3)), list(range(2, ROWS, 3))]
    shards = [await start_shard(listing(part)) for part in parts]
    gateway = await start_gateway(
        {"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, "rules": {"GET /items": RULE}}
    )
    await walk(gateway, shards, 3000, 2)
    del parts[1][:10]
    merged = sorted(row for part in parts for row in part)
    seen, _ = await walk(gateway, shards, 3200, 3)
    assert seen == merged[3200:3500]
    parts[0][:0] = range(-20, 0)
    merged = sorted(row for part in parts for row in part)
    seen, calls = await walk(gateway, shards, 3500, 3)
    assert seen == merged[3500:3800]
    assert calls[2] == 3


async def test_another_order_filter_or_page_size_is_another_walk(start_shard: Any, start_gateway: Any) -> None:
    parts = [list(range(0, ROWS, 2)), list(range(1, ROWS, 2))]
    shards = [await start_shard(listing(part)) for part in parts]
    gateway = await start_gateway(
        {"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, "rules": {"GET /items": RULE}}
    )
    await walk(gateway, shards, 3000, 1)
    for target in ("/items?limit=7&offset=3100", "/items?offset=3100&x=1&limit=100", "/items?limit=100&offset=3100"):
        response = await gateway.get(target)
        limit = int(re.findall(r"limit=(\d+)", target)[0])
        assert [row["id"] for row in response.json()] == list(range(3100, 3100 + limit))


class Restless:
    """A shard whose rows come and go before each request; and what it had when it was asked last."""

    def __init__(self, rows: list[int], seed: int) -> None:
        self.rows = rows
        self._chance = random.Random(seed)
        self._answer = listing(rows)

    def answer(self, asked: Asked) -> bytes:
        for _ in range(self._chance.randrange(3)):
            del self.rows[self._chance.randrange(len(self.rows))]
            insort(self.rows, self._chance.randrange(ROWS) * 3 + len(self.rows) % 3)
        self.rows[:] = sorted(set(self.rows))
        return bytes(self._answer(asked))


async def test_a_deep_page_of_lists_that_never_stand_still_is_one_that_was_there(
    start_shard: Any, start_gateway: Any
) -> None:
    """It is the page of the moment in which the shards were asked last."""
    parts = [Restless([row * 3 for row in range(n, ROWS, 3)], n) for n in range(3)]
    shards = [await start_shard(part.answer) for part in parts]
    gateway = await start_gateway(
        {"shards": {f"s{n}": shard.url for n, shard in enumerate(shards)}, "rules": {"GET /items": RULE}}
    )
    for offset in range(700, ROWS + 200, 230):
        response = await gateway.get(f"/items?limit=30&offset={offset}")
        assert response.status_code == 200, response.text
        merged = sorted(row for part in parts for row in part.rows)
        assert [row["id"] for row in response.json()] == merged[offset : offset + 30]
