"""The access log as its reader sees it."""

import asyncio
import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.clock import wall
from shardgate.net.watch import TICK_S
from shardgate.observe.access_log import LINE_BYTES_MAX, AccessLog
from shardgate.observe.log_file import LogFile
from tests.cluster import Asked, leave, reply, rows

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
    found: list[dict[str, Any]] = []
    for _ in range(100):
        if len(found := lines(file)) >= count:
            break
        await asyncio.sleep(0.02)
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


async def test_a_line_says_what_became_of_a_request(gateway: Any, tmp_path: Path) -> None:
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


async def test_a_client_that_left_and_a_shard_that_is_down_are_told(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    asked_for = asyncio.Event()

    async def slow(asked: Asked) -> bytes:
        asked_for.set()
        await asyncio.sleep(30)
        return b""

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


async def test_what_is_under_way_at_the_end_is_logged(
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


def exchange(target: bytes = b"/any", **fields: Any) -> Exchange:
    request: Request = RequestHeadParser().parse(b"GET %b HTTP/1.1\r\nHost: a\r\n" % target)
    return Exchange(request, b"id", "127.0.0.1", 1.0, ended_at=2.0, **({"status": 200} | fields))


def written(file: Path, *exchanges: Exchange, query: bool = True, sample: float = 1.0) -> list[dict[str, Any]]:
    log = AccessLog(LogFile(str(file)), query=query, sample=sample)
    for each in exchanges:
        log.write(each)
    log.close()
    return lines(file)


@pytest.mark.parametrize("text", ['"},{"status":1', "\\n", "%0a{}", "\\", '"\\u000a'])
def test_no_client_can_write_a_line_of_its_own(tmp_path: Path, text: str) -> None:
    forged = exchange()
    assert forged.request is not None
    forged.request.path = "/" + text + "\n{}\r\x00\x1b[2J\u2028"  # far more than a request can bring
    (line,) = written(tmp_path / "log", forged)
    assert line["path"] == forged.request.path
    assert (tmp_path / "log").read_bytes().count(b"\n") == 1


def test_a_line_is_never_too_long_to_be_written_whole(tmp_path: Path) -> None:
    long = exchange(b"/" + b'"' * 15_000, shards=["north" * 200] * 40)
    short, plain = written(tmp_path / "log", long, exchange())
    assert short["shortened"]
    assert short["path"].startswith('/"""')
    assert plain["path"] == "/any"
    assert max(map(len, (tmp_path / "log").read_text().splitlines())) < LINE_BYTES_MAX


def test_a_sample_is_even_and_leaves_out_no_failure(tmp_path: Path) -> None:
    mixed = [exchange(status=200 if number % 10 else 500) for number in range(1000)]
    statuses = [line["status"] for line in written(tmp_path / "log", *mixed, sample=0.1)]
    assert statuses.count(500) == 100
    assert statuses.count(200) == 90


def test_lines_before_a_rename_are_in_the_old_file_and_later_ones_in_the_new(tmp_path: Path) -> None:
    file, old = tmp_path / "log", tmp_path / "log.1"
    log = AccessLog(LogFile(str(file)), query=False, sample=1.0)
    log.write(exchange(b"/before"))
    file.rename(old)
    log.reopen()
    log.write(exchange(b"/after"))
    log.close()
    assert ([line["path"] for line in lines(old)], [line["path"] for line in lines(file)]) == (["/before"], ["/after"])


def test_a_log_that_cannot_be_opened_anew_goes_on_in_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log = AccessLog(LogFile(str(folder / "log")), query=False, sample=1.0)
    folder.rename(tmp_path / "moved")
    log.reopen()
    log.write(exchange())
    log.close()
    assert len(lines(tmp_path / "moved/log")) == 1


WRITER = """
import sys
from tests.observe.test_access_log import AccessLog, LogFile, exchange
log = AccessLog(LogFile(sys.argv[1]), query=False, sample=1.0)
number = int(sys.argv[2])
for _ in range(2000):
    log.write(exchange(b"/" + b"%d" % number * (number * 150 + 1)))
log.close()
"""


def writers(place: str, **options: Any) -> list[subprocess.Popen[bytes]]:
    return [subprocess.Popen([sys.executable, "-c", WRITER, place, str(number)], **options) for number in range(4)]


def test_several_processes_write_whole_lines_into_one_file(tmp_path: Path) -> None:
    running = writers(str(tmp_path / "log"))
    assert [process.wait() for process in running] == [0] * 4
    assert len(lines(tmp_path / "log")) == 4 * 2000


def test_several_processes_write_whole_lines_into_one_pipe() -> None:
    reader, writer = os.pipe()
    running = writers("stdout", stdout=writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        received = pipe.read()
    assert [process.wait() for process in running] == [0] * 4
    assert len([json.loads(line) for line in received.splitlines()]) == 4 * 2000


def test_a_disk_that_is_full_loses_lines_and_counts_them() -> None:
    log = AccessLog(LogFile("/dev/full"), query=False, sample=1.0)
    log.write(exchange())
    log.write(exchange())
    log.close()
    assert log.lost == 2


async def test_a_reader_that_pauses_holds_up_no_request(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(LogFile(str(fifo)), query=False, sample=1.0)
    began = time.monotonic()
    for _ in range(10_000):  # 30 times what the pipe holds
        log.write(exchange())
    assert time.monotonic() - began < 2
    os.set_blocking(reader, True)
    received = b""
    asyncio.get_running_loop().run_in_executor(None, log.close)
    while received.count(b"\n") < 10_000:
        received += await asyncio.to_thread(os.read, reader, 65536)
    os.close(reader)
    assert log.lost == 0
    await asyncio.sleep(TICK_S)
