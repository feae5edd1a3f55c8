"""A gather without a task: the page leaves in the turn in which the last shard replies, or a task goes on."""

from typing import Any

import pytest

from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import DeadlineError
from shardgate.core.exchange import Exchange
from shardgate.core.held import HeldBytes
from shardgate.core.limits import Limits
from shardgate.core.lists.merging import ListMerging
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.merge.listed import Listed
from shardgate.core.plan.plan import ToGather
from shardgate.core.routes.route import Route
from shardgate.core.rules.gather import Gather
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.short_gather import ShortGather
from tests.engine.fakes import IS_COMPILED, FakeClient, FakeCluster, as_any, exchange, head, request
from tests.waiting import one_turn

pytestmark = pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")

SHARDS = ("north", "south")
LIST = Listed(dialect=Offset(), keys={"id": "text"})
RULE = Gather(merge=LIST, learn={"event": "id"})
PAGE = b'[{"id":"a"},{"id":"b"},{"id":"c"}]'


class Known:
    def __init__(self) -> None:
        self.memory = LearnedKeys(10)
        self.topology = as_any(type("Topology", (), {"shards": {}}))


class Snapshot:
    def __init__(self) -> None:
        self.known = Known()


class Talk:
    """One gather under way; `calls_max`: of the conductor."""

    def __init__(self, query: str = "limit=3", *, calls_max: int = 10, held_max: int = 10_000) -> None:
        asked = request(f"GET /events?{query}")
        self.shards = FakeCluster()
        self.held = HeldBytes(held_max)
        route = Route("GET", "/events", "GET /events", RULE)
        self.exchange: Exchange = exchange(asked, route)
        self.client = FakeClient(self.exchange)
        self.snapshot = Snapshot()
        self.errors: list[Exception] = []
        merging = ListMerging(LIST, asked, SHARDS, None)
        plan = ToGather(route, asked, merging, None, None, RULE.learn)
        conductor = Conductor(as_any(self.shards), Limits(calls_per_request_max=calls_max), self.held)
        work = conductor.work_of(plan, as_any(self.snapshot), as_any(self.client), self.exchange)
        self.gather = ShortGather(conductor, plan, merging, work, as_any(self.client), self.errors.append)
        self.begin = self.gather.start

    def answers(self, shard: str, *pieces: bytes, status: str = "200 OK") -> None:
        self.shards.answers(shard, head(status, length=sum(map(len, pieces))), *pieces)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.client.events


async def test_the_page_leaves_with_the_last_reply() -> None:
    talk = Talk()
    talk.begin()
    talk.answers("south", b'[{"id":"b"}]')
    assert talk.events == []
    talk.answers("north", b'[{"id":"a"},{"id":"c"}]')
    assert talk.events == [("send", 200, PAGE)]
    assert talk.held.bytes == 0
    assert talk.snapshot.known.memory.recall("event", "b") == "south"
    assert talk.exchange.shards == [*SHARDS]
    await one_turn()
    assert len(talk.events) == 1


async def test_replies_in_pieces_are_merged_by_a_task() -> None:
    talk = Talk()
    talk.begin()
    talk.answers("south", b"[", b'{"id":"b"}]')
    talk.answers("north", b'[{"id":"a"},', b'{"id":"c"}]')
    assert talk.events == []
    await one_turn()
    await one_turn()
    assert talk.events == [("send", 200, PAGE)]
    assert talk.held.bytes == 0


async def test_a_refusal_and_rows_that_are_no_rows_are_the_tasks_to_judge() -> None:
    for status, body, event in (("403 Forbidden", b"no", ("send", 403, b"no")), ("200 OK", b"7", None)):
        talk = Talk()
        talk.begin()
        talk.answers("south", body, status=status)
        talk.answers("north", b'[{"id":"a"},{"id":"c"}]')
        assert talk.events == []
        await one_turn()
        await one_turn()
        assert talk.events == ([event] if event else [])
        assert [type(error).__name__ for error in talk.errors] == ([] if event else ["BrokenReplyError"])
        assert talk.held.bytes == 0


async def test_a_shard_that_fails_is_told() -> None:
    talk = Talk()
    talk.begin()
    talk.answers("north", b"[]")
    talk.shards.fails("south", DeadlineError("late"))
    await one_turn()
    await one_turn()
    assert [type(error).__name__ for error in talk.errors] == ["ShardsMissingError"]
    assert talk.held.bytes == 0


async def test_a_client_that_leaves_ends_the_round() -> None:
    talk = Talk()
    talk.begin()
    talk.answers("north", b"[]")
    talk.gather.cancel()
    assert talk.shards.connections["south"].is_aborted
    assert talk.held.bytes == 0
    await one_turn()
    assert (talk.events, talk.errors) == ([], [])


async def test_a_client_that_leaves_ends_the_task_that_goes_on() -> None:
    talk = Talk()
    talk.begin()
    talk.answers("north", b"[]", b"")
    talk.answers("south", b"[", b"]")
    assert talk.gather._calls is not None
    talk.gather._go_on(talk.gather._calls.done)  # the task has not begun
    talk.gather.cancel()
    await one_turn()
    assert (talk.events, talk.errors) == ([], [])
    assert talk.held.bytes == 0


async def test_what_needs_too_many_calls_holds_nothing() -> None:
    talk = Talk(calls_max=1)
    with pytest.raises(Exception, match="more than 1 calls"):
        talk.begin()
    assert not talk.held._clients["192.0.2.7"].holdings


async def test_replies_without_room_are_refused() -> None:
    talk = Talk(held_max=1000)
    talk.begin()
    talk.held.open("change", "192.0.2.7").add(990)
    talk.answers("north", b'[{"id":"a"},{"id":"c"}]')
    await one_turn()
    await one_turn()
    assert [type(error).__name__ for error in talk.errors] == ["OverloadError"]
    assert talk.held.bytes == 990
