"""The load is open: a server that is slow is asked no less, and what waits for it is counted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from bench.partners.client import Client
from bench.partners.definition import Journey, Step
from bench.partners.filling import Pool, Request, Values
from bench.partners.generator import Generator
from bench.partners.samples import Load
from bench.partners.schedule import Arrival

POOL = Pool([{"date": "d1", "event": "e1", "day": "2026-05-01"}], 0, "mark")
JOURNEY = Journey(
    name="j", per_s=1, steps=[Step(capability="ask", method="POST", target="/{0.event}", body={"date": "{0.date}"})]
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Reads requests, and answers none before so many have come."""

    def __init__(self, holds: int, reply: bytes = OK) -> None:
        self.seen: list[bytes] = []
        self.connections = 0
        self._holds = holds
        self._reply = reply
        self._enough = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or 0)
                self.seen.append(head + await reader.readexactly(length))
                if len(self.seen) >= self._holds:
                    self._enough.set()
                await self._enough.wait()
                writer.write(self._reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def client_of(server: Server, timeout_s: float = 10) -> AsyncIterator[Client]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", "token", timeout_s)
    try:
        yield client
    finally:
        await client.close()
        listening.close()


async def loaded(server: Server, due_s: Sequence[float], journey: Journey = JOURNEY, finish_s: float = 10) -> Load:
    async with client_of(server) as client:
        generator = Generator(client, POOL, 7, lambda *_: None)
        return await generator.run([Arrival(at, "P", journey) for at in due_s], due_s[-1], finish_s=finish_s)


async def test_requests_are_sent_when_they_are_due_though_nothing_is_answered() -> None:
    server = Server(holds=4)
    load = await loaded(server, [0.0, 0.05, 0.1, 0.15])
    assert len(load.samples) == 4
    assert not any(sample.failed for sample in load.samples)
    # The first waited until the last had come: its time says so.
    first = min(load.samples, key=lambda sample: sample.due_s)
    assert first.took_ms >= 150
    assert load.unsent == 0


async def test_time_begins_when_a_request_was_due() -> None:
    load = await loaded(Server(holds=1), [-1.0])
    assert load.samples[0].took_ms >= 1000


async def test_a_request_is_filled_and_carries_the_token() -> None:
    server = Server(holds=1)
    await loaded(server, [0.0])
    [seen] = server.seen
    assert seen.startswith(b"POST /e1 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer token\r\n" in seen
    assert seen.endswith(b'{"date": "d1"}')


async def test_what_is_not_over_is_counted() -> None:
    load = await loaded(Server(holds=99), [0.0, 0.01], finish_s=0.05)
    assert (len(load.samples), load.unsent) == (0, 2)


async def test_a_journey_ends_at_its_first_failure() -> None:
    two = Journey(name="j", per_s=1, steps=[*JOURNEY.steps, *JOURNEY.steps])
    load = await loaded(Server(holds=1, reply=OK.replace(b"200 OK", b"503 No")), [0.0], two)
    assert [(sample.status, sample.failed) for sample in load.samples] == [(503, True)]


REPLIES = [
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    OK,
]


@pytest.mark.parametrize("reply", REPLIES, ids=["chunked", "no content", "length"])
async def test_a_connection_is_kept_behind_each_kind_of_body(reply: bytes) -> None:
    server = Server(holds=1, reply=reply)
    async with client_of(server) as client:
        statuses = [await client.ask(Request("GET", "/", None)) for _ in range(3)]
    assert statuses == [int(reply[9:12])] * 3
    assert server.connections == 1


async def test_where_there_is_no_reply_the_status_is_0() -> None:
    async with client_of(Server(holds=99), timeout_s=0.05) as client:
        assert await client.ask(Request("GET", "/", None)) == 0
    assert await Client("http://127.0.0.1:1", "token", 1).ask(Request("GET", "/", None)) == 0


def test_a_hole_that_nobody_knows_is_an_error() -> None:
    from random import Random

    with pytest.raises(KeyError):
        Values(POOL, Random(1)).request(Step(capability="c", method="GET", target="/{nothing}"))
