"""The table's replies, spoilt at random: the client reads one plain reply, or sees that it is not whole, and others are
served as ever.

A failure prints its case; `SEED` replays all of them.
"""

import random

import pytest

from tests.framing import test_reply_bodies, test_reply_heads
from tests.framing.cases import LAST
from tests.framing.conversation import converse, read_replies
from tests.framing.recording import ShardConnection, turns
from tests.framing.wire import Wire
from tests.served.test_fuzz import NASTY

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED, CASES = 4711, 600
SAID = [case.says for case in [*test_reply_heads.CASES, *test_reply_bodies.CASES] if len(case.says) < 5000]
LINES = [
    b"Content-Length: 0\r\n",
    b"Content-Length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Type: text/event-stream\r\n",
    b"Upgrade: websocket\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n",
    b"0\r\n\r\n",
    b"\r\n",
]


def spoilt(chance: random.Random) -> bytes:
    """One of the table, spoilt in one to three places."""
    data = chance.choice(SAID)
    for _ in range(chance.choice([1, 1, 2, 3])):
        at, kind = chance.randrange(len(data) + 1), chance.randrange(6)
        if kind == 0:
            data = data[:at] + chance.choice(NASTY) + data[at + chance.randrange(2) :]
        elif kind == 1:
            data = data[:at] + data[at + chance.randint(1, 6) :]
        elif kind == 2:
            ends = [n + 2 for n in range(len(data) - 1) if data[n : n + 2] == b"\r\n"] or [at]
            at = chance.choice(ends)
            data = data[:at] + chance.choice(LINES) + data[at:]
        elif kind == 3:
            data = data[: at + 40] + data[at : at + 40] + data[at + 40 :]
        elif kind == 4:
            other = chance.choice(SAID)
            data = data[:at] + other[chance.randrange(len(other) + 1) :]
        else:
            data = data[:at]
    return data


async def test_whatever_a_shard_says_its_client_is_answered_and_others_are_served(wire: Wire) -> None:
    chance = random.Random(SEED)
    answered = {"passed": 0, "refused": 0, "cut off": 0}
    for number in range(CASES):
        says, asks = spoilt(chance), chance.choice([b"GET", b"GET", b"HEAD", b"POST"])
        piece, resets = chance.choice([len(says) + 1, chance.randint(1, len(says) + 1)]), chance.random() < 0.3
        path = b"/scripted/list" if asks == b"GET" and number % 3 == 0 else b"/scripted"

        async def play(
            connection: ShardConnection, says: bytes = says, piece: int = piece, resets: bool = resets
        ) -> None:
            await connection.say(says, piece=piece)
            await turns(20)
            if not connection.closed:
                connection.reset() if resets else connection.transport.close()

        async def last() -> bytes:
            return LAST

        wire.shard.forget()
        wire.shard.script = play
        sent = b"%b %b HTTP/1.1\r\nHost: a\r\n\r\n" % (asks, path)
        try:
            received = await converse(wire.port, sent, piece=len(sent), then=last)
            await wire.shard.said_all()
            await wire.another_client_is_served()
            reply, *_ = read_replies(received, [asks, b"GET"], interim=range(100, 200))
        except (AssertionError, TimeoutError, ValueError) as error:
            raise AssertionError(f"case {number}: {asks!r} {path!r} {says!r} in pieces of {piece}") from error
        assert b"SG9001" not in received, (number, says)
        answered["cut off" if not reply.whole else "refused" if reply.status == 502 else "passed"] += 1
    assert min(answered.values()) > 10, f"the mutations say little: {answered}"
