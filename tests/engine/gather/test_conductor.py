"""What a gather's replies are merged by: the loop, or a thread beside it where there is much to read."""

import threading
from typing import Any

import pytest

from shardgate.core.exchange import Exchange
from shardgate.core.held import HeldBytes
from shardgate.core.http import Reply
from shardgate.core.limits import ASIDE_BYTES_MIN, FLOW_BYTES_MIN, Limits
from shardgate.core.routes.route import Route
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.gathering import Gathering
from tests.engine.fakes import IS_COMPILED, FakeCluster, as_any, exchange, request

pytestmark = pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")


class NotedMerging:
    """Says which thread merges."""

    def take(self, _: Any) -> Reply:
        return Reply(200, [], threading.current_thread().name.partition("_")[0].encode())


async def merged_by(reply: bytes, held_before: int = 0) -> str:
    held = HeldBytes(10 * FLOW_BYTES_MIN)
    asked = request("GET /events")
    said: Exchange = exchange(asked, Route("GET", "/events", "GET /events", None))
    holding = held.open("reply", said.peer)
    holding.add(held_before + len(reply))
    work = Gathering(as_any(said.route), asked, b"", as_any(None), said, holding)
    conductor = Conductor(as_any(FakeCluster()), Limits(), held)
    outcome: Any = await conductor.taken(as_any(NotedMerging()), {"north": Reply(200, [], reply)}, work)
    return str(outcome.body, "ascii")


async def test_short_replies_are_merged_at_once_and_long_ones_on_a_thread() -> None:
    assert await merged_by(b"[]") == "MainThread"
    assert await merged_by(b"x" * ASIDE_BYTES_MIN) == "merge"


async def test_a_short_reply_after_long_ones_is_merged_on_a_thread() -> None:
    """Found: the row of 20 MB of an earlier round was read and sorted again in the loop, for 66 ms."""
    assert await merged_by(b"[]", held_before=FLOW_BYTES_MIN) == "merge"
    assert await merged_by(b"[]", held_before=FLOW_BYTES_MIN - 1) == "MainThread"
