"""A pool over fake connections: who is sent on which, who waits, and what is closed."""

import pytest

from shardgate.core.http import ReplyHead
from shardgate.core.wire.addresses import ShardAddresses
from tests.net.screenplay import ABORTED
from tests.net.upstream.play import Failed, PoolPlay, Whole, turns

SENT = b"GET /any HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ANSWERED = [Whole(200, b"ok")]


async def test_an_idle_connection_is_used_again() -> None:
    play = PoolPlay()
    for _ in range(3):
        await play.call()
        (connection,) = play.opened
        assert connection.took() == SENT
        connection.says(OK)
    assert play.log == ANSWERED * 3
    assert play.pool.figures() == (1, 1, 0, 0)


async def test_calls_beyond_the_bound_wait_and_are_served_in_their_order() -> None:
    play = PoolPlay(connections_max=1, waiting_max=2)
    for line in (b"GET /1", b"GET /2", b"GET /3"):
        await play.call(line)
    assert play.pool.figures() == (1, 0, 2, 2)
    (connection,) = play.opened
    for line in (b"GET /1", b"GET /2", b"GET /3"):
        assert connection.took().startswith(line)
        connection.says(OK)
    assert play.log == ANSWERED * 3


async def test_calls_beyond_both_bounds_are_refused() -> None:
    play = PoolPlay(connections_max=1, waiting_max=1)
    for _ in range(3):
        await play.call()
    assert play.log == [Failed("SG4001")]


async def test_a_call_that_is_over_leaves_the_queue_unsent() -> None:
    play = PoolPlay(connections_max=1)
    await play.call(b"GET /1")
    (await play.call(b"GET /2")).cancel()
    await play.call(b"GET /3")
    (connection,) = play.opened
    connection.took()
    connection.says(OK)
    assert connection.took().startswith(b"GET /3")


async def test_the_first_byte_is_waited_for_from_when_a_connection_became_free() -> None:
    play = PoolPlay(connections_max=1)
    first = await play.call(b"GET /1", reply_s=100.0)
    second = await play.call(b"GET /2", reply_s=100.0)
    (connection,) = play.opened
    connection.took()
    play.passes(19)
    connection.says(OK)
    assert connection.took().startswith(b"GET /2")
    play.passes(19)
    assert not second.done
    play.passes(2)
    assert first.done
    assert play.log == [*ANSWERED, Failed("SG2003")]
    assert "first_byte_timeout_s" in second.sink.error.log  # type: ignore[attr-defined]


async def test_a_call_that_waits_for_a_connection_has_the_whole_time_of_the_request() -> None:
    play = PoolPlay(connections_max=1)
    await play.call(b"GET /1", first_byte_s=30.0)
    waits = await play.call(b"GET /2")
    play.passes(29)
    assert not waits.done
    play.passes(2)
    assert "no connection became free within request_timeout_s" in waits.sink.error.log  # type: ignore[attr-defined]


async def test_a_shard_that_is_down_fails_the_call_and_lets_the_next_one_try() -> None:
    play = PoolPlay(connections_max=1)
    play.dialler.may_connect.clear()
    play.dialler.is_down = True
    for _ in range(2):
        await play.call()
    play.dialler.may_connect.set()
    await turns()
    await turns()
    assert play.log == [Failed("SG2001")] * 2
    assert play.pool.figures()[0] == 0


async def test_a_connection_that_came_too_late_for_its_call_serves_another() -> None:
    play = PoolPlay(connections_max=1)
    play.dialler.may_connect.clear()
    (await play.call(b"GET /1")).cancel()
    await play.call(b"GET /2")
    play.dialler.may_connect.set()
    await turns()
    (connection,) = play.opened
    assert connection.took().startswith(b"GET /2")


async def test_connections_that_idle_too_long_are_closed() -> None:
    play = PoolPlay()
    await play.call()
    (connection,) = play.opened
    connection.took()
    connection.says(OK)
    play.passes(3.9)
    assert connection.log == []
    play.passes(0.2)
    assert connection.log == [ABORTED]


@pytest.mark.parametrize(("line", "opened"), [(b"GET /any", 1), (b"POST /any", 2)])
async def test_a_change_is_not_sent_on_a_connection_that_has_idled(line: bytes, opened: int) -> None:
    play = PoolPlay()
    await play.call()
    play.opened[0].took()
    play.opened[0].says(OK)
    play.passes(1.5)
    await play.call(line)
    assert len(play.opened) == opened
    assert play.opened[-1].took().startswith(line)


async def test_a_read_whose_connection_just_closed_is_sent_again_on_a_new_one() -> None:
    play = PoolPlay()
    await play.call()
    play.opened[0].took()
    play.opened[0].says(OK)
    await play.call()
    play.opened[0].ends()
    await turns()
    assert play.opened[1].took() == SENT
    play.opened[1].says(OK)
    assert play.log == ANSWERED * 2


async def test_clients_that_do_not_read_keep_only_a_share_of_the_connections_while_others_wait() -> None:
    play = PoolPlay(connections_max=4, waiting_max=9)
    slow = [await play.call(b"GET /slow") for _ in range(4)]
    for connection, call in zip(play.opened, slow, strict=True):
        connection.says(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        call.wait_for_client()
        play.passes(1)
    play.passes(9)
    assert not any(call.done for call in slow)  # nobody waits
    await play.call(b"GET /1")
    play.passes(0.25)
    assert [call.done for call in slow] == [True, True, True, False]
    assert slow[0].sink.error.budget == "shard_slow_readers"  # type: ignore[attr-defined]
    assert slow[0].sink.error.code == "SG1025"  # type: ignore[attr-defined]


async def test_a_client_that_reads_again_is_not_slow() -> None:
    play = PoolPlay(connections_max=1, waiting_max=9)
    call = await play.call(b"GET /slow")
    play.opened[0].says(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    call.wait_for_client()
    await play.call(b"GET /1")
    play.passes(1)
    call.resume()
    play.passes(5)
    call.pause()  # a gather waits for another shard
    play.passes(5)
    assert not call.done


async def test_a_pool_that_is_closed_keeps_no_connection() -> None:
    play = PoolPlay()
    await play.call(b"GET /1")
    await play.call(b"GET /2")
    first, second = play.opened
    first.took()
    first.says(OK)
    play.pool.close()
    assert first.log == [ABORTED]
    second.took()
    second.says(OK)
    assert second.log == [ABORTED]
    assert play.log == ANSWERED * 2


# An address that hangs.


async def test_an_address_that_hung_is_not_refused_to_calls_for_the_sake_of_those_that_are_lost() -> None:
    """Found: after a hang of 12 s, its calls held all connections for 18 s more, and the others were refused."""
    play = PoolPlay(connections_max=2, waiting_max=3)
    began_at = play.clock()
    lost = [await play.call(b"GET /lost") for _ in range(2)]
    waits = [await play.call(b"GET /waits") for _ in range(3)]
    await play.call(b"GET /refused")
    assert play.log == [Failed("SG4001")]
    play.log.clear()
    await play.quietly(3)
    assert len(play.opened) in {3, 4}, "some calls that wait are sent, to find out"
    play.opened[2].says(OK)  # the shard is back
    while not all(call.done for call in waits):
        for opened in play.opened[2:]:
            if b"GET /waits" in opened.log[-1]:
                opened.log.append(b"")
                opened.says(OK)
        await play.quietly(0.25)
    assert play.log == ANSWERED * 3
    assert not any(call.done for call in lost), "they may be slow, and nothing more"
    assert play.clock() - began_at < 5
    for opened in play.opened[:2]:
        opened.says(OK)
    await play.quietly(1)
    assert play.pool.silence.more == 0


async def test_slow_calls_alone_open_no_more_than_a_few_connections() -> None:
    play = PoolPlay(connections_max=2, waiting_max=9)
    slow = [await play.call(b"GET /slow") for _ in range(9)]
    for _ in range(9):
        await play.quietly(3)
        for opened in play.opened:
            opened.says(OK)
        assert play.pool.figures()[0] <= 2 + 2
        if all(call.done for call in slow):
            break
    assert play.log == ANSWERED * 9


async def test_no_more_than_twice_the_connections_are_open_whatever_hangs() -> None:
    play = PoolPlay(connections_max=3, waiting_max=99)
    for _ in range(99):
        await play.call(b"GET /lost", reply_s=1000.0, first_byte_s=1000.0)
    for _ in range(20):
        await play.quietly(3)
        play.opened[-1].says(OK)
    assert len(play.opened) <= 3 + 3 + 16


async def test_a_pause_of_the_gateway_is_no_silence_of_the_shard() -> None:
    play = PoolPlay()
    await play.call()
    play.passes(1)
    play.passes(15)
    assert not play.pool.silence.is_silent


@pytest.mark.parametrize("said", [OK, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"])
async def test_an_address_that_answers_some_calls_is_not_silent(said: bytes) -> None:
    play = PoolPlay(connections_max=99)
    slow = await play.call(b"GET /slow")
    slow.gives_way = True
    for _ in range(10):
        await play.call()
        await play.quietly(0.5)
        play.opened[-1].says(said)
        await play.quietly(0.5)
    assert not slow.done


@pytest.mark.parametrize("has_other", [True, False])
async def test_a_call_that_another_shard_can_answer_gives_way(has_other: bool) -> None:
    play = PoolPlay(connections_max=1)
    calls = [await play.call(), await play.call()]
    for call in calls:
        call.gives_way = has_other
    await play.quietly(1.5)
    assert not any(call.done for call in calls)
    await play.quietly(1)
    assert [call.done for call in calls] == [has_other, has_other]
    if has_other:
        error = calls[0].sink.error  # type: ignore[attr-defined]
        assert (error.code, error.another_may_answer) == ("SG2003", True)
        assert "its address answers no call" in error.log


async def test_a_silence_is_forgotten_once_nothing_waits_and_seen_again_soon() -> None:
    play = PoolPlay()
    call = await play.call()
    await play.quietly(2.5)
    assert play.pool.silence.is_silent
    call.cancel()
    play.opened[0].ends()
    await play.quietly(4)
    assert play.pool.silence.is_silent
    await play.quietly(2)
    assert not play.pool.silence.is_silent
    await play.call()
    await play.quietly(0.75)
    assert play.pool.silence.is_silent
    play.opened[1].says(OK)
    await play.quietly(0.25)
    await play.call()
    await play.quietly(1.5)
    assert not play.pool.silence.is_silent


async def test_an_address_that_becomes_known_is_hidden_in_heads_that_were_seen_before() -> None:
    """Found: a head that named a replica before DNS did was remembered, and passed on with the address afterwards."""
    addresses = ShardAddresses([("10.0.0.1", 8080)])
    play = PoolPlay(addresses=addresses)
    shown: list[bytes] = []

    class Showing:
        def reply_whole(self, head: ReplyHead, body: bytes) -> None:
            shown.append(next(value for name, value, _ in head.fields if name == b"location"))

    for _ in range(2):
        call = await play.call()
        call.sink = Showing()  # type: ignore[assignment]
        play.opened[0].says(b"HTTP/1.1 201 Created\r\nLocation: http://10.0.0.9:8080/x\r\nContent-Length: 0\r\n\r\n")
        addresses.use([("10.0.0.1", 8080), ("10.0.0.9", 8080)])
        play.passes(0.25)
    assert shown[0] == b"http://10.0.0.9:8080/x"
    assert b"10.0.0.9" not in shown[1]
