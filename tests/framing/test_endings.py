"""How connections end: a reply that is under way is read to its end, whatever its client still sends (RFC 9112
section 9.6)."""

import asyncio
import fcntl
import socket
import struct
import termios

import pytest

from tests.framing.conversation import PATIENCE_S, read_replies
from tests.framing.recording import ShardConnection
from tests.framing.replies import ok
from tests.framing.wire import Wire
from tests.waiting import settled

pytestmark = pytest.mark.asyncio(loop_scope="module")

BIG = b"x" * 500_000


def _readable(client: socket.socket) -> int:
    """How many bytes have come to the client, and were not read."""
    return int(struct.unpack("i", fcntl.ioctl(client.fileno(), termios.FIONREAD, bytes(4)))[0])


@pytest.mark.parametrize("behind", [b"", b"\r\n"])
async def test_the_last_reply_is_whole_though_its_client_sends_more(wire: Wire, behind: bytes) -> None:
    async def play(connection: ShardConnection) -> None:
        connection.transport.write(ok(b"Content-Length: %d" % len(BIG), body=BIG))

    wire.shard.forget()
    wire.shard.script = play
    loop, received = asyncio.get_running_loop(), b""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", wire.port))
        client.settimeout(0)
        await loop.sock_sendall(client, b"GET /scripted HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await settled(lambda: _readable(client))  # the gateway writes all that it can, and closes
        await loop.sock_sendall(client, behind)
        await settled(lambda: _readable(client))
        async with asyncio.timeout(PATIENCE_S):
            while piece := await loop.sock_recv(client, 65536):
                received += piece
    (reply,) = read_replies(received, [b"GET"])
    assert reply.whole
    assert reply.body == BIG
