"""A gateway between raw bytes and raw bytes, and the check of a case on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.cluster import running_gateway
from tests.framing.cases import Arrives, Case, arrives
from tests.framing.conversation import converse, piece_size, read_replies
from tests.framing.recording import RecordingShard, ShardConnection, turns

BODY_BYTES_MAX = 2000
METHODS = ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
PATHS = ("/", "/any", "/any/{n}", "/scripted", "/canary", "/last", "/sentinel/{n}")
LISTED = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
OWNED = {"rule": "one", "key": "header.X-Vendor", "locate": "vendor"}


@dataclass
class Wire:
    """A gateway between raw bytes and raw bytes."""

    port: int
    shard: RecordingShard
    _numbers: "count[int]" = field(default_factory=count)

    async def holds(self, case: Case, delivery: str) -> None:
        """The verdict is as the case says, however its bytes come."""
        self.shard.forget()
        sent = case.bytes_sent
        size = piece_size(sent, delivery)
        received = await converse(self.port, sent, piece=size, half_close=case.half_closes)
        await self.another_client_is_served()
        replies = read_replies(received, case.methods)
        statuses, expected = [reply.status for reply in replies], list(case.arrives)
        wanted = list(case.replies)
        if case.closes is False or (case.closes is None and len(statuses) > len(wanted)):
            wanted.append(200)
            expected.append(arrives(b"GET /last"))
        assert statuses == wanted, received
        self.check_arrivals(case, expected)
        if case.code and not case.is_head:
            assert replies[len(case.replies) - 1].code == case.code, received
        answers = [reply for reply in replies if reply.status == 200]
        for reply, request in zip(answers, expected, strict=True):
            assert reply.whole
            assert reply.body == (b"" if request.method == b"HEAD" else request.line)
        if replies:
            assert replies[-1].values(b"Connection") == [b"close"], received

    def check_arrivals(self, case: Case, expected: list[Arrives]) -> None:
        """What arrived is what was to arrive, byte for byte, and nothing else is there or under way."""
        arrived = self.shard.arrived
        came = [one.head + one.body for one in arrived]
        assert len(came) == len(expected), came
        for one, request in zip(arrived, expected, strict=True):
            assert request.is_what_came(one.head, one.body), (one.head + one.body, request)
        for connection in self.shard.connections:
            if connection.unread:
                assert case.begins, connection.unread
                assert connection.closed, "half a request hangs at the shard"
                assert b"/canary" not in connection.unread

    async def another_client_is_served(self) -> None:
        """Another client gets its own answer."""
        line = b"GET /sentinel/%d" % next(self._numbers)
        sent = b"%b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % line
        replies = read_replies(await converse(self.port, sent, piece=len(sent)), [b"GET"])
        assert [(reply.status, reply.body) for reply in replies] == [(200, line)], "the connections are out of step"
        assert self.shard.arrived.pop().line == line
        await turns(5)


@asynccontextmanager
async def started(folder: Path, *, body_bytes_max: int = BODY_BYTES_MAX) -> AsyncIterator[Wire]:
    """Start a recording shard, and a gateway before it."""
    shard = RecordingShard()
    server = await asyncio.get_running_loop().create_server(lambda: ShardConnection(shard), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rules: dict[str, object] = {f"{method} {path}": {"rule": "any"} for method in METHODS for path in PATHS}
    rules["GET /scripted/list"] = {"rule": "gather", "merge": LISTED}
    rules["GET /owned"] = OWNED
    config = {
        "shards": {"north": f"http://127.0.0.1:{port}"},
        "locators": {"vendor": [{"kind": "hash"}]},
        "rules": rules,
        "limits": {"request_body_bytes_max": body_bytes_max},
    }
    async with running_gateway(config, folder) as gateway:
        yield Wire(gateway.port, shard)
    server.close()
    for connection in shard.connections:
        connection.transport.abort()
    await server.wait_closed()
    await turns(5)  # what was aborted is closed in the loop's next turns


def each(cases: list[Case]) -> pytest.MarkDecorator:
    """Every case, delivered at once and in single bytes."""
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), "two cases have one name"
    both = [pytest.param(case, how, id=f"{case.name} ({how})") for case in cases for how in ("whole", "bytes")]
    return pytest.mark.parametrize(("case", "delivery"), both)
