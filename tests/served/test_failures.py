"""Shards that are down, slow, broken or hostile: what the client reads; other shards are served as before."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.cluster import Gateway, Shard, no_answer, reply, rows, running_shard
from tests.waiting import until

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
RULES = {
    "locators": {
        "vendor": [{"kind": "prefix", "shards": {"n": "secret-north", "s": "secret-south"}}],
        "event": [{"kind": "learned"}, {"kind": "probe", "path": "/events/{key}"}],
    },
    "rules": {
        "GET /events": {"rule": "gather", "merge": LIST},
        "GET /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "POST /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "GET /any": {"rule": "any"},
    },
}


class Two:
    """Two shards whose answers a test may replace, and the gateway before them."""

    north: Shard
    south: Shard
    gateway: Gateway

    def __init__(self) -> None:
        self.north_says: Any = lambda asked: rows({"id": "n"}) if "/events" in asked.line else reply("north")
        self.south_says: Any = lambda asked: rows({"id": "s"}) if "/events" in asked.line else reply("south")


@pytest.fixture
def start_two(start_shard: Any, start_gateway: Any) -> Any:
    """Start them: `two = await start_two(timeouts={…})`."""

    async def start(**more: Any) -> Two:
        said = Two()
        said.north = await start_shard(lambda asked: said.north_says(asked))  # noqa: PLW0108 - it may be replaced
        said.south = await start_shard(lambda asked: said.south_says(asked))  # noqa: PLW0108 - it may be replaced
        shards = {
            "secret-north": {"url": said.north.url, "alias": "porto"},
            "secret-south": {"url": said.south.url, "alias": "lisboa"},
        }
        said.gateway = await start_gateway({"shards": shards, **more, **RULES})
        return said

    return start


@pytest.fixture
async def two(start_two: Any) -> Two:
    return await start_two()


@pytest.fixture
async def half(start_gateway: Any) -> AsyncIterator[Gateway]:
    """North is down, south is up."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and not listening: nobody else comes to listen there while the test runs
        down = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with running_shard(lambda asked: rows() if "/events" in asked.line else reply("south")) as south:
            shards = {
                "secret-north": {"url": down, "alias": "porto"},
                "secret-south": {"url": south.url, "alias": "lisboa"},
            }
            yield await start_gateway({"shards": shards, **RULES})


def names_nobody(text: str, *shards: Shard) -> bool:
    return not any(
        word in text for word in ("secret", "127.0.0.1", "localhost", *(str(shard.port) for shard in shards))
    )


async def test_a_shard_that_is_down_costs_only_its_own_keys(half: Gateway) -> None:
    answer = await half.get("/vendors/n-1")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "SG2001", "1")
    assert names_nobody(answer.text + str(answer.headers))
    assert (await half.get("/vendors/s-1")).text == "south"
    for _ in range(3):
        assert (await half.get("/any")).text == "south"


async def test_a_list_without_a_shard_is_refused_and_says_who_is_missing(half: Gateway) -> None:
    answer = await half.get("/events")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "SG2004", "1")
    assert answer.json()["missing"] == ["porto"]
    assert names_nobody(answer.text + str(answer.headers))


async def test_an_id_that_the_missing_shard_may_hold_is_not_called_unknown(half: Gateway) -> None:
    answer = await half.get("/events/e1")
    assert answer.status_code in {200, 503}


BROKEN = {
    "no http": b"garbage\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH\r\n\r\n",
    "http 2": b"HTTP/2 200 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n[]",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n[]",
    "folded": b"HTTP/1.1 200 OK\r\nX: y\r\n folded\r\nContent-Length: 2\r\n\r\n[]",
    "huge head": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40_000 + b"\r\nContent-Length: 2\r\n\r\n[]",
    "endless head": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 40_000,
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\n[]\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("path", ["/vendors/n-1", "/events"])
async def test_a_reply_that_is_not_valid_http_is_a_502_and_ends_its_connection(
    two: Two, said: bytes, path: str
) -> None:
    two.north_says = lambda asked: said
    answer = await two.gateway.get(path)
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    assert names_nobody(answer.text + str(answer.headers), two.north, two.south)
    two.north_says = lambda asked: reply("again")
    assert (await two.gateway.get("/vendors/n-1")).text == "again"
    assert (await two.gateway.get("/vendors/s-1")).text == "south"
    assert two.north.connections == 2


LISTS = {
    "no json": b"no",
    "cut off": b'[{"id":"a"',
    "an object": b'{"items":[]}',
    "a page of html": b"<html></html>",
    "wrong type": b'[{"id":7}]',
    "no key": b'[{"name":"a"}]',
    "not rows": b"[1,2]",
    "not utf-8": b'[{"id":"a","x":"\xff"}]',
    "too deep": b'[{"id":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    "nothing": b"",
}


@pytest.mark.parametrize("body", LISTS.values(), ids=LISTS)
async def test_a_list_that_cannot_be_read_is_a_502_and_other_lists_are_served(two: Two, body: bytes) -> None:
    two.north_says = lambda asked: reply(body)
    answer, other = await asyncio.gather(two.gateway.get("/events"), two.gateway.get("/vendors/s-1"))
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    assert names_nobody(answer.text + str(answer.headers), two.north, two.south)
    assert other.text == "south"
    two.north_says = lambda asked: rows({"id": "n"})
    assert (await two.gateway.get("/events")).json() == [{"id": "n"}, {"id": "s"}]


async def test_rows_out_of_order_are_a_502(two: Two) -> None:
    two.north_says = lambda asked: rows({"id": "b"}, {"id": "a"})
    answer = await two.gateway.get("/events")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2007")


TRUNCATED = {
    "length": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\n[]",
    "chunks": b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    "no last chunk": b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
}


@pytest.mark.parametrize("said", TRUNCATED.values(), ids=TRUNCATED)
async def test_a_truncated_reply_is_never_taken_for_a_whole_one(two: Two, said: bytes) -> None:
    two.north_says = lambda asked: said
    answer = await two.gateway.get("/events")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    # One that streams has begun: the client sees it break off, and no end of it.
    received = await two.gateway.raw(b"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert not received.endswith(b"0\r\n\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 9" not in head or len(body) < 9


async def test_a_head_that_breaks_off_is_a_502(two: Two) -> None:
    two.north_says = lambda asked: b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-"
    for path in ("/vendors/n-1", "/events"):
        answer = await two.gateway.get(path)
        assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")


async def test_bytes_after_a_reply_reach_no_client_and_end_the_connection(two: Two) -> None:
    smuggled = reply("mine") + reply("smuggled")
    two.north_says = lambda asked: smuggled if two.north.connections == 1 else reply("fresh")
    assert (await two.gateway.get("/vendors/n-1")).text == "mine"
    assert (await two.gateway.get("/vendors/n-2")).text == "fresh"


async def test_bytes_that_come_after_a_reply_end_the_idle_connection(two: Two, start_gateway: Any) -> None:
    answered, ended = asyncio.Event(), asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply("mine"))
        await answered.wait()
        writer.write(reply("smuggled"))
        assert await reader.read() == b""
        ended.set()

    async with serving(late) as url:
        gateway = await start_gateway({"shards": {"secret-north": url, "secret-south": "http://127.0.0.1:1"}, **RULES})
        assert (await gateway.get("/vendors/n-1")).text == "mine"
        answered.set()
        await ended.wait()
        answered.clear()
        assert (await gateway.get("/vendors/n-1")).text == "mine"


async def test_a_shard_that_never_answers_is_a_504_in_time(start_two: Any) -> None:
    two = await start_two(timeouts={"request_timeout_s": 0.5})
    two.north_says = no_answer
    # tests/net/upstream holds the instant; here it is enough that no longer patience ran out (20 s, 30 s).
    async with asyncio.timeout(8):
        keyed, listed = await asyncio.gather(two.gateway.get("/vendors/n-1"), two.gateway.get("/events"))
    assert (keyed.status_code, keyed.json()["code"]) == (504, "SG2003")
    assert (listed.status_code, listed.json()["missing"]) == (503, ["porto"])
    two.north_says = lambda asked: reply("well again")

    async def is_well_again() -> bool:
        return bool((await two.gateway.get("/vendors/n-1")).text == "well again")

    await until(is_well_again)


async def test_a_shard_that_stops_in_the_middle_ends_the_clients_reply_in_time(two: Two, start_gateway: Any) -> None:
    async def half_of_it(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await reader.read()

    async with serving(half_of_it) as url:
        gateway = await start_gateway(
            {
                "shards": {"secret-north": url, "secret-south": "http://127.0.0.1:1"},
                "timeouts": {"reply_idle_timeout_s": 0.4},
                **RULES,
            }
        )
        async with asyncio.timeout(20):  # without the setting it would be 30 s
            reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(b"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n\r\n")
            received = b""
            with contextlib.suppress(ConnectionError):
                while piece := await reader.read(1000):
                    received += piece
            assert received.endswith(b"half")
            writer.close()


class ClosingShard:
    """Answers the first request of each connection, and closes when the second comes."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for answers in (True, False):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            self.asked.append(head.decode().split()[0])
            if answers:
                writer.write(reply('{"items":[]}' if b" /search " in head else "ok"))


async def test_a_read_on_a_connection_that_just_closed_is_repeated_once(start_gateway: Any) -> None:
    shard = ClosingShard()
    async with serving(shard.serve) as url:
        gateway = await start_gateway({"shards": {"secret-north": url, "secret-south": "http://127.0.0.1:1"}, **RULES})
        for _ in range(3):
            assert (await gateway.get("/vendors/n-1")).text == "ok"
    assert shard.asked == ["GET"] * 5
    assert shard.connections == 3


async def test_a_search_by_post_is_repeated_as_a_read_is(start_gateway: Any) -> None:
    shard = ClosingShard()
    rules = {"POST /search": {"rule": "gather", "merge": {**LIST, "dialect": {"kind": "search"}}}}
    async with serving(shard.serve) as url:
        gateway = await start_gateway({"shards": {"only": url}, "rules": rules})
        for _ in range(3):
            answer = await gateway.client.post("/search", content=b'{"limit":1}')
            assert (answer.status_code, answer.text) == (200, '{"items":[]}')
    assert shard.asked == ["POST"] * 5
    assert shard.connections == 3


async def test_a_change_is_never_sent_twice(start_gateway: Any) -> None:
    shard = ClosingShard()
    async with serving(shard.serve) as url:
        gateway = await start_gateway({"shards": {"secret-north": url, "secret-south": "http://127.0.0.1:1"}, **RULES})
        assert (await gateway.client.post("/vendors/n-1", content=b"1")).text == "ok"
        answer = await gateway.client.post("/vendors/n-1", content=b"2")
        assert (answer.status_code, answer.json()["code"]) == (502, "SG2008")
    assert shard.asked == ["POST", "POST"]


async def test_a_shard_that_closes_every_connection_is_asked_once(two: Two) -> None:
    two.north_says = lambda asked: b""
    answer = await two.gateway.get("/vendors/n-1")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    assert len(two.north.asked) == 1
    answer = await two.gateway.client.post("/vendors/n-1", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2008")
    assert len(two.north.asked) == 2


async def test_a_reply_that_comes_before_its_request_was_read_is_passed_on(start_gateway: Any) -> None:
    passed_on = asyncio.Event()

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply("too much", status="413 Content Too Large"))
        await passed_on.wait()

    async with serving(hasty) as url:
        gateway = await start_gateway({"shards": {"secret-north": url, "secret-south": "http://127.0.0.1:1"}, **RULES})
        answer = await gateway.client.post("/vendors/n-1", content=b"x" * 12_000_000)
        passed_on.set()
        assert (answer.status_code, answer.text) == (413, "too much")


async def test_a_client_does_not_learn_who_the_shards_are(two: Two) -> None:
    for line in ("/vendors/n-1", "/events", "/any", "/nothing", "/vendors/q-1", "/events?limit=x", "/events/../x"):
        received = await two.gateway.raw(f"GET {line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        assert names_nobody(received.decode(), two.north, two.south)


@contextlib.asynccontextmanager
async def serving(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A shard that does with each connection what a test says, then closes it."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
