"""However a request fails: the client reads what it may know, and one line of the log says the rest."""

from pathlib import Path
from typing import Any

import pytest

from tests.cluster import reply, running_shard
from tests.engine.failures import CONFIG, DOWN, FAILURES, NORTH, Failure, fail, kept_log


@pytest.mark.parametrize("failure", FAILURES, ids=[failure.name for failure in FAILURES])
async def test_a_failure_says_what_was_wrong(failure: Failure, tmp_path: Path) -> None:
    told = await fail(failure, tmp_path)
    assert told.status == failure.status
    assert told.problem.get("code", "") == failure.code
    assert failure.detail in told.problem.get("detail", "")
    assert not [word for word in ("north", "south", "127.0.0.1") if word in str(told.problem)], "a shard is named"
    (line,) = told.lines
    assert (line.request, line.operation) == (told.request_id, failure.operation)
    assert (line.shard, line.code, line.status) == (failure.shard, failure.code, failure.status)
    assert [part for part in failure.says if part not in line.what] == []


async def test_a_shard_that_goes_down_and_comes_back_is_a_line_each(start_gateway: Any) -> None:
    async with running_shard() as north, running_shard() as south:
        gateway = await start_gateway({**CONFIG, "shards": {"north": north.url, "south": south.url}})
        assert (await gateway.get("/vendors/n-1")).status_code == 200
        port = north.port
    with kept_log() as log:
        for _ in range(3):
            assert (await gateway.get("/vendors/n-1")).status_code in {502, 503}
        async with running_shard(lambda _: reply("{}"), port):
            assert (await gateway.get("/vendors/n-1")).status_code == 200
            assert (await gateway.get("/vendors/n-1")).status_code == 200
    down, back = [line for line in log if line.startswith("shard ")]
    assert down == f"shard north is down: connection refused (127.0.0.1:{port})"
    assert back.startswith("shard north is back after ")


async def test_a_shard_that_fails_every_request_does_not_fill_the_log(start_gateway: Any, tmp_path: Path) -> None:
    async with running_shard(FAILURES[1].north) as north, running_shard() as south:
        gateway = await start_gateway({**CONFIG, "shards": {"north": north.url, "south": south.url}})
        with kept_log() as log:
            for _ in range(30):
                assert (await gateway.get("/events")).status_code == 502
    assert 10 <= len([line for line in log if "code=SG2002" in line]) <= 12


async def test_bytes_that_are_no_request_are_a_line_with_the_id_that_the_client_reads(start_gateway: Any) -> None:
    async with running_shard() as north, running_shard() as south:
        gateway = await start_gateway({**CONFIG, "shards": {"north": north.url, "south": south.url}})
        with kept_log() as log:
            received = await gateway.raw(b"nonsense\r\n\r\n")
    (line,) = [each for each in log if "code=SG1001" in each]
    request_id = line.partition("request=")[2].partition(" ")[0]
    assert f'"request_id":"{request_id}"'.encode() in received


def test_the_table_has_what_it_promises() -> None:
    assert len(FAILURES) >= 10
    assert {failure.shard for failure in FAILURES} >= {"", NORTH}
    assert any(failure.north is DOWN for failure in FAILURES)
