"""Calls over two or three replicas, on fake connections: who answers, who is asked again, and what is counted."""

import pytest

from shardgate.core.replicas.settings import Member
from shardgate.net.upstream.call import Call
from tests.net.upstream.play import Data, End, Failed, Head, Whole, turns
from tests.net.upstream.replicas_play import ReplicasPlay
from tests.waiting import until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
NONSENSE = b"nonsense\r\n\r\n"
ANSWERED = [Whole(200, b"ok")]


FIRST = Member(weight=1000)
"""A replica that is chosen first."""


async def test_a_reply_passes_and_nothing_is_left_under_way() -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call()
    play.at(0).says(OK)
    assert play.log == ANSWERED
    assert play.is_at_rest()
    assert play.replicas.figures() == (1, 1, 0, 0)


async def test_a_replica_that_cannot_be_reached_is_noticed_by_nobody() -> None:
    play = ReplicasPlay(FIRST, Member())
    play.diallers[0].is_down = True
    await play.call()
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    assert play.events.log == ["retried"]
    assert play.is_at_rest()


async def test_a_change_of_which_nothing_was_sent_goes_to_another_one() -> None:
    play = ReplicasPlay(FIRST, Member(), Member(takes_changes=False))
    play.diallers[0].is_down = True
    await play.call(b"POST /any", body=b"{}")
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    assert play.asked() == [0, 1, 0]


async def test_a_change_that_was_sent_is_never_sent_again() -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call(b"POST /any", body=b"{}")
    play.at(0).ends()
    await turns()
    assert play.log == [Failed("SG2008")]
    assert play.asked() == [1, 0]
    assert play.is_at_rest()


async def test_a_read_whose_connection_breaks_goes_to_another_one() -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call()
    play.at(0).ends()
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    assert play.is_at_rest()


async def test_idle_connections_of_every_replica_may_be_closing() -> None:
    # Found by `make chaos`: both replicas were killed. The second one's closed connection was a broken reply.
    play = ReplicasPlay(Member(), Member())
    await play.call()
    await play.call()
    for index in (0, 1):
        play.at(index).says(OK)
    await play.call()
    first = [replica.in_flight for replica in play.known].index(1)
    play.diallers[first].is_down = True
    play.at(first).ends()
    await turns()
    play.at(1 - first).ends()
    await turns()
    play.at(1 - first).says(OK)
    assert play.log == ANSWERED * 3
    assert play.is_at_rest()


NEARLY_HTTP = [
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1z\r\nok"],
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", b"\r\n1z\r\nok"],
    [b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"],
    [b"HTTP/1.1 200 OK\r\nno col", b"on\r\n\r\n"],
    [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
    [b"220 ready\r\n", OK],
    [OK[:20], b""],
]
"""Pieces of what is nearly a reply; of an empty one the connection ends."""


@pytest.mark.parametrize("pieces", NEARLY_HTTP)
async def test_of_a_broken_reply_nothing_has_passed_on_and_a_read_goes_to_another_one(pieces: list[bytes]) -> None:
    # Found: a broken chunk in the first piece, and a head in two pieces, ended a read that another one could answer.
    play = ReplicasPlay(FIRST, Member())
    await play.call()
    for piece in pieces:
        play.at(0).says(piece) if piece else play.at(0).ends()
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    assert play.events.log == ["retried"]
    assert play.is_at_rest()


@pytest.mark.parametrize("pieces", NEARLY_HTTP)
async def test_after_a_broken_reply_a_change_is_not_sent_again(pieces: list[bytes]) -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call(b"POST /any", body=b"{}")
    for piece in pieces:
        play.at(0).says(piece) if piece else play.at(0).ends()
    await turns()
    assert play.log == [Failed("SG2002")]
    assert play.asked() == [1, 0]
    assert play.is_at_rest()


async def test_a_reply_whose_later_chunk_is_broken_is_cut() -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call()
    play.at(0).says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
    play.at(0).says(b"1z\r\n")
    await turns()
    assert play.log == [Head(200, b"ok"), Failed("SG2002")]
    assert play.asked() == [1, 0]


async def test_a_reply_that_has_begun_is_not_begun_again() -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call()
    play.at(0).says(OK[:-1])
    play.at(0).ends()
    await turns()
    assert play.log == [Head(200, b"o"), Failed("SG2002")]
    assert play.asked() == [1, 0]
    assert play.is_at_rest()


async def test_a_read_that_cannot_be_served_is_asked_of_another_one_and_a_change_is_not() -> None:
    play = ReplicasPlay(FIRST, Member())
    await play.call()
    play.at(0).says(BUSY)
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    play.log.clear()
    await play.call(b"POST /any", body=b"{}")
    play.at(0).says(BUSY)
    assert play.log == [Whole(503)]
    assert play.is_at_rest()


async def test_where_all_fail_the_last_failure_is_told() -> None:
    play = ReplicasPlay(FIRST, Member(), tries_max=2)
    for dialler in play.diallers:
        dialler.is_down = True
    await play.call()
    await turns()
    assert play.log == [Failed("SG2001")]
    assert play.is_at_rest()


async def test_without_allowance_a_failure_is_told_at_once() -> None:
    play = ReplicasPlay(FIRST, Member(), retry_percent=0, retries_per_s=0)
    play.diallers[0].is_down = True
    await play.call()
    assert play.log == [Failed("SG2001")]


async def test_failures_in_a_row_leave_a_replica_out_until_it_answers_again() -> None:
    play = ReplicasPlay(FIRST, Member(), failures_max=2, left_out_s=5, slow_start_s=0)
    play.diallers[0].is_down = True
    for _ in range(3):
        await play.call()
        await turns()
        play.at(1).says(OK)
    assert play.events.log == ["retried", "0 left out for 5", "retried"]
    play.diallers[0].is_down = False
    play.passes(5)
    await play.call()
    play.at(0).says(OK)
    assert play.events.log[3:] == ["0 back"]
    assert play.log == ANSWERED * 4


async def test_where_one_is_left_out_and_the_other_dies_reads_go_there_and_changes_are_refused() -> None:
    """Found by the law with replicas that are killed: reads were refused until the dead one was known to be dead."""
    play = ReplicasPlay(FIRST, Member())
    second = play.replicas.group.replicas[1]
    play.replicas.group.failed(second, play.clock(), at_once=True)
    play.diallers[0].is_down = True
    await play.call()
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    await play.call(b"POST /any", body=b"{}")
    await turns()
    assert play.log[1:] == [Failed("SG2001")]
    assert play.is_at_rest()


async def test_a_replica_whose_replies_break_off_is_left_out() -> None:
    play = ReplicasPlay(FIRST, Member(), failures_max=2, left_out_s=5)
    for _ in range(2):
        await play.call()
        play.at(0).says(OK[:-1])
        play.at(0).ends()
        await turns()
    assert play.events.log == ["0 left out for 5"]


async def hedged(play: ReplicasPlay) -> Call:
    """A read that replica 0 is late with, and of which replica 1 has been asked, too."""
    for _ in range(40):
        await play.call()
        play.at(0).says(OK)
        play.at(0).log.clear()
    play.log.clear()
    call = await play.call()
    play.passes(1.0)
    await until(lambda: "hedged" in play.events.log)
    await turns()
    return call


async def test_a_late_read_is_sent_to_a_second_replica_and_the_first_reply_wins() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    call = await hedged(play)
    play.at(1).says(OK[:-1])
    play.at(0).says(OK)  # too late: its connection is closed
    assert not call.done
    play.at(1).says(OK[-1:])
    assert play.log == [Head(200, b"o"), Data(b"k"), End()]
    assert play.is_at_rest()


async def test_the_first_replica_may_still_win() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    await hedged(play)
    play.at(0).says(OK)
    assert play.log == ANSWERED
    assert play.at(1).connection.usable is False
    assert play.is_at_rest()


async def test_a_hedge_that_fails_is_noticed_by_nobody() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    await hedged(play)
    play.at(1).ends()
    assert play.log == []
    play.at(0).says(OK)
    assert play.log == ANSWERED
    assert play.is_at_rest()


async def test_a_hedge_answers_where_the_first_replica_fails_meanwhile() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    await hedged(play)
    play.at(0).says(NONSENSE)
    assert play.log == []
    play.at(1).says(OK)
    assert play.log == ANSWERED
    assert play.is_at_rest()


async def test_a_hedge_that_cannot_be_served_leaves_the_first_replica_its_chance() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    await hedged(play)
    play.at(1).says(BUSY)
    assert play.log == []
    play.at(0).says(OK)
    assert play.log == ANSWERED
    assert play.is_at_rest()


async def test_where_both_fail_the_call_fails() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    await hedged(play)
    play.at(0).says(NONSENSE)
    play.at(1).says(NONSENSE)
    assert play.log == [Failed("SG2002")]
    assert play.is_at_rest()


async def test_a_client_that_leaves_ends_both() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    call = await hedged(play)
    call.cancel()
    assert play.log == []
    assert play.is_at_rest()
    assert not play.at(0).connection.usable
    assert not play.at(1).connection.usable


async def test_a_broken_reply_of_a_hedge_that_won_ends_the_call() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    await hedged(play)
    play.at(1).says(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")
    assert play.log[-1] == Failed("SG2002")
    assert play.is_at_rest()


async def test_a_hedge_that_won_while_the_first_one_still_connects() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    for _ in range(40):
        await play.call()
        play.at(0).says(OK)
    play.log.clear()
    await play.call(b"POST /any")  # takes the idle connection
    play.diallers[0].may_connect.clear()
    await play.call()
    play.passes(1.0)
    await until(lambda: "hedged" in play.events.log)
    await turns()
    play.at(1).says(OK)
    assert play.log == ANSWERED
    play.diallers[0].may_connect.set()
    await turns()
    assert play.log == ANSWERED
    assert play.asked() == [2, 1]
    assert play.replicas.figures()[1] == 2, "both wait for work"


async def test_a_silent_replica_is_left_out_and_its_reads_go_to_another_one_too() -> None:
    play = ReplicasPlay(FIRST, Member(), hedge_percent=100)
    for _ in range(3):
        await play.call()
    change = await play.call(b"POST /any")
    for _ in range(9):
        play.passes(0.25)
    await turns()
    assert play.events.log == ["0 left out for 5", *["hedged"] * 3]
    change.cancel()
    for opened in play.diallers[1].opened:
        opened.says(OK)
    assert play.log == ANSWERED * 3
    assert play.is_at_rest()


async def test_a_client_reads_its_own_change_where_it_was_made() -> None:
    play = ReplicasPlay(Member(weight=1000, takes_changes=False), Member(), own_changes_s=5.0)
    await play.call()
    play.at(0).says(OK)
    await play.call(b"POST /any", body=b"{}")
    play.at(1).says(OK)
    await play.call()
    play.at(1).says(OK)
    play.passes(5.0)
    await play.call()
    play.at(0).says(OK)
    assert play.asked() == [1, 1]
    assert play.log == ANSWERED * 4
