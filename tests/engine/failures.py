"""Ways in which a list or a keyed request can fail, over real sockets: what the client reads, and what the log says.

`python -m tests.engine.failures` prints them as a table in Markdown.
"""

import asyncio
import logging
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shardgate.core.failures.line import FailureLine, parsed
from tests.cluster import Asked, Gateway, no_answer, reply, rows, running_gateway, running_shard

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
CONFIG = {
    "timeouts": {"request_timeout_s": 0.3},
    "limits": {"reply_body_bytes_max": 2000},
    "locators": {
        "vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}],
        "event": [{"kind": "learned"}, {"kind": "probe", "path": "/events/{key}"}],
    },
    "rules": {
        "GET /events": {"rule": "gather", "merge": LIST},
        "GET /events/{id}": {"rule": "one", "key": "path.id", "locate": "event"},
        "GET /stock": {"rule": "one", "key": "query.vendor", "locate": "vendor"},
        "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "PUT /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        "GET /count": {"rule": "gather", "merge": {"kind": "count"}},
    },
}

UNDO = {"method": "DELETE", "path": "/things/{id}"}
WITH_STORE = {
    "store": "store.db",
    "rules": {**CONFIG["rules"], "POST /things": {"rule": "every", "repeat": True, "undo": UNDO}},
}
"""What changes on several shards need besides."""

NORTH = "north"


@dataclass(frozen=True)
class Failure:
    """One way to fail: what north answers, what is asked, and what must come of it."""

    name: str
    asks: str
    north: Any
    status: int
    code: str = ""
    """Empty: the reply is a shard's own."""
    shard: str = ""
    says: tuple[str, ...] = ()
    """Parts of what the log says was wrong."""
    detail: str = ""
    """A part of what the client reads."""
    operation: str = "GET /events"


def always(said: bytes) -> Callable[[Asked], bytes]:
    """A shard that answers the same whatever it is asked."""
    return lambda asked: said


DOWN = object()
"""North is not there."""

FAILURES = [
    Failure(
        "a shard is down",
        "GET /events",
        DOWN,
        503,
        "SG2004",
        NORTH,
        ("north: SG2001", "connection refused (127.0.0.1:"),
        "some did not answer",
    ),
    Failure(
        "bad JSON",
        "GET /events",
        always(reply('[{"id":"a"},{"id":"b"')),
        502,
        "SG2002",
        NORTH,
        ("not a JSON array",),
        "a shard's list",
    ),
    Failure(
        "rows out of order",
        "GET /events",
        always(rows({"id": "b"}, {"id": "a"})),
        502,
        "SG2007",
        NORTH,
        ("not in the order id",),
        "the rule declares",
    ),
    Failure(
        "a sort key is lacking",
        "GET /events",
        always(rows({"id": "a"}, {"name": "b"})),
        502,
        "SG2002",
        NORTH,
        ("lacks a sort key", "`id`"),
        "lacks a sort key",
    ),
    Failure(
        "a reply is too large",
        "GET /events",
        always(rows({"id": "a", "text": "x" * 3000})),
        502,
        "SG2005",
        NORTH,
        ("larger than 2000 bytes",),
        "larger than 2000 bytes",
    ),
    Failure(
        "a shard is too slow",
        "GET /events",
        no_answer,
        503,
        "SG2004",
        NORTH,
        ("north: SG2003", "did not answer in time"),
        "some did not answer",
    ),
    Failure(
        "one shard refuses",
        "GET /events",
        always(reply("{}", status="403 Forbidden")),
        403,
        shard=NORTH,
        says=("the shard's own answer", "south answered 200"),
    ),
    Failure(
        "one shard redirects",
        "GET /events",
        always(reply("", status="302 Found", fields="Location: /in\r\n")),
        302,
        shard=NORTH,
        says=("the shard's own answer", "south answered 200"),
    ),
    Failure(
        "the key is ambiguous",
        "GET /stock?vendor=n-1&vendor=s-1",
        always(reply("{}")),
        400,
        "SG1002",
        says=("vendor", "twice"),
        detail="twice",
        operation="GET /stock",
    ),
    Failure(
        "the key is unknown",
        "PUT /vendors/x-1",
        always(reply("{}")),
        404,
        "SG1011",
        says=("x-1",),
        detail="x-1",
        operation="PUT /vendors/{v}",
    ),
    Failure(
        "the owner of a key is down",
        "GET /vendors/n-1",
        DOWN,
        503,
        "SG2001",
        NORTH,
        ("connection refused",),
        "cannot be reached",
        "GET /vendors/{v}",
    ),
    Failure(
        "a reply is no HTTP",
        "GET /vendors/n-1",
        always(b"SSH-2.0-OpenSSH\r\n\r\n"),
        502,
        "SG2002",
        NORTH,
        ("status line",),
        "status line",
        "GET /vendors/{v}",
    ),
    Failure(
        "a key is on two shards",
        "GET /events/e1",
        always(reply("{}")),
        409,
        "SG2006",
        "north,south",
        ("e1", "north and south"),
        "two shards",
        "GET /events/{id}",
    ),
    Failure(
        "a count is no number",
        "GET /count",
        always(reply('"many"')),
        502,
        "SG2002",
        NORTH,
        operation="GET /count",
        detail="a shard's",
    ),
]


def takes_and_keeps(asked: Asked) -> bytes:
    """A shard that makes a thing, and refuses to delete it again."""
    made = asked.line.startswith("POST")
    return reply('{"id":"7"}', status="201 Created") if made else reply("{}", status="403 Forbidden")


FAILURES.append(
    Failure(
        "a change cannot be taken back",
        "POST /things",
        takes_and_keeps,
        502,
        "SG2011",
        "north,south",
        ("north: the shard answered 403", "south: the shard refused it with 409"),
        "not complete",
        "POST /things",
    )
)


def south(asked: Asked) -> bytes:
    """The other shard has no fault, but that it takes no things."""
    if asked.line.startswith("POST"):
        return reply("{}", status="409 Conflict")
    if "/count" in asked.line:
        return reply("3")
    return rows({"id": "s"}) if "/events " in asked.line else reply("{}")


@dataclass(frozen=True)
class Told:
    """What came of one request."""

    status: int
    problem: dict[str, Any]
    request_id: str
    lines: list[FailureLine]
    log: list[str]


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def kept_log() -> Iterator[list[str]]:
    """What the gateway logs meanwhile."""
    kept, log = _Kept(), logging.getLogger("shardgate")
    level = log.level
    log.addHandler(kept)
    log.setLevel(logging.INFO)
    try:
        yield kept.lines
    finally:
        log.removeHandler(kept)
        log.setLevel(level)


async def fail(failure: Failure, folder: Path) -> Told:
    """Make the request fail, and collect what was said."""
    with kept_log() as log, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        async with (
            running_shard(None if failure.north is DOWN else failure.north) as north,
            running_shard(south) as other,
        ):
            port = nobody.getsockname()[1] if failure.north is DOWN else north.port
            shards = {
                "north": {"url": f"http://127.0.0.1:{port}", "alias": "porto"},
                "south": {"url": other.url, "alias": "lisboa"},
            }
            more = WITH_STORE if failure.asks.startswith("POST") else {}
            config = {**CONFIG, **more, "shards": shards, "access_log": "access.log"}
            async with running_gateway(config, folder) as gateway:
                return await _told(failure, gateway, log)


async def _told(failure: Failure, gateway: Gateway, log: list[str]) -> Told:
    method, target = failure.asks.split(" ")
    body = b"{}" if method == "POST" else None
    answer = await gateway.client.request(method, target, headers={"X-Request-Id": "r-1"}, content=body)
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    lines = [line for each in log if (line := parsed(each)) is not None]
    return Told(answer.status_code, answer.json() if is_problem else {}, "r-1", lines, list(log))


async def _table() -> None:
    print("| what happens | the client reads | the log says |")
    print("|---|---|---|")
    for failure in FAILURES:
        with tempfile.TemporaryDirectory() as folder:
            told = await fail(failure, Path(folder))
        said = f"{told.problem['code']}: {told.problem['detail']}" if told.problem else "the shard's own reply"
        log = (
            "<br>".join(f"`{line}`" for line in told.log if "is at epoch" not in line)
            or "nothing: the access log has it"
        )
        print(f"| {failure.name}: `{failure.asks}` | {told.status} {said} | {log} |")


if __name__ == "__main__":
    asyncio.run(_table())
