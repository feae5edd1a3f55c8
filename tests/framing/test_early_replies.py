"""A shard that answers before it has read the request: the client reads the answer, and the connection is not used
again, because what the shard has not read of the body would be its next request (the 0.CL attack)."""

import asyncio
from pathlib import Path

import pytest

from tests.framing.cases import CANARY
from tests.framing.conversation import PATIENCE_S, converse, read_replies
from tests.framing.recording import ShardConnection, turns
from tests.framing.replies import coded, ok
from tests.framing.wire import Wire, started

BODY = CANARY * 250_000  # more than the sockets between gateway and shard hold


@pytest.mark.parametrize(
    ("says", "status"),
    [
        (b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\nno", 413),
        (b"HTTP/1.1 413 Too large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", 413),
        (b"HTTP/1.1 401 Who\r\nContent-Length: 2\r\n\r\nno", 401),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too large\r\nContent-Length: 2\r\n\r\nno", 413),
        (ok(b"Content-Length: 2", body=b"no"), 200),
        (coded(b"2\r\nno\r\n0\r\n\r\n"), 200),
        (b"HTTP/1.1 204 No\r\n\r\n", 204),
    ],
)
@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_an_early_reply_is_read_and_its_connection_is_left(
    tmp_path: Path, says: bytes, status: int, framing: str
) -> None:
    async def answer(connection: ShardConnection) -> None:
        connection.transport.pause_reading()
        connection.transport.write(says)

    if framing == "length":
        sent = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    else:
        sent = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    async with started(tmp_path, body_bytes_max=2 * len(BODY)) as wire:
        wire.shard.script = answer
        wire.shard.answers_early = True
        head = b"POST /scripted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        received = await converse(wire.port, head + sent, piece=1 << 20)
        (reply,) = read_replies(received, [b"POST"])
        assert (reply.status, reply.body, reply.whole) == (status, b"" if status == 204 else b"no", True)
        await nobody_was_smuggled(wire)


@pytest.mark.parametrize("ends", ["closes", "resets"])
async def test_a_shard_that_ends_within_a_request_is_not_asked_again(tmp_path: Path, ends: str) -> None:
    async def answer(connection: ShardConnection) -> None:
        if ends == "closes":
            connection.transport.close()
        else:
            connection.reset()

    async with started(tmp_path, body_bytes_max=2 * len(BODY)) as wire:
        wire.shard.script = answer
        wire.shard.answers_early = True
        head = b"POST /scripted HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY)
        received = await converse(wire.port, head + BODY, piece=1 << 20)
        (reply,) = read_replies(received, [b"POST"])
        assert (reply.status, reply.code) == (502, "SG2008")
        await nobody_was_smuggled(wire)


async def nobody_was_smuggled(wire: Wire) -> None:
    """The rest of the body is nobody's request, and the next request goes elsewhere."""
    (played,) = wire.shard.played
    if not played.closed:
        played.transport.resume_reading()
    await wire.another_client_is_served()
    assert wire.shard.arrived == []
    async with asyncio.timeout(PATIENCE_S):
        while not played.closed:
            await turns(1)  # first it reads what lies in the sockets
