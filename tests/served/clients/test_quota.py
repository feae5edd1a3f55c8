"""Quotas: which calls count, what replies say of them, and which header fields of shards are dropped."""

from pathlib import Path
from typing import Any

import pytest

from shardgate.core.clients.period import period_of
from shardgate.net.clock import wall
from shardgate.store.sqlite import SqliteStore
from shardgate.store.usage import Usage
from tests.clients.issuer import RULES, SECRET, Issuer, bearer
from tests.cluster import Asked, reply, rows

SHARDS_OWN = 'RateLimit: "month";r=7;t=1\r\nRateLimit-Policy: "month";q=9\r\nX-RateLimit-Remaining: 3\r\nX-Other: 1\r\n'


def answer(asked: Asked) -> bytes:
    if " /events" in asked.line:
        return rows({"id": "a"}, fields=SHARDS_OWN)
    if " /health" in asked.line:
        return reply("{}", fields=SHARDS_OWN)
    return reply("0123456789" * 20_000, fields=SHARDS_OWN)


@pytest.fixture
def start(start_shard: Any, start_gateway: Any, tmp_path: Path) -> Any:
    async def start(**quota: Any) -> Any:
        (tmp_path / "secret").write_text(SECRET)
        shards = {name: (await start_shard(answer)).url for name in ("north", "south")}
        clients = {"jwt": {"algorithms": ["HS256"], "key_file": "secret"}, "open": ["GET /health"], "quota": quota}
        return await start_gateway({"shards": shards, "store": "store.db", "clients": clients, **RULES})

    return start


def client(name: str, **claims: Any) -> dict[str, str]:
    return bearer(Issuer(algorithm="HS256").token(sub=name, **claims))


async def test_each_client_has_its_own_and_a_call_is_one_however_many_shards_it_reaches(start: Any) -> None:
    gateway = await start(calls=3)
    one, other = client("one"), client("other")
    assert [(await gateway.get("/events", headers=one)).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    # Another token of the same client is the same client.
    spent = await gateway.get("/vendors/n-1", headers=client("one", jti="2"))
    assert (spent.status_code, spent.json()["code"]) == (429, "SG1023")
    assert 0 < int(spent.headers["retry-after"]) <= 31 * 86_400
    assert (await gateway.get("/vendors/n-1", headers=other)).status_code == 200


async def test_what_is_open_what_is_unknown_and_what_is_refused_for_its_token_is_not_counted(start: Any) -> None:
    gateway = await start(calls=1)
    headers = client("one")
    for path, status in (("/health", 200), ("/nothing", 404), ("/health", 200)):
        assert (await gateway.get(path, headers=headers)).status_code == status
    assert (await gateway.get("/events", headers=bearer("x.y.z"))).status_code == 401
    assert (await gateway.client.delete("/events", headers=headers)).status_code == 405
    assert [(await gateway.get("/events", headers=headers)).status_code for _ in range(2)] == [200, 429]


async def test_replies_say_what_is_left_and_nothing_of_what_shards_say(start: Any) -> None:
    """draft-ietf-httpapi-ratelimit-headers-11: relayed, merged, refused, and with a body that streams."""
    gateway = await start(calls=4, headers=True)
    headers = client("one")
    period = period_of("month", wall())
    left = []
    for path in ("/vendors/n-1", "/events", "/vendors/s-1", "/events?limit=x", "/events"):
        said = await gateway.get(path, headers=headers)
        assert said.headers.get_list("ratelimit-policy") == [f'"month";q=4;w={int(period.ends_at - period.begins_at)}']
        assert "x-ratelimit-remaining" not in said.headers
        (limit,) = said.headers.get_list("ratelimit")
        name, remaining, seconds = limit.split(";")
        assert (name, abs(int(seconds.removeprefix("t=")) - (period.ends_at - wall())) < 5) == ('"month"', True)
        left.append((said.status_code, remaining))
    assert left == [(200, "r=3"), (200, "r=2"), (200, "r=1"), (400, "r=0"), (429, "r=0")]
    other = await gateway.get("/health", headers=headers)
    assert (other.headers["ratelimit"], other.headers["x-other"]) == ('"month";r=7;t=1', "1")


async def test_without_headers_what_shards_say_passes(start: Any) -> None:
    gateway = await start(calls=4)
    said = await gateway.get("/vendors/n-1", headers=client("one"))
    assert (said.headers["ratelimit"], said.headers["x-ratelimit-remaining"]) == ('"month";r=7;t=1', "3")


async def test_names_of_all_kinds_are_counted_apart(start: Any) -> None:
    gateway = await start(calls=1)
    for name in ("a", "a b", " a", "a ", "é", "\0", "a\0", "x" * 60, "x" * 500, "x" * 501):
        headers = client(name)
        assert [(await gateway.get("/events", headers=headers)).status_code for _ in range(2)] == [200, 429], repr(name)


@pytest.mark.parametrize("window", ["hour", "day", "month"])
async def test_calls_that_were_stored_before_count(start: Any, tmp_path: Path, window: str) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        periods = (period_of(window, wall()).name, "2020-01")  # type: ignore[arg-type]
        Usage(store).add([(period, "one", calls) for period, calls in zip(periods, (2, 50), strict=True)], wall())
    gateway = await start(calls=3, window=window)
    assert [(await gateway.get("/events", headers=client("one"))).status_code for _ in range(2)] == [200, 429]
