"""A client that does not read is given up with an error of its own, and is no shard's failure."""

import asyncio

import pytest

from shardgate.core.errors import BrokenReplyError, DeadlineError, SlowClientError
from shardgate.core.held import HeldBytes
from shardgate.engine.gather.pace import Pace
from shardgate.engine.gather.passing_on import RunningFlow
from shardgate.net.turns import Turns
from tests.engine.fakes import IS_COMPILED, FakeClient, FakeCluster, as_any


async def test_it_is_given_up_after_the_idle_time() -> None:
    given_up: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    pace = Pace(0.01, lambda: None, given_up.set_result)
    pace.pause()
    error = await given_up
    assert isinstance(error, SlowClientError)
    assert (error.code, error.cut_off, error.fault) == ("SG1025", "client_slow", "client")


async def test_one_that_reads_in_time_is_not() -> None:
    went_on: list[bool] = []
    pace = Pace(0.01, lambda: went_on.append(True), lambda _: pytest.fail("it reads"))
    pace.pause()
    pace.resume()
    assert went_on == [True]
    later = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.03, later.set_result, None)
    await later


@pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")
async def test_a_shard_that_waits_for_the_client_is_not_blamed() -> None:
    shards = FakeCluster()
    waits, reads = [
        RunningFlow(as_any(shards), as_any(FakeClient()), as_any(None), HeldBytes(1).open("reply"), Turns())
        for _ in range(2)
    ]
    waits._pace.is_paused = True
    waits.shard_failed("north", DeadlineError("late"))
    assert (waits.failed, shards.failures) == (None, [])
    assert isinstance(waits._over.exception(), SlowClientError)
    reads.shard_failed("north", DeadlineError("late"))
    assert (reads.failed, shards.failures) == ("north", [("north", "SG2003")])
    assert isinstance(reads._over.exception(), DeadlineError)


@pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")
async def test_a_broken_reply_is_the_shard_s_also_while_the_client_does_not_read() -> None:
    shards = FakeCluster()
    flow = RunningFlow(as_any(shards), as_any(FakeClient()), as_any(None), HeldBytes(1).open("reply"), Turns())
    flow._pace.is_paused = True
    flow.shard_failed("north", BrokenReplyError("odd"))
    assert shards.failures == [("north", "SG2002")]
    assert isinstance(flow._over.exception(), BrokenReplyError)
