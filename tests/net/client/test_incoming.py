"""A request's body on its way in: held or handed on, in its bounds and its time."""

import sys
from math import inf
from typing import Any

import pytest

from shardgate.core.errors import ShardgateError
from shardgate.core.held import HeldBytes
from shardgate.core.limits import BODY_BYTES_AT_ONCE, CHUNKS_BYTES_AT_ONCE, SMALL_BODY_BYTES_MAX
from shardgate.core.wire.request_head import RequestHeadParser
from shardgate.net.client.contracts import Settings
from shardgate.net.client.incoming import IncomingBody
from shardgate.net.watch import Watch
from tests.net.client.play import SETTINGS
from tests.net.screenplay import READS_AGAIN, Clock, Transport
from tests.net.screenplay import STOPS_READING as STOPS
from tests.waiting import one_turn


class Owner:
    """The connection, and a shard that takes the body; both note what they get."""

    peer = "127.0.0.1"

    def __init__(self, framing: bytes, fields: bytes = b"", **settings: Any) -> None:
        self.log: list[Any] = []
        self.clock = Clock()
        self.watch = Watch(self.clock)
        asked = RequestHeadParser().parse(b"PUT /any HTTP/1.1\r\nHost: a\r\n" + fields + framing + b"\r\n")
        configured = Settings(**SETTINGS | settings)
        self.body = IncomingBody(self, asked, Transport(self.log), configured, self.watch)

    def body_whole(self, body: IncomingBody) -> None:
        self.log.append("whole")
        body.end()

    def body_refused(self, error: ShardgateError) -> None:
        self.log.append(error.code)
        self.body.end()

    def body_data(self, data: bytes) -> None:
        self.log.append(("data", data))

    def body_end(self, trailers: bytes) -> None:
        self.log.append(("end", trailers))

    def passes(self, seconds: float) -> None:
        self.clock.at += seconds
        self.watch.look()


LENGTH = b"Content-Length: 4"
CHUNKED = b"Transfer-Encoding: chunked"


def test_a_held_body_is_whole_with_its_last_byte_and_what_follows_is_left() -> None:
    owner = Owner(LENGTH)
    for piece in (b"a", b"bc"):
        owner.body.feed(piece)
    assert owner.log == []
    owner.body.feed(b"dGET")
    assert owner.log == ["whole"]
    assert (owner.body.whole(), owner.body.rest, owner.body.size) == (b"abcd", b"GET", 4)


def test_what_was_held_goes_to_who_takes_it_and_then_each_piece_as_it_comes() -> None:
    owner = Owner(CHUNKED)
    owner.body.feed(b"1\r\na\r\n1\r\nb\r\n")
    owner.body.wait()
    owner.body.stream_to(owner)
    assert owner.log == [STOPS, ("data", b"ab"), READS_AGAIN]
    owner.body.feed(b"1\r\nc\r\n0\r\nSum: 1\r\n\r\n")
    assert owner.log[3:] == [("data", b"c"), ("end", b""), "whole"]


def test_trailers_pass_where_the_configuration_lets_them() -> None:
    owner = Owner(CHUNKED, passes_trailers=True)
    owner.body.stream_to(owner)
    owner.body.feed(b"0\r\nSum: 1\r\n\r\n")
    assert ("end", b"Sum: 1\r\n") in owner.log


def test_a_body_that_came_whole_before_anybody_took_it_ends_when_somebody_does() -> None:
    owner = Owner(LENGTH)
    owner.body.wait()
    owner.body.feed(b"abcd")
    assert owner.log == [STOPS]
    owner.body.stream_to(owner)
    assert owner.log == [STOPS, ("data", b"abcd"), READS_AGAIN, ("end", b""), "whole"]


def test_a_100_goes_out_only_when_the_body_is_wanted_and_nothing_of_it_came() -> None:
    asks = b"Expect: 100-continue\r\n"
    owner = Owner(LENGTH, asks)
    owner.body.wait()
    assert owner.log == [STOPS]
    owner.body.collect()
    assert owner.log == [STOPS, b"HTTP/1.1 100 Continue\r\n\r\n", READS_AGAIN]
    hasty = Owner(LENGTH, asks)
    hasty.body.feed(b"a")
    hasty.body.collect()
    assert hasty.log == [READS_AGAIN]


@pytest.mark.parametrize("held", [True, False])
def test_no_more_is_taken_than_the_bound(held: bool) -> None:
    owner = Owner(CHUNKED, body_bytes_max=5, held_body_bytes_max=3)
    if held:
        owner.body.collect()
    owner.body.feed(b"3\r\nabc\r\n")
    assert "SG1006" not in owner.log
    owner.body.feed(b"3\r\nabc\r\n")
    assert owner.log[-1] == "SG1006"


def test_a_body_that_is_announced_longer_than_may_be_held_is_refused_when_it_must_be() -> None:
    owner = Owner(LENGTH, held_body_bytes_max=3)
    owner.body.collect()
    assert owner.log == ["SG1006"]


def test_a_malformed_chunk_is_refused() -> None:
    owner = Owner(CHUNKED)
    owner.body.feed(b"0x1\r\na\r\n")
    assert owner.log == ["SG1001"]


def test_each_piece_has_its_time_and_a_held_body_one_in_all() -> None:
    owner = Owner(CHUNKED, header_timeout_s=30, total_timeout_s=70)
    for _ in range(2):
        owner.passes(29)
        owner.body.feed(b"1\r\na\r\n")
    owner.passes(11)
    assert owner.log == []
    owner.passes(2)
    assert owner.log == ["SG1013"]


def test_a_body_that_streams_has_as_long_as_it_moves() -> None:
    owner = Owner(CHUNKED, header_timeout_s=30, total_timeout_s=70)
    owner.body.stream_to(owner)
    for _ in range(10):
        owner.passes(29)
        owner.body.feed(b"1\r\na\r\n")
    assert "SG1013" not in owner.log
    owner.passes(31)
    assert owner.log[-1] == "SG1013"


def test_a_body_that_drips_below_the_minimum_rate_is_refused_though_each_piece_comes_in_time() -> None:
    owner = Owner(CHUNKED, body_bytes_per_s_min=240)
    owner.body.feed(b"1\r\na\r\n")
    owner.passes(20)
    owner.body.feed(b"1\r\na\r\n")
    assert owner.log == []
    owner.passes(11)
    assert owner.log == ["SG1013"]


def test_a_body_at_the_minimum_rate_has_as_long_as_it_takes() -> None:
    owner = Owner(CHUNKED, body_bytes_per_s_min=240)
    for _ in range(100):
        owner.passes(10)
        owner.body.feed(b"960\r\n" + b"a" * 2400 + b"\r\n")
    assert owner.log == []


def test_what_came_quickly_buys_no_more_than_the_time_for_a_head() -> None:
    owner = Owner(CHUNKED, body_bytes_per_s_min=1)
    owner.body.feed(b"f4240\r\n" + b"a" * 1_000_000 + b"\r\n")
    owner.passes(29)
    assert owner.log == []
    owner.passes(2)
    assert owner.log == ["SG1013"]


def test_time_in_which_the_gateway_does_not_read_is_not_the_clients() -> None:
    owner = Owner(CHUNKED, body_bytes_per_s_min=240)
    owner.body.stream_to(owner)
    owner.passes(29)
    owner.body.pause()
    owner.passes(100)
    owner.body.resume()
    owner.passes(29)
    assert "SG1013" not in owner.log


@pytest.mark.parametrize(("framing", "last"), [(LENGTH, b"d"), (CHUNKED, b"1\r\nd\r\n0\r\n\r\n")])
def test_a_short_body_is_enough_when_it_is_whole(framing: bytes, last: bytes) -> None:
    owner = Owner(framing)
    owner.body.wait()
    owner.body.await_enough(lambda: owner.log.append("enough"))
    owner.body.feed(b"abc" if framing is LENGTH else b"3\r\nabc\r\n")
    assert owner.log == [STOPS, READS_AGAIN]
    owner.body.feed(last)
    assert owner.log == [STOPS, READS_AGAIN, STOPS, "enough"]
    owner.body.stream_to(owner)
    assert owner.log[4:7] == [("data", b"abcd"), READS_AGAIN, ("end", b"")]
    assert owner.log[-1] == "whole"


def test_a_long_body_is_enough_when_as_much_has_come_as_a_short_one_may_have() -> None:
    owner = Owner(CHUNKED)
    owner.body.wait()
    owner.body.await_enough(lambda: owner.log.append("enough"))
    half = SMALL_BODY_BYTES_MAX // 2
    piece = b"%x\r\n%b\r\n" % (half, b"a" * half)
    owner.body.feed(piece)
    assert "enough" not in owner.log
    owner.body.feed(piece)
    assert owner.log == [STOPS, READS_AGAIN, STOPS, "enough"]
    assert owner.body.deadline_at == inf


def test_enough_may_have_come_before_it_is_waited_for() -> None:
    owner = Owner(LENGTH)
    owner.body.wait()
    owner.body.feed(b"abcd")
    owner.body.await_enough(lambda: owner.log.append("enough"))
    assert owner.log == [STOPS, "enough"]


def test_an_empty_body_that_waits_for_a_100_gets_one() -> None:
    owner = Owner(CHUNKED, b"Expect: 100-continue\r\n")
    owner.body.wait()
    owner.body.await_enough(lambda: owner.body.stream_to(owner))
    owner.body.feed(b"0\r\n\r\n")
    assert owner.log.count(b"HTTP/1.1 100 Continue\r\n\r\n") == 1
    assert owner.log[-1] == "whole"


def test_a_body_that_waits_to_be_enough_has_its_time() -> None:
    owner = Owner(CHUNKED)
    owner.body.wait()
    owner.passes(1000)
    owner.body.await_enough(lambda: owner.log.append("enough"))
    owner.passes(29)
    assert "SG1013" not in owner.log
    owner.passes(2)
    assert owner.log[-1] == "SG1013"


def test_while_the_shard_is_slow_the_client_has_time() -> None:
    owner = Owner(CHUNKED)
    owner.body.stream_to(owner)
    owner.body.pause()
    assert owner.body.deadline_at == inf
    owner.passes(10_000)
    owner.body.resume()
    owner.passes(29)
    assert "SG1013" not in owner.log


def test_what_is_held_of_a_body_is_counted_until_it_is_taken() -> None:
    held = HeldBytes(1000)
    owner = Owner(CHUNKED, held=held)
    for _ in range(100):
        owner.body.feed(b"1\r\na\r\n")
    assert held.by_kind["request"] == 100
    owner.body.stream_to(owner)
    assert (held.bytes, owner.log[0]) == (0, ("data", b"a" * 100))
    owner.body.feed(b"1\r\na\r\n")
    assert held.bytes == 0


def test_a_whole_body_stays_counted_and_is_not_refused_any_more() -> None:
    held = HeldBytes(10)
    owner = Owner(LENGTH, held=held)
    owner.body.feed(b"abcd")
    assert (owner.body.whole(), held.bytes) == (b"abcd", 4)
    held.open("request").add(20)
    assert owner.log == ["whole"]
    owner.body.forget()
    assert held.bytes == 20


def test_a_body_that_there_is_no_room_for_is_refused_and_forgotten() -> None:
    held = HeldBytes(10)
    owner = Owner(b"Content-Length: 12", held=held)
    owner.body.feed(b"abcdef")
    owner.body.feed(b"ghijkl")
    assert (owner.log, held.bytes) == (["SG4001"], 0)


def test_a_byte_a_piece_takes_no_more_memory_than_its_bytes() -> None:
    owner = Owner(CHUNKED)
    owner.body.collect()
    for _ in range(1000):
        owner.body.feed(b"1\r\na\r\n")
    assert sys.getsizeof(owner.body._held) < 1500


TINY = b"1\r\nx\r\n"
MANY = 4 * CHUNKS_BYTES_AT_ONCE // len(TINY)


async def test_very_many_chunks_of_a_body_are_read_in_turns_of_the_loop() -> None:
    """Found: 1 MB in chunks of one byte held up the loop for 1.7 s."""
    owner = Owner(CHUNKED)
    owner.body.stream_to(owner)
    owner.log.clear()
    owner.body.feed(TINY * MANY + b"0\r\n\r\nGET")
    assert [each if each == STOPS else each[0] for each in owner.log] == [STOPS, "data"]
    while "whole" not in owner.log:
        await one_turn()
    pieces = [each[1] for each in owner.log if isinstance(each, tuple) and each[0] == "data"]
    assert b"".join(pieces) == b"x" * MANY
    assert all(0 < len(piece) <= CHUNKS_BYTES_AT_ONCE // len(TINY) + 1 for piece in pieces)
    assert owner.body.rest == b"GET"
    turns = [each for each in owner.log if each in (STOPS, READS_AGAIN)]
    assert turns == [STOPS, READS_AGAIN] * (len(turns) // 2)
    owner.log.clear()
    await one_turn()
    assert owner.log == []


async def test_what_came_behind_a_body_in_very_many_chunks_is_left() -> None:
    owner = Owner(CHUNKED)
    behind = b"\r\n" * CHUNKS_BYTES_AT_ONCE
    owner.body.feed(b"1\r\nx\r\n0\r\n\r\n" + behind)
    assert owner.log == [STOPS, READS_AGAIN, "whole"]
    assert owner.body.rest == behind
    await one_turn()
    assert owner.log == [STOPS, READS_AGAIN, "whole"]


async def test_a_shard_that_is_slow_stops_the_turns_of_a_body() -> None:
    owner = Owner(CHUNKED)
    owner.body.stream_to(owner)
    owner.body.feed(TINY * MANY)
    for _ in range(3):
        owner.body.pause()
        owner.body.resume()
    owner.body.pause()
    came = owner.body.size
    await one_turn()
    assert owner.body.size == came
    owner.body.resume()
    turn = owner.body._turn
    owner.body.read_on()
    owner.body.resume()
    assert owner.log[-1] == STOPS
    assert owner.body._turn is turn is not None
    await one_turn()
    assert owner.body.size > came


async def test_a_body_that_is_over_awaits_no_turn() -> None:
    owner = Owner(CHUNKED)
    owner.body.feed(TINY * MANY + b"z")
    owner.body.forget()
    owner.log.clear()
    await one_turn()
    assert owner.log == []


async def test_a_long_body_gives_others_their_turn_of_the_loop() -> None:
    """Found: one turn of the loop read 8 MB of one body."""
    owner = Owner(b"Content-Length: 9999999", held_body_bytes_max=9_999_999)
    piece = b"x" * (BODY_BYTES_AT_ONCE // 4)
    for _ in range(4):
        owner.body.feed(piece)
    assert owner.log == []
    owner.body.feed(piece)
    assert owner.log == [STOPS]
    await one_turn()
    assert owner.log == [STOPS, READS_AGAIN]
    owner.body.forget()
