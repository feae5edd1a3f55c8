"""A client's connection, as conversations: `>>` happens to it, `<<` is what it does."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from shardgate.core.errors import BugError
from shardgate.core.held import HeldBytes
from shardgate.core.limits import HALF_CLOSED_S, HEAD_BYTES_MAX, LAST_CHANCE_S, LINGER_S
from tests.net.client.play import (
    CANCELLED,
    CLOSE,
    COLLECT,
    PAUSED,
    RESUMED,
    RETIRE,
    Aborts,
    Begins,
    ClientPlay,
    Finishes,
    Goes,
    Handed,
    Over,
    Relays,
    Says,
)
from tests.net.screenplay import ABORTED, CLOSED, EMPTY, ENDED, EOF, FULL, LOST, READS_AGAIN, RESET, Passes
from tests.net.screenplay import STOPS_READING as STOPS
from tests.waiting import one_turn

GET = b"GET /any HTTP/1.1\r\nHost: a\r\n\r\n"
PUT = b"PUT /any HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"PUT /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LENGTHLESS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

Raise = Callable[..., ClientPlay]


@pytest.fixture
async def curtain() -> AsyncIterator[Raise]:
    """Begin a play: `play = curtain(header_timeout_s=5)`. Each is over with the test."""
    plays: list[ClientPlay] = []

    def begin(**settings: Any) -> ClientPlay:
        plays.append(ClientPlay(**settings))
        return plays[-1]

    yield begin
    for play in plays:
        play.is_over()


# Requests.


async def test_requests_are_answered_one_after_another(curtain: Raise) -> None:
    play = curtain()
    for _ in range(2):
        play >> GET
        play << Handed("GET /any")
        play >> Says()
        play << OK << Over(200)
    assert play.state == "idle"


async def test_a_reply_in_one_piece_is_one_write(curtain: Raise) -> None:
    play = curtain()
    for _ in range(2):
        play >> GET
        play << Handed("GET /any")
        play >> Relays(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"ok")
        play << OK << Over(200)
    assert play.state == "idle"


async def test_a_reply_in_one_piece_before_the_body_is_whole_is_the_last(curtain: Raise) -> None:
    play = curtain()
    play >> CHUNKED
    play << STOPS << Handed("PUT /any")
    play >> Relays(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", b"ok")
    play << LAST << Over(200) << ENDED << READS_AGAIN


async def test_empty_lines_before_a_request_are_ignored_however_they_come(curtain: Raise) -> None:
    for pieces in ([b"\r\n" + GET], [b"\r\n\r\n\r\n" + GET], [b"\r\n", GET], [b"\r\n\r\n", b"\r\n", GET]):
        play = curtain()
        for piece in pieces:
            play >> piece
        play << Handed("GET /any")
        play >> Says()
        play << OK << Over(200)


async def test_a_request_may_come_in_pieces(curtain: Raise) -> None:
    play = curtain()
    for number in range(len(GET) - 1):
        play >> GET[number : number + 1]
        assert play.state == "head"
    play >> GET[-1:]
    play << Handed("GET /any")
    assert play.state == "answering"


async def test_pipelined_requests_wait_for_their_turn(curtain: Raise) -> None:
    play = curtain()
    play >> GET + GET.replace(b"/any", b"/next")
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200) << READS_AGAIN
    await one_turn()
    play << Handed("GET /next")


async def test_a_client_that_sends_on_and_on_is_read_no_further_than_the_bound(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> GET * (HEAD_BYTES_MAX // len(GET))
    play >> GET
    play << STOPS
    play >> Says()
    play << OK << Over(200)
    await one_turn()
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200) << READS_AGAIN
    await one_turn()
    play << Handed("GET /any")


async def test_what_came_ahead_does_not_grow_with_each_reply(curtain: Raise) -> None:
    # Found: after each reply the client was read on, and 256 KiB more were kept, however much was there already.
    play = curtain()
    much = GET * (HEAD_BYTES_MAX // len(GET) * 8)
    play >> GET + much
    play << Handed("GET /any")
    play >> b"G"
    play << STOPS
    while len(play.protocol._buffer) + sum(map(len, play.protocol._aside)) > HEAD_BYTES_MAX:
        assert len(play.protocol._buffer) <= 3 * HEAD_BYTES_MAX or not play.protocol._aside
        play >> Says()
        play << OK << Over(200)
        await one_turn()
        play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200) << READS_AGAIN
    await one_turn()
    play << Handed("GET /any")


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_bodies_that_came_ahead_are_read_and_so_is_what_follows_them(framing: str) -> None:
    play, size = ClientPlay(), 5 * HEAD_BYTES_MAX
    body = b"x" * size
    put = PUT % size + body if framing == "length" else CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (size, body)
    play >> (GET + put + GET) * 3
    for line in ("GET /any", "PUT /any", "GET /any") * 3:
        handed = [each for each in play.log if isinstance(each, Handed)]
        if play.state == "uploading":
            play >> COLLECT
            handed = [each for each in play.log if isinstance(each, Handed)]
        assert handed[-1].line == line
        assert len(handed[-1].body) == (size if line.startswith("PUT") else 0)
        play.log.clear()
        play >> Says()
        await one_turn()
    play.log.clear()
    play >> GET
    assert Handed("GET /any") in play.log
    assert play.protocol._aside == []


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_client_whose_body_came_ahead_is_read_again(curtain: Raise, is_whole: bool) -> None:
    play = curtain()
    size = HEAD_BYTES_MAX + 100
    play >> GET
    play << Handed("GET /any")
    play >> PUT % (size if is_whole else size + 1) + b"x" * size
    play << STOPS
    play >> Says()
    play << OK << Over(200)
    await one_turn()
    if not is_whole:
        play << READS_AGAIN
        play >> b"x"
    play << Handed("PUT /any", b"x" * (size if is_whole else size + 1))
    play >> Says()
    play << OK << Over(200)
    if is_whole:
        play << READS_AGAIN


async def test_pipelined_requests_wait_while_the_client_has_unread_replies(curtain: Raise) -> None:
    play = curtain()
    play >> GET + GET
    play << Handed("GET /any")
    play >> FULL
    play >> Says()
    play << OK << Over(200)
    await one_turn()
    play >> EMPTY
    play << READS_AGAIN
    await one_turn()
    play << Handed("GET /any")


async def test_a_head_that_cannot_be_read_is_refused_and_what_follows_is_read_over(curtain: Raise) -> None:
    play = curtain()
    play >> b"nonsense\r\n\r\n" + GET
    assert b"SG1001" in play.replied(400, closes=True)
    play << Over(400) << ENDED << READS_AGAIN
    play >> GET
    play >> LOST
    assert play.handler.refusals == ["SG1001"]


async def test_a_refusal_over_tls_is_followed_by_the_end_that_tls_has(curtain: Raise) -> None:
    play = curtain(is_tls=True)
    play >> b"nonsense\r\n\r\n"
    play.replied(400, closes=True)
    play << Over(400) << CLOSED


async def test_a_client_without_room_is_not_answered(curtain: Raise) -> None:
    play = curtain(has_room=False)
    play << ABORTED


# Time.


async def test_an_idle_connection_is_closed_without_a_reply(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200)
    play >> Passes(74)
    play >> Passes(2)
    play << CLOSED
    assert play.state == "gone"


async def test_a_head_that_does_not_end_is_refused(curtain: Raise) -> None:
    play = curtain()
    play >> GET[:9]
    play >> Passes(31)
    assert b"SG1013" in play.replied(408, closes=True)
    play << Over(408) << ENDED << READS_AGAIN
    play >> Passes(LINGER_S + 1)
    play << ABORTED


async def test_the_time_for_a_head_begins_with_its_first_byte(curtain: Raise) -> None:
    # Found: a request that began late on an idle connection was given only what the idle time had left.
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200)
    play >> Passes(74)
    play >> GET[:9]
    play >> Passes(29)
    play >> GET[9:]
    play << Handed("GET /any")


async def test_a_body_has_as_long_as_it_moves(curtain: Raise) -> None:
    # Found: the time for the header ran on while the body came, so that a long upload was cut off.
    play = curtain()
    play >> PUT % 4
    for byte in (b"a", b"b", b"c"):
        play >> Passes(29)
        play >> byte
    play >> Passes(29)
    play >> b"d"
    play << Handed("PUT /any", b"abcd")


async def test_a_held_body_that_drips_must_be_whole_in_time(curtain: Raise) -> None:
    # Found: the connection expired in the same tick, and cut off the refusal that its body had just caused.
    play = curtain(total_timeout_s=100)
    play >> PUT % 100
    for _ in range(4):
        play >> Passes(24)
        play >> b"x"
    play >> Passes(5)
    play.replied(408, closes=True)
    play << Over(408) << ENDED << READS_AGAIN


async def test_a_reply_that_a_client_still_reads_is_not_cut_off_as_idle(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200)
    for left in (1000, 600, 200):
        play.transport.unsent = left
        play >> Passes(76)
    play >> Passes(76)  # it has read nothing since
    play << ABORTED


async def test_a_reply_that_is_read_below_the_minimum_rate_is_cut_off(curtain: Raise) -> None:
    play = curtain(reply_bytes_per_s_min=240, reply_idle_timeout_s=60)
    play >> GET
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200)
    play.transport.unsent = 200_000
    play >> Passes(76)
    for left in (180_000, 160_000):
        play.transport.unsent = left
        play >> Passes(61)
    play.transport.unsent = left - 240 * 60 + 1
    play >> Passes(61)
    play << ABORTED


REFUSED = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nok"


async def test_a_client_that_was_refused_for_its_share_is_read_again_when_its_time_has_passed(curtain: Raise) -> None:
    play = curtain()
    play >> GET + GET
    play << Handed("GET /any")
    play.protocol.rest(2)
    play >> Says(status=429)
    play << REFUSED << Over(429) << STOPS
    play >> Passes(1.9)
    await one_turn()
    play >> FULL >> EMPTY
    await one_turn()
    play >> Passes(0.2)
    play << READS_AGAIN
    await one_turn()
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200)
    play >> Passes(76)
    play << CLOSED


async def test_a_client_that_was_refused_and_has_ended_its_side_is_closed_after_its_rest(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play.protocol.rest(1)
    play >> EOF
    play >> Says(status=429)
    play << REFUSED << Over(429) << STOPS
    play >> Passes(1.1)
    play << CLOSED


async def test_a_process_that_ends_waits_for_no_rest_longer_than_a_moment(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play.protocol.rest(10)
    play >> Says(status=429)
    play << REFUSED << Over(429) << STOPS
    play >> RETIRE
    play >> Passes(LAST_CHANCE_S + 0.1)
    play << READS_AGAIN
    play >> Passes(LAST_CHANCE_S + 0.1)
    play << CLOSED


async def test_a_body_that_its_client_may_not_send_is_refused_and_one_that_ends_is_counted_no_more(
    curtain: Raise,
) -> None:
    play = curtain()
    play >> PUT % 2 + b"x"
    assert play.handler.uploads.uploads == 1
    play >> b"x"
    assert play.handler.uploads.uploads == 0
    play << Handed("PUT /any", b"xx")
    play >> Says()
    play << OK << Over(200)
    play.handler.refuses_uploads = True
    play >> PUT % 2 + b"x"
    assert b"SG1027" in play.replied(429, closes=True)
    play << Over(429) << ENDED << READS_AGAIN


async def test_a_process_that_ends_gives_an_idle_client_a_last_chance(curtain: Raise) -> None:
    play = curtain()
    play >> RETIRE
    play >> Passes(LAST_CHANCE_S / 2)
    play >> GET
    play << Handed("GET /any")
    play >> Says()
    play << LAST << Over(200) << ENDED << READS_AGAIN
    other = curtain()
    other >> RETIRE
    other >> Passes(LAST_CHANCE_S * 2)
    other << CLOSED


async def test_closing_waits_for_the_reply_under_way(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> CLOSE
    play >> Says()
    play << LAST << Over(200) << ENDED << READS_AGAIN
    play >> CLOSE
    play << CLOSED
    play >> CLOSE


# The end of the client's side.


async def test_a_client_that_has_left_cancels_the_work_for_it(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> RESET
    play << CANCELLED << Over(0, "client_gone")
    play >> Says()  # of a handler that cannot be cancelled


async def test_a_client_that_sends_all_and_ends_its_side_reads_all_replies(curtain: Raise) -> None:
    play = curtain()
    play >> GET + GET
    play >> EOF
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200) << READS_AGAIN
    await one_turn()
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200) << CLOSED


async def test_a_client_that_ends_its_side_gets_a_moment_for_its_reply(curtain: Raise) -> None:
    # Found: a client that left by close() and not by a reset was worked for to the end: 2,000 of them, ten seconds.
    play = curtain()
    play >> GET
    play >> EOF
    play << Handed("GET /any")
    play >> Passes(HALF_CLOSED_S - 1)
    play >> Passes(2)
    play << ABORTED


async def test_a_reply_that_streams_is_not_cut_off_because_the_client_has_ended_its_side(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play >> EOF
    play << Handed("GET /any")
    play >> Begins(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n", b"ab")
    play << b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"
    play >> Passes(HALF_CLOSED_S + 1)
    play >> Goes(b"cd")
    play >> Finishes()
    play << b"cd" << Over(200) << CLOSED


async def test_a_stream_of_events_ends_with_its_client(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play >> EOF
    play << Handed("GET /any")
    play >> Begins(EVENTS)
    play.replied(200)
    play >> Passes(HALF_CLOSED_S + 1)
    play << ABORTED


@pytest.mark.parametrize("unfinished", [GET[:9], PUT % 9 + b"x"])
async def test_a_client_that_ends_its_side_within_a_request_is_let_go(curtain: Raise, unfinished: bytes) -> None:
    play = curtain()
    play >> GET + unfinished
    play >> EOF
    play << Handed("GET /any")
    play >> Says()
    play << OK << Over(200) << READS_AGAIN
    await one_turn()
    play << CLOSED


# Bodies.


async def test_a_short_body_is_held_until_it_is_whole(curtain: Raise) -> None:
    play = curtain()
    play >> PUT % 3 + b"a"
    assert play.state == "holding"
    play >> b"bc" + GET
    play << Handed("PUT /any", b"abc")
    play >> Says()
    play << OK << Over(200) << READS_AGAIN
    await one_turn()
    play << Handed("GET /any")


async def test_a_body_of_unknown_length_goes_on_while_it_comes_and_may_be_wanted_whole(curtain: Raise) -> None:
    play = curtain()
    play >> CHUNKED
    play << STOPS << Handed("PUT /any")
    assert play.state == "uploading"
    play >> COLLECT
    play << READS_AGAIN
    assert play.state == "holding"
    play >> b"3\r\nabc\r\n0\r\n\r\n"
    play << Handed("PUT /any", b"abc")
    play >> Says()
    play << OK << Over(200)


async def test_a_client_that_asks_before_it_sends_is_told_once_the_body_is_wanted(curtain: Raise) -> None:
    play = curtain()
    play >> (PUT % 3).replace(b"Host", b"Expect: 100-continue\r\nHost")
    play << STOPS << Handed("PUT /any")
    play >> COLLECT
    play << CONTINUE << READS_AGAIN
    play >> b"abc"
    play << Handed("PUT /any", b"abc")


async def test_a_reply_before_the_body_is_whole_is_the_last(curtain: Raise) -> None:
    play = curtain()
    play >> CHUNKED
    play << STOPS << Handed("PUT /any")
    play >> Says(status=200)
    play << LAST << Over(200) << ENDED << READS_AGAIN
    play >> b"3\r\nabc\r\n"
    assert play.state == "lingering"


async def test_a_body_that_turns_out_malformed_cancels_the_work_and_is_refused(curtain: Raise) -> None:
    play = curtain()
    play >> CHUNKED
    play << STOPS << Handed("PUT /any")
    play >> b"0x3\r\nabc\r\n"
    play << CANCELLED
    assert b"SG1001" in play.replied(400, closes=True)
    play << Over(400) << ENDED << READS_AGAIN


@pytest.mark.parametrize("sent", [PUT % 2000, PUT % 2000 + b"x" * 2000])
async def test_a_body_that_is_announced_too_long_is_refused_at_once(curtain: Raise, sent: bytes) -> None:
    play = curtain(body_bytes_max=1000)
    play >> sent
    assert b"SG1006" in play.replied(413, closes=True)
    play << Over(413) << ENDED << READS_AGAIN


async def test_a_body_that_becomes_too_long_to_be_held_is_refused(curtain: Raise) -> None:
    play = curtain(held_body_bytes_max=4)
    play >> CHUNKED
    play << STOPS << Handed("PUT /any")
    play >> COLLECT
    play << READS_AGAIN
    play >> b"6\r\nabcdef\r\n"
    play << CANCELLED
    play.replied(413, closes=True)
    play << Over(413) << ENDED << READS_AGAIN


# Replies that stream.


async def test_a_slow_client_slows_the_stream(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> Begins(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n")
    play.replied(200)
    play >> FULL
    play << PAUSED
    play >> EMPTY
    play << RESUMED
    play >> Goes(b"ok")
    play >> Finishes()
    play << b"ok" << Over(200)


async def test_a_reply_that_breaks_off_is_seen_to_be_not_whole(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> Begins(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n", b"ab")
    play.replied(200)
    play >> Aborts()
    play << ABORTED
    play >> LOST
    play << CANCELLED << Over(200, "shard")


async def test_a_reply_that_only_the_end_would_end_is_broken_off_by_a_reset(curtain: Raise) -> None:
    play = curtain()
    play >> GET.replace(b"1.1", b"1.0")
    play << Handed("GET /any")
    play >> Begins(LENGTHLESS, b"ab")
    play.replied(200, closes=True)
    play >> Aborts()
    play << RESET << ABORTED


async def test_two_replies_to_one_request_are_a_defect(curtain: Raise) -> None:
    play = curtain()
    play >> GET
    play << Handed("GET /any")
    play >> Says()
    with pytest.raises(BugError):
        play >> Says()
    play.log.clear()


# What is held is bounded.


async def test_a_body_that_came_whole_is_held_until_its_reply(curtain: Raise) -> None:
    held = HeldBytes(50_000)
    play = curtain(held=held)
    play >> PUT % 30_000 + b"x" * 30_000
    play << Handed("PUT /any", b"x" * 30_000)
    assert held.by_kind["request"] == 30_000
    play >> Says()
    play << OK << Over(200)
    assert held.bytes == 0


async def test_a_body_that_came_whole_is_refused_where_there_is_no_room(curtain: Raise) -> None:
    held = HeldBytes(50_000)
    held.open("reply").add(40_000)
    play = curtain(held=held)
    play >> PUT % 30_000 + b"x" * 30_000
    assert b"SG4001" in play.replied(503, closes=True)
    play << Over(503) << ENDED << READS_AGAIN
    assert held.bytes == 40_000


async def test_an_unfinished_body_gives_way_to_another_client(curtain: Raise) -> None:
    held = HeldBytes(50_000)
    play = curtain(held=held)
    play >> PUT % 40_000 + b"x" * 30_000
    held.open("reply", "192.0.2.9").add(25_000)
    assert b"SG4001" in play.replied(503, closes=True)
    play << Over(503) << ENDED << READS_AGAIN
    assert held.bytes == 25_000


async def test_a_client_that_leaves_gives_its_bytes_back(curtain: Raise) -> None:
    held = HeldBytes(50_000)
    play = curtain(held=held)
    play >> PUT % 40_000 + b"x" * 30_000
    assert held.bytes == 30_000
    play >> LOST
    assert held.bytes == 0


async def test_what_was_sent_ahead_is_held_and_given_up_where_there_is_no_room(curtain: Raise) -> None:
    held = HeldBytes(50_000)
    play = curtain(held=held)
    play >> GET
    play << Handed("GET /any")
    play >> GET * 700
    assert held.by_kind["ahead"] == 700 * len(GET)
    held.open("reply", "192.0.2.9").add(49_000 - 500 * len(GET))
    play << STOPS if 700 * len(GET) > HEAD_BYTES_MAX else None
    assert held.by_kind["ahead"] == 0
    play >> GET
    play >> Says()
    play << LAST << Over(200) << ENDED << READS_AGAIN


async def test_what_a_client_does_not_read_is_held_and_cut_off_where_there_is_no_room(curtain: Raise) -> None:
    held = HeldBytes(200_000)
    play = curtain(held=held)
    play >> GET
    play << Handed("GET /any")
    play >> Begins(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n")
    play.replied(200)
    play.transport.unsent = 100_000
    play >> FULL
    play << PAUSED
    assert held.by_kind["unsent"] == 100_000
    held.open("reply", "192.0.2.9").add(150_000)
    play << ABORTED
    assert held.by_kind["unsent"] == 0
    play >> LOST
    play << CANCELLED << Over(200, "gateway")
