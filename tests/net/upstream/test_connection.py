"""A connection to a shard, as conversations: `>>` happens to it, `<<` is what it does."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shardgate.core.limits import (
    BODY_BYTES_AT_ONCE,
    CHUNKS_BYTES_AT_ONCE,
    HEAD_BYTES_MAX,
    INTERIM_BYTES_MAX,
    INTERIM_REPLIES_MAX,
)
from tests.net.screenplay import ABORTED, EMPTY, FULL, LOST, READS_AGAIN, RESET, Passes
from tests.net.screenplay import STOPS_READING as STOPS
from tests.net.upstream.play import (
    AGAIN,
    GIVEN_BACK,
    PAUSED,
    RELEASED,
    RESUMED,
    WHOLE,
    Data,
    End,
    Failed,
    Head,
    Interim,
    Switched,
    Uploading,
    UpstreamPlay,
    Whole,
)
from tests.waiting import one_turn

SENT = b"GET /any HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TO_THE_END = b"HTTP/1.0 200 OK\r\n\r\n"
WEBSOCKET = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

Raise = Callable[[], UpstreamPlay]


@pytest.fixture
def curtain() -> Iterator[Raise]:
    plays: list[UpstreamPlay] = []

    def begin() -> UpstreamPlay:
        plays.append(UpstreamPlay())
        return plays[-1]

    yield begin
    for play in plays:
        play.is_over()


# Replies.


def test_a_reply_in_one_piece_gives_the_connection_back(curtain: Raise) -> None:
    play = curtain()
    for _ in range(2):
        play.call()
        play << SENT
        play >> OK
        play << Whole(200, b"ok") << RELEASED


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-More: 1\r\n\r\nok", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij", 200),
        (b"HTTP/1.1 404 Gone\r\nContent-Length: 2\r\n\r\nno", 404),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Gone\r\nContent-Length: 2\r\n\r\nno", 404),
    ],
)
def test_a_head_that_begins_as_the_last_one_did_is_read_anew(curtain: Raise, said: bytes, status: int) -> None:
    play = curtain()
    for _ in range(2):  # the second one has the head of the first
        play.call()
        play << SENT
        play >> OK
        play << Whole(200, b"ok") << RELEASED
    play.call()
    play << SENT
    play >> said
    if b" 103 " in said:
        play << Interim(103)
    play << Whole(status, said.rpartition(b"\r\n\r\n")[2]) << RELEASED
    play.call()
    play << SENT
    play >> OK
    play << Whole(200, b"ok") << RELEASED


def test_the_end_of_a_head_that_is_the_last_one_may_come_later(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> OK
    play << Whole(200, b"ok") << RELEASED
    head = OK.removesuffix(b"\r\nok")
    for cut in (len(head), len(head) + 1):
        play.call()
        play << SENT
        play >> OK[:cut]
        play >> OK[cut:]
        play << Whole(200, b"ok") << RELEASED


def test_a_reply_may_come_in_single_bytes(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    for number in range(len(OK)):
        play >> OK[number : number + 1]
    play << Head(200) << Data(b"o") << Data(b"k") << RELEASED << End()


def test_a_chunked_reply_ends_with_its_trailers(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> CHUNKED + b"2\r\nab\r\n"
    play << Head(200, b"ab")
    play >> b"1\r\nc\r\n0\r\nSum: 1\r\n\r\n"
    play << Data(b"c") << RELEASED << End(b"Sum: 1\r\n")


def test_a_reply_without_a_length_ends_with_its_connection(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> TO_THE_END + b"ab"
    play << Head(200, b"ab")
    play >> LOST
    play << GIVEN_BACK << End()


def test_interim_replies_come_before_the_reply(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + OK
    play << Interim(103) << Whole(200, b"ok") << RELEASED


def test_a_receiver_that_pauses_at_a_whole_reply_leaves_the_connection_reading(curtain: Raise) -> None:
    """Found: a list that was large with its last reply paused all its calls; the next call on that connection got no
    byte for 20 s."""
    play = curtain()
    call = play.call()
    play << SENT
    take = call.sink.reply_whole

    def pause(head: Any, body: bytes) -> None:
        take(head, body)
        call.pause()

    call.sink.reply_whole = pause  # type: ignore[method-assign]
    play >> OK
    play << Whole(200, b"ok") << STOPS << READS_AGAIN << RELEASED


def test_a_receiver_that_pauses_at_the_end_leaves_the_connection_reading(curtain: Raise) -> None:
    """Found: the last bytes of a reply that the gateway compressed made its client slow; that paused a connection which
    was free again, and the next call on it got no byte."""
    play = curtain()
    call = play.call()
    play << SENT
    take = call.sink.reply_end

    def pause(trailers: bytes) -> None:
        take(trailers)
        call.wait_for_client()
        call.resume()

    call.sink.reply_end = pause  # type: ignore[method-assign]
    play >> CHUNKED + b"2\r\nok\r\n0\r\n\r\n"
    play << Head(200, b"ok") << RELEASED << End()


async def test_very_many_chunks_are_read_in_turns_of_the_loop(curtain: Raise) -> None:
    """Found: 256 KiB in chunks of one byte held up the loop for 100 ms."""
    play = curtain()
    play.call()
    play << SENT
    count = CHUNKS_BYTES_AT_ONCE // 2
    play >> CHUNKED + b"1\r\nx\r\n" * count + b"0\r\n\r\n"
    play << STOPS
    got = len(play.log.pop(0).data)
    assert 0 < got < count
    while End() not in play.log:
        assert play.log.count(STOPS) <= 3 * count
        await one_turn()
    assert got + sum(len(each.data) for each in play.log if isinstance(each, Data)) == count
    assert RELEASED in play.log
    assert [each for each in play.log if each in (STOPS, READS_AGAIN)][-1] == READS_AGAIN
    play.log.clear()


async def test_a_long_reply_gives_others_their_turn_of_the_loop(curtain: Raise) -> None:
    """Found: one turn of the loop read 8 MB of one connection."""
    play = curtain()
    play.call()
    play << SENT
    piece = b"x" * (BODY_BYTES_AT_ONCE // 4)
    play >> LENGTH % (len(piece) * 8)
    play << Head(200)
    for _ in range(4):
        play >> piece
        play << Data(piece)
    play >> piece
    play << STOPS << Data(piece)
    await one_turn()
    play << READS_AGAIN
    for _ in range(3):
        play >> piece
    play << Data(piece) << Data(piece) << Data(piece) << RELEASED << End()


async def test_a_receiver_that_pauses_often_makes_no_more_turns(curtain: Raise) -> None:
    """Found: each pause between two turns added a turn to every round of the loop."""
    play = curtain()
    play.call()
    play << SENT
    play >> CHUNKED + b"1\r\nx\r\n" * CHUNKS_BYTES_AT_ONCE
    for _ in range(3):
        play.protocol.pause_reading()
        play.protocol.resume_reading()
    turn = play.protocol._turn
    play.protocol.resume_reading()
    assert play.protocol._turn is turn is not None
    play.protocol.pause_reading()
    play.log.clear()
    await one_turn()
    assert play.log == []


def test_interim_replies_without_end_are_a_broken_reply(curtain: Raise) -> None:
    """Found: 9 MB of `HTTP/1.1 100` held up the loop for 7 s."""
    play = curtain()
    play.call()
    play << SENT
    for _ in range(2):
        play >> b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_REPLIES_MAX // 2)
    play >> b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000
    play << ABORTED << Failed("SG2002")


def test_interim_replies_with_many_bytes_are_a_broken_reply(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % (b"x" * (INTERIM_BYTES_MAX // 4))
    for _ in range(3):
        play >> hints
        play << Interim(103)
    play >> hints
    play << ABORTED << Failed("SG2002")


def test_the_next_call_of_a_connection_may_have_interim_replies_again(curtain: Raise) -> None:
    play = curtain()
    for _ in range(2):
        play.call()
        play << SENT
        play >> b"HTTP/1.1 100 Continue\r\n\r\n" * INTERIM_REPLIES_MAX + OK
        play << Whole(200, b"ok") << RELEASED


@pytest.mark.parametrize("line", [b"HEAD /any", b"GET /any"])
def test_a_reply_without_a_body_ends_with_its_head(curtain: Raise, line: bytes) -> None:
    play = curtain()
    play.call(line=line)
    play << line + b" HTTP/1.1\r\n\r\n"
    status = 200 if line.startswith(b"HEAD") else 304
    play >> b"HTTP/1.1 %d X\r\nContent-Length: 9\r\n\r\n" % status
    play << Head(status) << RELEASED << End()


def test_the_shard_is_read_no_faster_than_the_sink_takes(curtain: Raise) -> None:
    play = curtain()
    call = play.call()
    play << SENT
    play >> LENGTH % 4 + b"ab"
    play << Head(200, b"ab")
    call.pause()
    play << STOPS
    call.resume()
    play << READS_AGAIN
    call.pause()
    play << STOPS
    play >> b"cd"  # it was on its way
    play << Data(b"cd") << READS_AGAIN << RELEASED << End()


# What a shard does wrong.


def test_more_bytes_than_were_announced_end_the_trust_in_the_connection(curtain: Raise) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> OK + b"HTTP/1.1 200 OK\r\n"
    play << Head(200, b"ok") << ABORTED << End()


def test_bytes_that_nobody_asked_for_end_the_connection(curtain: Raise) -> None:
    play = curtain()
    play >> OK
    play << ABORTED


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * HEAD_BYTES_MAX,
        CHUNKED + b"0x2\r\nab\r\n",
        WEBSOCKET,  # nobody offered it
    ],
)
def test_a_reply_that_cannot_be_read_fails_the_call(curtain: Raise, said: bytes) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> said
    play << ABORTED << Failed("SG2002")


@pytest.mark.parametrize("said", [b"HTTP/1.1 2", LENGTH % 9 + b"ab", CHUNKED + b"2\r\na"])
def test_a_reply_that_breaks_off_fails_the_call(curtain: Raise, said: bytes) -> None:
    play = curtain()
    play.call()
    play << SENT
    play >> said
    if len(said) > 20:
        assert play.log.pop(0).status == 200
    play >> RESET
    play << GIVEN_BACK << Failed("SG2002")


def test_a_connection_that_closes_while_it_is_written_to_may_be_tried_again_once(curtain: Raise) -> None:
    play = curtain()
    play.again_used()
    call = play.call()
    play << SENT
    play >> LOST
    play << GIVEN_BACK << AGAIN
    other = curtain()
    other.again_used()
    other.protocol.send(call)
    other << SENT
    other >> LOST
    other << GIVEN_BACK
    play << Failed("SG2002")


def test_a_change_is_never_sent_twice(curtain: Raise) -> None:
    play = curtain()
    play.again_used()
    play.call(line=b"POST /any", body=b"x")
    play << b"POST /any HTTP/1.1\r\n\r\nx"
    play >> LOST
    play << GIVEN_BACK << Failed("SG2008")


# Uploads, and other protocols.


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_upload_goes_on_while_it_comes(curtain: Raise, is_chunked: bool) -> None:
    play = curtain()
    upload = Uploading(play.log, is_chunked)
    call = play.call(line=b"PUT /any", upload=upload)
    play << b"PUT /any HTTP/1.1\r\n\r\n"
    call.body_data(b"abc")
    play << (b"3\r\nabc\r\n" if is_chunked else b"abc")
    play >> FULL
    play << PAUSED
    play >> EMPTY
    play << RESUMED
    call.body_end(b"")
    if is_chunked:
        play << b"0\r\n\r\n"
    play >> OK
    play << Whole(200, b"ok") << RELEASED


def test_a_reply_before_the_upload_is_whole_ends_the_connection(curtain: Raise) -> None:
    play = curtain()
    play.call(line=b"PUT /any", upload=Uploading(play.log))
    play << b"PUT /any HTTP/1.1\r\n\r\n"
    play >> OK
    play << Whole(200, b"ok") << ABORTED


def test_a_reply_before_its_request_has_left_ends_the_connection(curtain: Raise) -> None:
    play = curtain()
    play.call(line=b"PUT /any", body=b"x")
    play << b"PUT /any HTTP/1.1\r\n\r\nx"
    play.transport.unsent = 1
    play >> OK
    play << Whole(200, b"ok") << ABORTED


def test_a_shard_may_switch_to_what_was_offered(curtain: Raise) -> None:
    play = curtain()
    play.call(offers=b"websocket")
    play << SENT
    play >> WEBSOCKET + b"first"
    play << Switched(b"first")


# Patience.


def failed(play: UpstreamPlay, call: Any) -> Any:
    """The error that the call has ended with."""
    play << ABORTED << Failed("SG2003")
    return call.sink.error


def test_a_shard_that_takes_the_request_and_says_nothing_is_given_up_by_a_patience_of_its_own(curtain: Raise) -> None:
    play = curtain()
    call = play.call()
    play << SENT
    play >> Passes(19)
    play >> Passes(2)
    error = failed(play, call)
    assert error.another_may_answer
    assert error.log.startswith("no byte of a reply came within first_byte_timeout_s (20 s)")


def test_a_change_that_a_shard_took_is_not_for_another_one(curtain: Raise) -> None:
    play = curtain()
    call = play.call(line=b"POST /any", body=b"x")
    play << b"POST /any HTTP/1.1\r\n\r\nx"
    play >> Passes(21)
    assert not failed(play, call).another_may_answer


@pytest.mark.parametrize("first", [b"HTTP/1.1 2", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_with_the_first_byte_the_patience_is_that_of_the_request(curtain: Raise, first: bytes) -> None:
    play = curtain()
    call = play.call()
    play << SENT
    play >> first
    if b"103" in first:
        play << Interim(103)
    play >> Passes(29)
    play >> Passes(2)
    error = failed(play, call)
    assert not error.another_may_answer
    assert error.log.startswith("the reply took longer than request_timeout_s (30 s)")


def test_the_first_byte_is_waited_for_from_when_the_request_has_left(curtain: Raise) -> None:
    play = curtain()
    call = play.call(line=b"PUT /any", body=b"x" * 9)
    play << b"PUT /any HTTP/1.1\r\n\r\n" + b"x" * 9
    play.transport.unsent = 5
    play >> Passes(21)
    play.transport.unsent = 0
    play >> Passes(8)
    play >> Passes(2)  # it is no longer than the request's
    assert failed(play, call).log.startswith("the reply took longer than request_timeout_s (30 s)")


def test_an_upload_has_as_long_as_it_moves_and_then_the_first_byte_its_time(curtain: Raise) -> None:
    play = curtain()
    upload = Uploading(play.log)
    call = play.call(line=b"PUT /any", upload=upload)
    play << b"PUT /any HTTP/1.1\r\n\r\n"
    play >> Passes(25)  # nothing of the body has come yet
    for _ in range(3):
        call.body_data(b"x")
        play << b"x"
        play >> Passes(59)
    call.body_end(b"")
    play >> Passes(19)
    play >> Passes(2)
    assert "first_byte_timeout_s" in failed(play, call).log


def test_an_upload_that_does_not_move_is_given_up(curtain: Raise) -> None:
    play = curtain()
    call = play.call(line=b"PUT /any", upload=Uploading(play.log))
    play << b"PUT /any HTTP/1.1\r\n\r\n"
    call.body_data(b"x")
    play << b"x"
    play >> Passes(61)
    assert failed(play, call).log.startswith("no byte of a body moved for 60 s")


def test_a_reply_that_streams_has_as_long_as_it_moves(curtain: Raise) -> None:
    play = curtain()
    call = play.call()
    play << SENT
    play >> LENGTH % 9 + b"ab"
    play << Head(200, b"ab")
    for _ in range(3):
        play >> Passes(59)
        play >> b"c"
        play << Data(b"c")
    play >> Passes(61)
    assert failed(play, call).log.startswith("no byte of a body moved for 60 s")


def test_a_reply_that_is_merged_must_be_whole_in_time_however_it_moves(curtain: Raise) -> None:
    play = curtain()
    call = play.call(**WHOLE)
    play << SENT
    play >> LENGTH % 9 + b"ab"
    play << Head(200, b"ab")
    play >> Passes(25)
    play >> b"c"
    play << Data(b"c")
    play >> Passes(6)
    assert failed(play, call).log.startswith("the reply took longer than request_timeout_s (30 s)")


def test_a_reply_that_drips_ends_with_its_whole_time(curtain: Raise) -> None:
    play = curtain()
    call = play.call(total_s=100.0)
    play << SENT
    play >> LENGTH % 9 + b"ab"
    play << Head(200, b"ab")
    for _ in range(3):
        play >> Passes(33)
        play >> b"c"
        play << Data(b"c")
    play >> Passes(2)
    assert failed(play, call).log.startswith("request and reply took longer than request_total_timeout_s (100 s)")


def test_a_stream_of_events_may_say_nothing_for_long(curtain: Raise) -> None:
    play = curtain()
    call = play.call()
    play << SENT
    play >> CHUNKED
    play << Head(200)
    call.may_be_silent(300)
    play >> Passes(299)
    play >> Passes(2)
    assert failed(play, call).log.startswith("no byte of a body moved for 300 s")


def test_another_try_has_only_the_time_that_is_left(curtain: Raise) -> None:
    play, other = curtain(), curtain()
    first = play.call()
    play << SENT
    play >> Passes(21)
    failed(play, first)
    other.clock.at = play.clock.at
    second = other.call()
    second.continues(first)
    other << SENT
    other >> Passes(8)
    other >> Passes(2)
    failed(other, second)
