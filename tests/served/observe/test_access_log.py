"""The access log of a gateway: what each line says of its request."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shardgate.net.clock import wall
from tests.cluster import Asked, leave, no_answer, reply, rows
from tests.waiting import until

RULES = {
    "locators": {"vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]},
    "rules": {
        "GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "GET /events": {
            "rule": "gather",
            "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}},
        },
    },
}


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


async def logged(file: Path, count: int) -> list[dict[str, Any]]:
    """The lines, as soon as there are so many."""
    await until(lambda: len(file.read_bytes().splitlines()) >= count)
    found = lines(file)
    assert len(found) == count
    return found


@pytest.fixture
async def gateway(start_shard: Any, start_gateway: Any) -> Any:
    def answer(asked: Asked) -> bytes:
        return rows({"id": "a"}) if "/events" in asked.line else reply("0123456789")

    north, south = await start_shard(answer), await start_shard(answer)
    return await start_gateway({"shards": {"north": north.url, "south": south.url}, "access_log": "log.json", **RULES})


async def test_a_websocket_is_a_101_that_ended_and_its_bytes_are_counted(start_gateway: Any, tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        writer.write(await reader.readexactly(1000) * 3)
        assert not await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    two = {"north": url, "south": "http://127.0.0.1:1"}
    gateway = await start_gateway({"shards": two, "access_log": "log", **RULES})
    sent = b"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(bytes(1000))
    await reader.readexactly(3000)
    writer.close()
    (line,) = await logged(tmp_path / "log", 1)
    server.close()
    assert line["status"] == 101
    assert "cut_off" not in line
    assert (line["bytes_in"], line["bytes_out"]) == (len(sent) + 1000, len(head) + 3000)
    assert line["upstream_us"] > 0


async def test_a_line_describes_a_request_and_its_reply(gateway: Any, tmp_path: Path) -> None:
    head = b"GET /vendors/s-1?token=secret HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n"
    received = await gateway.raw(head)
    (line,) = await logged(tmp_path / "log.json", 1)
    assert abs(datetime.fromisoformat(line["time"]).timestamp() - wall()) < 60
    assert line["request_id"] == "mine-1"
    assert (line["client"], line["method"], line["path"]) == ("127.0.0.1", "GET", "/vendors/s-1")
    assert (line["operation"], line["rule"], line["shards"]) == ("GET /vendors/{id}", "one", ["south"])
    assert (line["status"], line["bytes_in"], line["bytes_out"]) == (200, len(head), len(received))
    assert 0 < line["upstream_us"] <= line["ttfb_us"] <= line["duration_us"] < 5_000_000
    assert not line.keys() & {"cut_off", "error", "shortened"}


async def test_a_gather_names_all_shards_and_a_refusal_its_code(gateway: Any, tmp_path: Path) -> None:
    await gateway.get("/events")
    await gateway.get("/nothing")
    await gateway.raw(b"nonsense\r\n\r\n")
    gather, unknown, nonsense = await logged(tmp_path / "log.json", 3)
    assert (gather["rule"], gather["shards"]) == ("gather", ["north", "south"])
    assert 0 < gather["upstream_us"] <= gather["ttfb_us"]
    assert (unknown["status"], unknown["error"], unknown["path"]) == (404, "SG1004", "/nothing")
    assert (nonsense["status"], nonsense["error"]) == (400, "SG1001")
    assert "path" not in nonsense
    assert "operation" not in unknown


async def test_a_change_on_several_shards_names_those_that_it_reached(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    def answer(asked: Asked) -> bytes:
        return reply("{}", status="422 Unprocessable Content") if b"bad" in asked.body else reply('{"id": "7"}')

    north, south = await start_shard(answer), await start_shard(answer)
    undo = {"method": "DELETE", "path": "/things/{id}"}
    rules = {"POST /things": {"rule": "every", "repeat": True, "undo": undo}, "PUT /things/7": {"rule": "any"}}
    shards = {"north": north.url, "south": south.url}
    gateway = await start_gateway({"shards": shards, "access_log": "log.json", "store": "store.db", "rules": rules})
    await gateway.client.post("/things", content=b'{"name": "good"}')
    await gateway.client.post("/things", content=b'{"name": "bad"}')
    for body in (b"1", b"2"):
        await gateway.client.put("/things/7", content=body, headers={"Idempotency-Key": '"k"'})
    await gateway.get("/.shardgate/changes/none")
    good, bad, first, reused, unknown = await logged(tmp_path / "log.json", 5)
    assert (good["rule"], good["status"], good["shards"]) == ("every", 200, ["north", "south"])
    assert 0 < good["upstream_us"] <= good["ttfb_us"]
    assert (bad["status"], bad["shards"]) == (422, ["north"])
    assert (first["rule"], first["status"], len(first["shards"])) == ("any", 200, 1)
    assert (reused["status"], reused["error"]) == (422, "SG1017")
    assert (unknown["status"], unknown["error"]) == (404, "SG1020")
    assert not {*reused, *unknown} & {"shards", "upstream_us"}


async def test_a_client_that_left_and_a_shard_that_is_down_are_logged(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    asked_for = asyncio.Event()

    async def slow(asked: Asked) -> bytes:
        asked_for.set()
        return await no_answer(asked)

    shard = await start_shard(slow)
    gateway = await start_gateway(
        {"shards": {"north": shard.url, "south": "http://127.0.0.1:1"}, "access_log": "log.json", **RULES}
    )
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n\r\n")
    await asked_for.wait()
    leave(writer)
    (gone,) = await logged(tmp_path / "log.json", 1)
    assert (gone["cut_off"], gone["status"], gone["shards"]) == ("client_gone", 0, ["north"])
    await gateway.get("/vendors/s-1")
    (_, down) = await logged(tmp_path / "log.json", 2)
    assert (down["status"], down["error"], down["shards"]) == (503, "SG2001", ["south"])


async def test_the_query_is_written_where_it_is_asked_for(start_shard: Any, start_gateway: Any, tmp_path: Path) -> None:
    shard = await start_shard()
    access_log = {"to": "log.json", "query": True}
    gateway = await start_gateway(
        {"shards": {"north": shard.url}, "access_log": access_log, "rules": {"GET /any": {"rule": "any"}}}
    )
    await gateway.get("/any?a=1")
    await gateway.get("/any")
    assert [line["path"] for line in await logged(tmp_path / "log.json", 2)] == ["/any?a=1", "/any"]


async def test_requests_before_the_end_are_logged_without_a_tick(
    start_shard: Any, start_gateway: Any, stack: Any, tmp_path: Path
) -> None:
    shard = await start_shard()
    gateway = await start_gateway(
        {"shards": {"north": shard.url}, "access_log": "log.json", "rules": {"GET /any": {"rule": "any"}}}
    )
    for _ in range(50):
        await gateway.get("/any")
    await stack.aclose()  # before any tick
    assert len(lines(tmp_path / "log.json")) == 50
