"""A load sends each request once, counts whatever goes wrong, and holds its thresholds."""

import pytest

from tests.cluster import Asked as Got
from tests.cluster import reply, running_shard
from tools.delivery.client import Client
from tools.delivery.load import Load, broken
from tools.delivery.traffic import Traffic
from tools.delivery.verdict import Sample

TRAFFIC = Traffic(("e-1", "e-2"), ("d-1",), ("v-1",))


async def loaded(url: str, rate: float = 400.0, seconds: float = 0.1, timeout_s: float = 5.0) -> Load:
    client = Client(url, "token", timeout_s)
    load = Load(client, TRAFFIC, rate)
    await load.run(seconds)
    client.close()
    return load


def good(asked: Got) -> bytes:
    """A reply that has all that the traffic looks for."""
    body = '{"id":"e-1","is":"e-2","date":"d-1","name":"","start_date":""}'
    return reply(body, status="201 Created" if asked.line.startswith("POST /v3/orders") else "200 OK")


async def test_all_that_is_due_is_sent_once_and_counted() -> None:
    async with running_shard(good) as shard:
        load = await loaded(shard.url)
    assert (len(load.outcomes), len(shard.asked), sum(load.failures.values())) == (40, 40, 0)
    assert load.acknowledged == ["e-1", "e-1"]
    assert {"GET /v3/events/e-1 HTTP/1.1", "GET /v3/categories?limit=5 HTTP/1.1"} <= {each.line for each in shard.asked}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply("{}", status="500 Internal Server Error"), "500 {}"),
        (reply("{}"), "200 without"),
        (b"", "IncompleteReadError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{", "IncompleteReadError"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "ValueError a reply without a length"),
    ],
)
async def test_whatever_goes_wrong_is_a_failure_and_is_told(answer: bytes, words: str) -> None:
    async with running_shard(lambda _: answer) as shard:
        load = await loaded(shard.url, rate=100)
    assert all(outcome.failed for outcome in load.outcomes)
    assert len(load.outcomes) == len(shard.asked) == 10
    assert all(words in failure for failure in load.failures), load.failures


async def test_nobody_there_is_a_failure() -> None:
    async with running_shard(good) as shard:
        url = shard.url
    load = await loaded(url, rate=100)
    assert [outcome.failed for outcome in load.outcomes] == [True] * 10


async def test_chunked_replies_are_read() -> None:
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\nA: b\r\n\r\n"
    async with running_shard(lambda _: body) as shard:
        client = Client(shard.url, "token", 5.0)
        assert [(await client.ask("GET", "/")).body for _ in range(2)] == [b"abcdefg"] * 2
        client.close()
        assert shard.connections == 1


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (Sample(100, 1, 50), []),
        (Sample(100, 2, 50), ["2.00% failed, 1 % may"]),
        (Sample(100, 0, 51), ["p90 51 ms, 50 ms allowed"]),
        (Sample(0, 0, 0), ["no request was sent"]),
    ],
)
def test_thresholds(sample: Sample, said: list[str]) -> None:
    assert broken(sample, failed_percent_max=1, p90_ms_max=50) == said


def test_a_test_of_production_changes_nothing() -> None:
    reads = Traffic(TRAFFIC.events, TRAFFIC.dates, TRAFFIC.vendors, changes=False)
    assert "/v3/orders" in {TRAFFIC.asked(number).path for number in range(40)}
    assert {reads.asked(number).path for number in range(40) if reads.asked(number).method != "GET"} == {
        "/v3/availability/check"
    }
    assert [reads.asked(number) for number in range(40)] == [reads.asked(number) for number in range(40)]
