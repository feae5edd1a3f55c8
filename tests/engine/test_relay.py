"""A relayed request, as a conversation of values: what the shard answers, and what the client is sent."""

import gzip
import logging
from typing import Any

import pytest

from shardgate.core.errors import BrokenReplyError, DeadlineError, LostReplyError, ShardDownError
from shardgate.core.http import Request
from shardgate.core.locate.memory import LearnedKeys
from shardgate.core.routes.route import Route
from shardgate.core.rules.one import One
from shardgate.core.wire.coding import Compress
from shardgate.engine.relay import Relay
from tests.engine.fakes import IS_COMPILED, FakeClient, FakeCluster, as_any, exchange, head, request

pytestmark = pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")

RULE = One(key="path.id", locate="event", learn={"event": "id"})


class Talk:
    """One request on its way to north."""

    def __init__(self, asked: Request | None = None, *, compress: Compress | None = None, **start: Any) -> None:
        self.asked = asked or request("GET /events/7")
        route = Route(self.asked.method, "/events/{id}", f"{self.asked.method} /events/{{id}}", RULE)
        self.exchange = exchange(self.asked, route)
        self.shards = FakeCluster(compress)
        self.client = FakeClient(self.exchange)
        self.memory = LearnedKeys(10)
        self.relay = Relay(
            as_any(self.shards), as_any(self.client), self.asked, route, self.exchange, as_any(self.memory)
        )
        self.relay.start("north", **start)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        return self.client.events


def test_a_reply_passes_as_it_comes() -> None:
    talk = Talk(request("GET /events/7?x=1", "Accept: */*", "Connection: close"))
    ((shard, sent),) = talk.shards.sent
    assert shard == "north"
    assert sent.startswith(b"GET /events/7?x=1 HTTP/1.1\r\n")
    assert b"Accept: */*\r\n" in sent
    assert b"Via: test\r\n" in sent
    assert b"Connection" not in sent
    talk.shards.answers("north", head(length=3), b"a", b"b", b"c")
    assert talk.events == [("begin", 200, b"a"), ("write", b"b"), ("write", b"c"), ("finish",)]
    assert talk.exchange.shards == ("north",)
    assert talk.shards.replies == ["north"]


def test_a_reply_in_one_piece_passes_in_one_step() -> None:
    talk = Talk()
    talk.shards.answers("north", head(length=3), b"abc")
    assert talk.events == [("relay", 200, b"abc")]
    assert talk.shards.replies == ["north"]


@pytest.mark.parametrize(("line", "status"), [("HEAD /events/7", "200 OK"), ("GET /events/7", "304 Not Modified")])
def test_a_reply_without_a_body_has_none(line: str, status: str) -> None:
    talk = Talk(request(line))
    talk.shards.answers("north", head(status, length=9))
    assert talk.events == [("begin", int(status[:3]), b""), ("finish",)]


def test_what_is_said_before_the_reply_passes_too() -> None:
    talk = Talk()
    talk.shards.calls["north"].sink.reply_interim(head("103 Early Hints"))
    talk.shards.answers("north", head(length=0))
    assert [event[0] for event in talk.events] == ["interim", "relay"]


def test_a_shard_that_has_not_the_key_is_doubted_and_the_client_hears_nothing() -> None:
    doubted: list[bool] = []
    talk = Talk(doubt=lambda: not doubted.append(True))
    talk.shards.answers("north", head("404 Not Found", length=5), b"x", is_whole=False)
    assert doubted == [True]
    assert talk.events == []
    assert talk.shards.connections["north"].is_aborted


def test_a_shard_that_says_so_in_one_piece_keeps_its_connection() -> None:
    talk = Talk(doubt=lambda: True)
    talk.shards.answers("north", head("404 Not Found", length=1), b"x")
    assert talk.events == []
    assert not talk.shards.connections["north"].is_aborted


def test_a_shard_that_has_the_key_is_not_doubted() -> None:
    talk = Talk(doubt=lambda: pytest.fail("it has the key"))
    talk.shards.answers("north", head("403 Forbidden", length=0))
    assert talk.events[0][:2] == ("relay", 403)


def test_a_read_that_any_shard_serves_goes_to_the_next_where_one_is_down() -> None:
    talk = Talk(others=["south", "west"])
    talk.shards.fails("north", ShardDownError("down"))
    talk.shards.fails("south", ShardDownError("down"))
    talk.shards.answers("west", head(length=0))
    assert talk.events[0][:2] == ("relay", 200)
    assert talk.exchange.shards == ("north", "south", "west")
    assert talk.shards.failures == [("north", "SG2001"), ("south", "SG2001")]


@pytest.mark.parametrize(
    ("line", "error"), [("POST /events/7", ShardDownError("down")), ("GET /events/7", DeadlineError("late"))]
)
def test_a_change_and_a_shard_that_may_have_heard_are_not_tried_elsewhere(line: str, error: Any) -> None:
    talk = Talk(request(line), others=["south"])
    talk.shards.fails("north", error)
    assert [shard for shard, _ in talk.shards.sent] == ["north"]
    assert talk.events[0][:2] == ("send", error.status)


@pytest.mark.parametrize("error", [BrokenReplyError("odd"), LostReplyError("gone"), DeadlineError("late")])
def test_a_failure_before_the_reply_is_a_problem_and_one_after_cuts_it_off(
    error: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shardgate")
    before, after = Talk(), Talk()
    before.shards.fails("north", type(error)("odd"))
    (said,) = before.events
    assert said[:2] == ("send", error.status)
    assert error.code.encode() in said[2]
    assert b"north" not in said[2]
    after.shards.answers("north", head(length=9), b"x", is_whole=False)
    after.shards.fails("north", error)
    assert after.events[1:] == [("abort", error.cut_off)]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    for line in lines:
        assert f'request=r-1 operation="GET /events/{{id}}" shard=north code={error.code}' in line


def test_a_client_that_does_not_read_is_not_its_shard_s_failure() -> None:
    talk = Talk()
    talk.shards.answers("north", head(length=9), b"x", is_whole=False)
    talk.relay.pause()
    assert talk.shards.connections["north"].is_paused
    talk.shards.fails("north", DeadlineError("late"))
    assert talk.events[1:] == [("abort", "client_slow")]
    assert talk.exchange.error == "SG1025"
    assert talk.shards.failures == []


def test_a_client_that_has_caught_up_is_not_slow() -> None:
    talk = Talk()
    talk.shards.answers("north", head(length=9), b"x", is_whole=False)
    talk.relay.pause()
    talk.relay.resume()
    assert not talk.shards.connections["north"].is_paused
    talk.shards.fails("north", DeadlineError("late"))
    assert talk.events[1:] == [("abort", "deadline")]


def test_the_id_of_what_is_made_is_learned_from_the_pieces_of_its_reply() -> None:
    talk = Talk(request("POST /events/7"))
    talk.shards.answers("north", head("201 Created", length=10), b'{"id"', b':"e9"}')
    assert talk.memory.recall("event", "e9") == "north"


@pytest.mark.parametrize(("status", "body"), [("400 Bad Request", b'{"id":"e9"}'), ("201 Created", b"[7]")])
def test_what_teaches_nothing_passes_all_the_same(status: str, body: bytes) -> None:
    talk = Talk(request("POST /events/7"))
    talk.shards.answers("north", head(status, length=len(body)), body)
    assert talk.events[0] == ("relay", int(status[:3]), body)
    assert talk.memory.recall("event", "e9") != "north"


@pytest.mark.parametrize("pieces", [(b"abc", b"def"), (b"abcdef",)])
def test_a_reply_is_packed_for_a_client_that_takes_it(pieces: tuple[bytes, ...]) -> None:
    talk = Talk(request("GET /events/7", "Accept-Encoding: gzip"), compress=Compress(bytes_min=1))
    talk.shards.answers("north", head("200 OK", "Content-Type: text/plain", length=6), *pieces)
    packed = b"".join([event[-1] for event in talk.events if event != ("finish",)])
    assert gzip.decompress(packed) == b"abcdef"


def test_a_client_that_leaves_ends_the_call() -> None:
    talk = Talk()
    talk.relay.cancel()
    assert talk.shards.connections["north"].is_aborted
    assert talk.events == []
