"""A round of calls, as a conversation of values: what shards answer, in which order, and what becomes of it."""

import asyncio
import gzip

import pytest

from shardgate.core.contracts import Ask
from shardgate.core.errors import (
    BrokenReplyError,
    DeadlineError,
    OverloadError,
    ReplyTooLargeError,
    ShardDownError,
    ShardgateError,
)
from shardgate.core.held import HeldBytes
from shardgate.core.http import Reply
from shardgate.core.limits import FLOW_WINDOW_BYTES
from shardgate.engine.gather.round import Round
from tests.engine.fakes import IS_COMPILED, FakeCluster, as_any, head
from tests.waiting import one_turn

pytestmark = pytest.mark.skipif(IS_COMPILED, reason="compiled classes take no fakes")

SHARDS = ("north", "south", "west")
BYTES_MAX = 1_000_000


class Table:
    """A round under way."""

    def __init__(
        self,
        *,
        large_bytes: int | None = None,
        bytes_max: int = BYTES_MAX,
        held_max: int = BYTES_MAX,
        needs_all: bool = False,
    ) -> None:
        self.shards = FakeCluster()
        self.held = HeldBytes(held_max)
        self.holding = self.held.open("reply")
        self.round = Round(as_any(self.shards), bytes_max, self.holding, large_bytes=large_bytes, needs_all=needs_all)
        asks = [Ask(shard, b"/events?at=%d" % n) for n, shard in enumerate(SHARDS)]
        self.round.start(asks, b"a", b"X: 1\r\n", b"r-1")


def bodies(outcomes: object) -> dict[str, object]:
    """What came of each call, in short."""
    assert isinstance(outcomes, dict)
    return {shard: each.body if isinstance(each, Reply) else type(each) for shard, each in outcomes.items()}


async def test_every_shard_is_asked_at_once_and_answers_in_any_order() -> None:
    table = Table()
    assert [shard for shard, _ in table.shards.sent] == [*SHARDS]
    sent = table.shards.sent[1][1]
    assert sent.startswith(b"GET /events?at=1 HTTP/1.1\r\n")
    assert b"X: 1\r\n" in sent
    assert b"r-1" in sent
    table.shards.answers("west", head(length=1), b"w")
    table.shards.answers("north", head(length=2), b"n", b"n")
    assert table.held.bytes == 3
    table.shards.answers("south", head("404 Not Found", "X-Y: 7", length=0))
    outcomes = await table.round.outcomes()
    assert bodies(outcomes) == {"north": b"nn", "south": b"", "west": b"w"}
    south = outcomes["south"]
    assert isinstance(south, Reply)
    assert (south.status, south.fields) == (404, [(b"X-Y", b"7")])
    assert table.shards.replies == ["west", "north", "south"]


async def test_a_shard_that_fails_is_an_outcome_that_names_it_and_the_others_go_on() -> None:
    table = Table()
    table.shards.fails("north", DeadlineError("late"))
    table.shards.answers("south", head(length=1), b"s")
    table.shards.answers("west", head(length=5), b"w", is_whole=False)
    table.shards.fails("west", BrokenReplyError("broke off"))
    outcomes = await table.round.outcomes()
    assert bodies(outcomes) == {"north": DeadlineError, "south": b"s", "west": BrokenReplyError}
    assert [each.shard for each in outcomes.values() if isinstance(each, ShardgateError)] == ["north", "west"]
    assert table.shards.failures == [("north", "SG2003"), ("west", "SG2002")]


async def test_where_all_are_needed_nothing_more_is_read_once_one_has_failed() -> None:
    """Found: a list whose one shard broke off read 270 MB of another, endless one before it was refused."""
    table = Table(needs_all=True)
    table.shards.answers("north", head(), b"n", is_whole=False)
    table.shards.fails("south", BrokenReplyError("broke off"))
    assert table.shards.connections["north"].is_aborted
    assert not table.shards.connections["west"].is_aborted, "it may fail, too"
    table.shards.answers("west", head(), b"w", is_whole=False)
    assert table.shards.connections["west"].is_aborted
    assert bodies(await table.round.outcomes()) == {"south": BrokenReplyError}


async def test_where_all_are_needed_those_that_fail_together_are_all_told() -> None:
    table = Table(needs_all=True)
    table.shards.fails("south", ShardDownError("down"))
    table.shards.fails("north", ShardDownError("down"))
    waiting = asyncio.ensure_future(table.round.outcomes())
    assert bodies(await waiting) == {"south": ShardDownError, "north": ShardDownError}, "west says nothing"
    assert table.shards.connections["west"].is_aborted


async def test_large_replies_are_dropped_where_one_breaks_off_before_they_pass_on() -> None:
    table = Table(large_bytes=10, needs_all=True)
    for shard in SHARDS:
        table.shards.answers(shard, head(), b"1234567890", is_whole=False)
    table.shards.fails("north", BrokenReplyError("broke off"))
    assert not await table.round.is_large()
    assert bodies(await table.round.outcomes()) == {"north": BrokenReplyError}
    assert table.shards.connections["west"].is_aborted


async def test_a_reply_that_is_too_large_ends_its_call_alone() -> None:
    table = Table(bytes_max=10)
    table.shards.answers("north", head(length=20), b"x" * 6, b"x" * 6)
    assert table.shards.connections["north"].is_aborted
    table.shards.answers("south", head(length=1), b"s")
    table.shards.answers("west", head(length=10), b"w" * 10)
    outcomes = await table.round.outcomes()
    assert bodies(outcomes) == {"north": ReplyTooLargeError, "south": b"s", "west": b"w" * 10}


async def test_large_replies_are_seen_once_all_heads_have_come_and_passed_on_with_what_came() -> None:
    table = Table(large_bytes=100)
    waiting = asyncio.ensure_future(table.round.is_large())
    table.shards.answers("north", head(length=90), b"n", is_whole=False)
    table.shards.answers("south", head(length=90), b"s", is_whole=False)
    await one_turn()
    assert not waiting.done(), "the third may refuse"
    table.shards.answers("west", head(length=1), b"w")
    assert await waiting
    assert all(table.shards.connections[shard].is_paused for shard in ("north", "south"))
    assert {shard: reply.status for shard, reply in table.round.heads().items()} == dict.fromkeys(SHARDS, 200)
    coming = table.round.coming()
    assert [(part.shard, part.pieces, part.ended) for part in coming] == [
        ("north", [b"n"], False),
        ("south", [b"s"], False),
        ("west", [b"w"], True),
    ]
    assert all(part.pieces == [] for part in table.round.coming()), "nothing is kept"


async def test_large_or_not_all_can_still_be_waited_for() -> None:
    table = Table(large_bytes=10)
    for shard in SHARDS:
        table.shards.answers(shard, head(length=10), b"12345", is_whole=False)
    assert await table.round.is_large()
    table.round.keep_waiting()
    assert not any(each.is_paused for each in table.shards.connections.values())
    for shard in SHARDS:
        table.shards.calls[shard].sink.reply_data(b"67890")
        table.shards.ends(shard)
    assert bodies(await table.round.outcomes()) == dict.fromkeys(SHARDS, b"1234567890")


async def test_what_broke_off_before_it_was_found_large_is_not_passed_on() -> None:
    table = Table(large_bytes=10)
    for shard in SHARDS:
        table.shards.answers(shard, head(length=10), b"12345", is_whole=False)
    table.shards.fails("north", BrokenReplyError("broke off"))
    assert not await table.round.is_large()
    table.shards.ends("south")
    table.shards.ends("west")
    assert bodies(await table.round.outcomes())["north"] is BrokenReplyError


async def test_no_more_than_a_window_of_a_reply_is_held_before_all_heads_have_come() -> None:
    table = Table(large_bytes=10 * BYTES_MAX)
    table.shards.answers("north", head(length=BYTES_MAX), b"n" * FLOW_WINDOW_BYTES, is_whole=False)
    assert not table.shards.connections["north"].is_paused
    table.shards.calls["north"].sink.reply_data(b"n")
    assert table.shards.connections["north"].is_paused
    table.shards.answers("south", head(length=0))
    table.shards.answers("west", head(length=0))
    assert not table.shards.connections["north"].is_paused


async def test_a_packed_reply_is_unpacked_and_a_broken_one_names_its_shard() -> None:
    table = Table()
    packed = gzip.compress(b"rows")
    table.shards.answers("north", head("200 OK", "Content-Encoding: gzip", length=len(packed)), packed)
    table.shards.answers("south", head("200 OK", "Content-Encoding: gzip", length=4), b"rows")
    table.shards.answers("west", head(length=1), b"w")
    outcomes = await table.round.outcomes()
    assert bodies(outcomes) == {"north": b"rows", "south": BrokenReplyError, "west": b"w"}
    south = outcomes["south"]
    assert isinstance(south, ShardgateError)
    assert south.shard == "south"


async def test_a_round_that_must_give_room_is_refused_at_once() -> None:
    table = Table(held_max=10)
    table.shards.answers("north", head(length=20), b"x" * 11, is_whole=False)
    with pytest.raises(OverloadError):
        await table.round.outcomes()
    assert table.held.bytes == 0


async def test_a_round_that_must_give_room_once_all_replies_are_whole_is_refused_too() -> None:
    """Found: it went on with no reply at all, and its client got 500 (SG9001)."""
    table = Table(held_max=10)
    for shard in SHARDS:
        table.shards.answers(shard, head(length=2), b"12")
    waiting = asyncio.ensure_future(table.round.outcomes())
    table.held.open("reply", "another").add(8)
    with pytest.raises(OverloadError):
        await waiting


async def test_so_is_one_whose_replies_were_found_large() -> None:
    table = Table(large_bytes=6, held_max=10)
    for shard in SHARDS:
        table.shards.answers(shard, head(length=5), b"12", is_whole=False)
    waiting = asyncio.ensure_future(table.round.is_large())
    table.held.open("reply", "another").add(8)
    with pytest.raises(OverloadError):
        await waiting


async def test_who_leaves_cancels_what_has_not_come() -> None:
    table = Table()
    table.shards.answers("north", head(length=1), b"n")
    table.round.cancel()
    assert [shard for shard, each in table.shards.connections.items() if each.is_aborted] == ["south", "west"]
    assert table.shards.failures == [], "nobody failed"
