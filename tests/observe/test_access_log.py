"""The access log, written to files and pipes without a gateway: whole lines, in the right file."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shardgate.core.exchange import Exchange
from shardgate.core.http import Request
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.observe.access_log import LINE_BYTES_MAX, LINES_AT_ONCE, AccessLog
from shardgate.observe.log_file import LogFile
from tests.observe.exchanges import over


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def exchange(target: bytes = b"/any", **fields: Any) -> Exchange:
    request: Request = RequestHeadParser().parse(b"GET %b HTTP/1.1\r\nHost: a\r\n" % target)
    return over(Exchange(request, b"id", "127.0.0.1", 1.0), **({"ended_at": 2.0, "status": 200} | fields))


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


def test_what_looks_like_a_secret_is_masked(tmp_path: Path) -> None:
    secret = exchange(b"/a?api_key=S3&password=S3&code=S3&sig=S3&user%5BapiKey%5D=S3&passport-no=S3&q=7")
    log = AccessLog(LogFile(str(tmp_path / "log")), query=True, sample=1.0, mask=["passport_no"])
    log.write(secret)
    log.close()
    (line,) = lines(tmp_path / "log")
    said = "api_key=***&password=***&code=***&sig=***&user%5BapiKey%5D=***&passport-no=***&q=7"
    assert line["path"] == f"/a?{said}"


def test_a_session_in_a_path_is_masked_also_without_the_query(tmp_path: Path) -> None:
    (line,) = written(tmp_path / "log", exchange(b"/a;jsessionid=S3/b?c=1"), query=False)
    assert line["path"] == "/a;jsessionid=***/b"


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
    assert time.monotonic() - began < 20  # a line that waits for the reader waits without end
    os.set_blocking(reader, True)
    received = b""
    closing = asyncio.get_running_loop().run_in_executor(None, log.close)
    while received.count(b"\n") < 10_000:
        received += await asyncio.to_thread(os.read, reader, 65536)
    await closing
    os.close(reader)
    assert log.lost == 0


def test_lines_of_many_batches_come_in_the_order_of_their_requests(tmp_path: Path) -> None:
    many = [exchange(b"/%d" % number) for number in range(3 * LINES_AT_ONCE + 1)]
    assert [line["path"] for line in written(tmp_path / "log", *many)] == [f"/{number}" for number in range(len(many))]


@pytest.mark.parametrize("length", [255, 256, 257, 1000, 3000, 4000, 5000])
def test_no_line_is_longer_than_a_pipe_takes_at_once(tmp_path: Path, length: int) -> None:
    shards = tuple(f"shard-{number}" for number in range(20))
    written(tmp_path / "log", exchange(b"/" + b'"' * (length - 1), shards=shards))
    (line,) = (tmp_path / "log").read_bytes().splitlines(keepends=True)
    assert len(line) <= LINE_BYTES_MAX
    assert json.loads(line).get("shortened", False) is (length > 1500)
