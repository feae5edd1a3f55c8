"""One case of a reply: the bytes that a shard says, what the client gets, and whether the connection is used again."""

from dataclasses import dataclass

import pytest

from tests.framing.cases import LAST
from tests.framing.conversation import Read, converse, piece_size, read_replies
from tests.framing.recording import ShardConnection, turns
from tests.framing.wire import Wire

# What the gateway may add to a reply of its own.
_ADDED = (b"via:", b"x-request-id:")
_FRAMING = (b"content-length:", b"transfer-encoding:", b"connection:")
_INTERIM = range(102, 200)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a shard says, and what comes of it."""

    name: str
    says: bytes
    status: int
    lines: tuple[bytes, ...] = ()
    """The fields that cross, in their order."""
    body: bytes = b""
    framing: bytes | None = None
    """The line that frames the reply; None: whichever frames the body."""
    code: str = ""
    """The error's code, where the gateway answers in place of the shard."""
    breaks: bool = False
    """The head is good and the body is not: an error in its place, or a reply that the client sees is not whole."""
    reused: bool = False
    ask: bytes = b"GET"
    minor: int = 1
    ends: str = "stays"
    """What the shard does then: `stays`, `closes` or `resets`."""


def relayed(name: str, says: bytes, *lines: bytes, **rest: object) -> Said:
    """The reply crosses; the connection is used again unless the case says otherwise."""
    return Said(name=name, says=says, lines=lines, **{"status": 200, "reused": True, **rest})  # type: ignore[arg-type]


def broken(name: str, says: bytes, **rest: object) -> Said:
    """Nothing of it reaches the client."""
    return Said(name=name, says=says, **{"status": 502, "code": "SG2002", **rest})  # type: ignore[arg-type]


def breaks(name: str, says: bytes, **rest: object) -> Said:
    """What has come may have reached the client, but never as a whole reply."""
    return Said(name=name, says=says, breaks=True, **{"status": 200, **rest})  # type: ignore[arg-type]


def ok(*lines: bytes, body: bytes = b"") -> bytes:
    """A reply with these lines, and these bytes behind its head."""
    return b"HTTP/1.1 200 OK\r\n%b\r\n%b" % (b"".join(line + b"\r\n" for line in lines), body)


def coded(body: bytes) -> bytes:
    """A reply in the chunked coding; `body` is the coding."""
    return ok(b"Transfer-Encoding: chunked", body=body)


def each(cases: list[Said]) -> pytest.MarkDecorator:
    """Every case, said at once and in single bytes."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    both = [pytest.param(case, how, id=f"{case.name} ({how})") for case in cases for how in ("whole", "bytes")]
    return pytest.mark.parametrize(("case", "delivery"), both)


async def comes_out(wire: Wire, case: Said, delivery: str, path: bytes = b"/scripted") -> None:
    """The client gets what the case says, and the connection is used again only where both sides are in step."""

    async def play(connection: ShardConnection) -> None:
        await connection.say(case.says, piece=piece_size(case.says, delivery))
        if case.ends == "closes":
            connection.transport.close()
        elif case.ends == "resets":
            connection.reset()

    async def said() -> bytes:
        while not wire.shard.played:
            await turns(1)
        await wire.shard.said_all()
        await turns(10)
        return LAST if case.minor == 1 else b""

    wire.shard.forget()
    wire.shard.script = play
    sent = b"%b %b HTTP/1.%d\r\nHost: a\r\n\r\n" % (case.ask, path, case.minor)
    received = await converse(wire.port, sent, piece=len(sent), then=said)
    await wire.another_client_is_served()
    assert all(connection.closed is not case.reused for connection in wire.shard.played)
    lines = [arrived.line for arrived in wire.shard.arrived if b"/scripted" in arrived.line]
    assert len(lines) == 1 or case.ask == b"GET", "a change was sent twice"
    reply, *others = read_replies(received, [case.ask, b"GET"], interim=_INTERIM if case.minor == 1 else ())
    if not (case.breaks and reply.status == 200):
        is_last = [other.body for other in others] == [b"GET /last"]
        assert is_last if case.minor == 1 else not others, received
    check(case, reply)


def check(case: Said, reply: Read) -> None:
    """The first reply is as the case says."""
    if case.breaks:
        assert reply.status in {case.status, 502}, reply
        assert not reply.whole or (reply.status == 502 and reply.code == "SG2002"), "a broken reply looks whole"
        return
    assert reply.whole, reply
    assert reply.status == case.status, reply
    if case.code:
        assert case.ask == b"HEAD" or reply.code == case.code
        return
    crossed = [line for line in reply.lines if not line.lower().startswith(_FRAMING + _ADDED)]
    assert crossed == list(case.lines)
    assert reply.body == case.body
    framing = [line for line in reply.lines if line.lower().startswith(_FRAMING[:2])]
    if case.framing is not None:
        assert framing == ([case.framing] if case.framing else [])
