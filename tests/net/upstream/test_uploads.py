"""Uploads in a pool: none takes a connection before enough of it has come; all together take a share of them."""

import pytest

from tests.net.upstream.play import Failed, PoolPlay, Uploading, Whole, turns

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PUT = b"PUT /any"


async def test_a_body_that_drips_takes_no_connection_before_enough_has_come() -> None:
    play = PoolPlay(connections_max=4)
    drips = [Uploading(play.log, waits=True) for _ in range(10)]
    for upload in drips:
        await play.call(PUT, upload=upload)
    assert play.opened == []
    play.passes(10_000)
    assert play.log == []
    enough = drips[3].enough
    assert enough is not None
    enough()
    await play.call()
    assert [each.took().split(b" ")[0] for each in play.opened] == [b"PUT", b"GET"]


async def test_the_reply_is_waited_for_from_when_enough_has_come() -> None:
    play = PoolPlay(connections_max=4)
    upload = Uploading(play.log, waits=True)
    call = await play.call(PUT, upload=upload)
    play.passes(1000)
    began_at = play.clock.at
    assert upload.enough is not None
    upload.enough()
    assert (call.started_at, call.begins_by) == (began_at, began_at + 30)
    play.passes(31)
    assert play.log == [Failed("SG2003")]


async def test_unfinished_bodies_hold_no_more_than_their_share_and_reads_find_a_connection() -> None:
    play = PoolPlay(connections_max=8, waiting_max=8)
    uploads = [Uploading(play.log) for _ in range(4)]
    calls = [await play.call(PUT, upload=upload) for upload in uploads]
    assert [upload.taker is not None for upload in uploads] == [True, True, False, False]
    assert len(play.opened) == 2
    for _ in range(6):
        await play.call()
    assert len(play.opened) == 8
    assert play.pool.figures()[2] == 0
    assert not any(call.done for call in calls)


@pytest.mark.parametrize("ends", ["whole", "cancelled", "lost"])
async def test_a_place_is_given_on_however_the_upload_ends(ends: str) -> None:
    play = PoolPlay(connections_max=4, waiting_max=8)
    uploads = [Uploading(play.log) for _ in range(3)]
    first, gone, last = [await play.call(PUT, upload=upload) for upload in uploads]
    gone.cancel()
    if ends == "whole":
        first.body_end(b"")
    elif ends == "cancelled":
        first.cancel()
    else:
        play.opened[0].ends()
    await turns()
    assert uploads[1].taker is None
    assert uploads[2].taker is last


async def test_uploads_beyond_the_queue_are_refused_by_their_budget() -> None:
    play = PoolPlay(connections_max=4, waiting_max=8)
    calls = [await play.call(PUT, upload=Uploading(play.log)) for _ in range(4)]
    assert play.log == [Failed("SG4001")]
    assert calls[3].sink.error.budget == "shard_uploads"  # type: ignore[attr-defined]


async def test_an_upload_whose_body_is_whole_is_answered_as_any_call() -> None:
    play = PoolPlay(connections_max=4)
    upload = Uploading(play.log)
    await play.call(PUT, upload=upload)
    assert upload.taker is not None
    upload.taker.body_data(b"abcd")
    upload.taker.body_end(b"")
    play.opened[0].says(OK)
    assert play.log == [Whole(200, b"ok")]
    assert play.pool.figures()[:2] == (1, 1)
