"""A gather without a task: the page leaves in the turn in which the last shard replies, or a task goes on."""

from typing import Any

import pytest
from msgspec.json import encode

from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import DeadlineError, OverloadError
from shardgate.core.exchange import Exchange
from shardgate.core.held import HeldBytes
from shardgate.core.limits import Limits
from shardgate.core.lists.merging import ListMerging
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.merge.listed import Listed
from shardgate.core.plan.plan import ToGather
from shardgate.core.routes.route import Route
from shardgate.core.rules.gather import Gather
from shardgate.core.wire.coding import Compress
from shardgate.engine.gather.conductor import Conductor
from shardgate.engine.gather.short_gather import ShortGather
from tests.engine.fakes import IS_COMPILED, FakeClient, FakeCluster, as_any, exchange, head, request
from tests.waiting import one_round, one_turn

pytestmark = pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")

SHARDS = ("north", "south")
LIST = Listed(dialect=Offset(count_header="X-Total"), keys={"id": "text"})
RULE = Gather(merge=LIST, learn={"event": "id"})
PAGE = b'[{"id":"a"},{"id":"b"},{"id":"c"}]'


class Known:
    def __init__(self) -> None:
        self.memory = LearnedKeys(10)
        self.topology = as_any(type("Topology", (), {"shards": {}}))


class Snapshot:
    def __init__(self) -> None:
        self.known = Known()


class CountedShort:
    """The short way to a page, and how often it was taken."""

    def __init__(self, short: Any) -> None:
        self._short = short
        self.times = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._short, name)

    def merged(self, *given: Any) -> Any:
        self.times += 1
        return self._short.merged(*given)


class Talk:
    """One gather under way; `calls_max`: of the conductor; `beside`: one of the same worker."""

    def __init__(
        self,
        query: str = "limit=3",
        *,
        calls_max: int = 10,
        held_max: int = 10_000,
        packs: bool = False,
        beside: "Talk | None" = None,
    ) -> None:
        asked = request(f"GET /events?{query}")
        self.shards = FakeCluster(Compress() if packs else None)
        self.held = HeldBytes(held_max)
        route = Route("GET", "/events", "GET /events", RULE)
        self.exchange: Exchange = exchange(asked, route)
        self.client = FakeClient(self.exchange)
        self.snapshot = Snapshot()
        self.errors: list[Exception] = []
        merging = ListMerging(LIST, asked, SHARDS, None)
        self.short = CountedShort(merging._short)
        merging._short = as_any(self.short)
        plan = ToGather(route, asked, merging, None, None, RULE.learn)
        conductor = Conductor(as_any(self.shards), Limits(calls_per_request_max=calls_max), self.held)
        self.turns = conductor.turns if beside is None else beside.turns
        conductor.turns = self.turns
        work = conductor.work_of(plan, as_any(self.snapshot), as_any(self.client), self.exchange)
        self.gather = ShortGather(conductor, plan, merging, work, as_any(self.client), self.errors.append)
        self.begin = self.gather.start

    def answers(self, shard: str, *pieces: bytes, status: str = "200 OK", total: int | None = None) -> None:
        fields = [] if total is None else [f"X-Total: {total}"]
        self.shards.answers(shard, head(status, *fields, length=sum(map(len, pieces))), *pieces)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.client.events

    def sent(self) -> bytes:
        """The body, in however many pieces."""
        return b"".join(event[-1] for event in self.events if event[0] in {"send", "begin", "write"})


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


@pytest.mark.parametrize("query", ["limit=3", "limit=300"])
async def test_replies_in_pieces_leave_with_the_last_piece(query: str) -> None:
    talk = Talk(query)
    talk.begin()
    talk.answers("south", b"[", b'{"id":"b"}]')
    talk.answers("north", b'[{"id":"a"},', b'{"id":"c"}]')
    assert talk.events == [("send", 200, PAGE)]
    assert talk.held.bytes == 0
    await one_turn()
    await one_turn()
    assert len(talk.events) == 1


def ids(first: int, step: int, many: int, size: int) -> list[dict[str, str]]:
    return [{"id": f"{first + step * n:06d}", "text": "x" * size} for n in range(many)]


async def test_a_long_list_whose_replies_are_short_is_merged_without_a_task() -> None:
    talk = Talk("limit=1000", held_max=10_000_000)
    talk.begin()
    for first, shard in enumerate(SHARDS):
        talk.answers(shard, encode(ids(first, 2, 100, 400)), total=100)
    assert talk.events == [("send", 200, encode(ids(0, 1, 200, 400)))]
    assert talk.gather._task is None


async def test_a_reply_that_is_too_long_to_be_sent_at_once_is_merged_once() -> None:
    talk = Talk("limit=1000", held_max=10_000_000)
    talk.begin()
    for first, shard in enumerate(SHARDS):
        talk.answers(shard, encode(ids(first, 2, 200, 800)), total=200)
    assert talk.events == []
    for _ in range(20):
        await one_turn()
    assert talk.sent() == encode(ids(0, 1, 400, 800))
    assert (talk.short.times, talk.errors, talk.held.bytes) == (1, [], 0)


async def test_what_is_unusual_is_not_tried_by_the_short_way_again() -> None:
    talk = Talk()
    talk.begin()
    talk.answers("south", b"null")
    talk.answers("north", b'[{"id":"a"}, {"id":"c"}]')
    await one_turn()
    await one_turn()
    assert talk.events == [("send", 200, b'[{"id":"a"}, {"id":"c"}]')]
    assert talk.short.times == 1


async def test_where_replies_are_compressed_the_short_way_is_not_tried_in_vain() -> None:
    talk = Talk(packs=True)
    talk.begin()
    talk.answers("south", b'[{"id":"b"}]')
    talk.answers("north", b'[{"id":"a"},{"id":"c"}]')
    await one_turn()
    await one_turn()
    assert talk.events == [("send", 200, PAGE)]
    assert talk.short.times == 1


@pytest.mark.parametrize("size", [6_000, 30_000])
async def test_long_replies_of_a_short_page_give_the_same_page(size: int) -> None:
    talk = Talk("limit=50", held_max=30_000_000)
    talk.begin()
    for first, shard in enumerate(SHARDS):
        talk.answers(shard, encode(ids(first, 2, 50, size)))
    for _ in range(100):
        await one_turn()
    assert talk.sent() == encode(ids(0, 1, 50, size))
    assert (talk.short.times, talk.errors, talk.held.bytes) == (int(size == 6_000), [], 0)


async def test_long_replies_of_a_list_flow_also_where_they_come_whole() -> None:
    talk = Talk("limit=1000", held_max=10_000_000)
    talk.begin()
    for first, shard in enumerate(SHARDS):
        talk.answers(shard, encode(ids(first, 2, 400, 700)))
    assert talk.events == []
    for _ in range(50):
        await one_turn()
    assert talk.events[0][0] == "begin"
    assert talk.sent() == encode(ids(0, 1, 800, 700))
    assert (talk.errors, talk.held.bytes) == ([], 0)


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


async def test_long_replies_of_several_pages_are_merged_in_turns() -> None:
    """Found: all that had become whole in one turn of the loop were merged in the next one, whatever else waited."""
    first = Talk("limit=50", held_max=30_000_000)
    second = Talk("limit=50", held_max=30_000_000, beside=first)
    for talk in (first, second):
        talk.begin()
        for at, shard in enumerate(SHARDS):
            talk.answers(shard, encode(ids(at, 2, 50, 6_000)))
    merged = []
    for _ in range(20):
        before = first.short.times + second.short.times
        await one_turn()
        merged.append(first.short.times + second.short.times - before)
    assert (sum(merged), max(merged)) == (2, 1)
    assert first.sent() == second.sent() == encode(ids(0, 1, 50, 6_000))


# More to do than can be done.


def two_pressed() -> list[Talk]:
    """Two gathers of one worker that sheds; every shard has replied to both."""
    first = Talk()
    talks = [first, Talk(beside=first)]
    first.turns.paces = True
    for talk in talks:
        talk.begin()
        talk.answers("south", b'[{"id":"b"}]')
        talk.answers("north", b'[{"id":"a"},{"id":"c"}]')
    return talks


async def test_while_there_is_too_much_to_do_pages_wait_for_a_turn() -> None:
    """Found by `make chaos`: a refusal waited until all pages were made for which the replies were there: 95 ms.

    How many there are in a turn is told by `tests/net/test_turns.py`.
    """
    talks = two_pressed()
    assert [talk.events for talk in talks] == [[], []]
    for _ in range(2):  # one, where both fit into a turn
        await one_round()
    assert [talk.events for talk in talks] == [[("send", 200, PAGE)]] * 2
    assert [talk.held.bytes for talk in talks] == [0, 0]


async def test_a_client_that_leaves_before_its_turn_has_come_ends_the_gather() -> None:
    leaving, staying = two_pressed()
    leaving.gather.cancel()
    for _ in range(3):
        await one_turn()
    assert (leaving.events, leaving.errors, leaving.held.bytes) == ([], [], 0)
    assert staying.events == [("send", 200, PAGE)]


async def test_what_is_refused_before_its_turn_has_come_is_told_once() -> None:
    refused, staying = two_pressed()
    refused.gather._calls.done.set_exception(OverloadError("no room"))  # type: ignore[union-attr]
    refused.gather._calls._refusal = OverloadError("no room")  # type: ignore[union-attr]
    for _ in range(4):
        await one_turn()
    assert [type(error).__name__ for error in refused.errors] == ["OverloadError"]
    assert (refused.events, refused.held.bytes) == ([], 0)
    assert staying.events == [("send", 200, PAGE)]


async def test_what_is_unusual_is_the_tasks_to_judge_when_its_turn_has_come() -> None:
    talk = Talk()
    talk.turns.paces = True
    talk.begin()
    talk.answers("south", b"no", status="403 Forbidden")
    talk.answers("north", b'[{"id":"a"},{"id":"c"}]')
    for _ in range(6):
        await one_turn()
    assert (talk.events, talk.errors, talk.held.bytes) == ([("send", 403, b"no")], [], 0)
