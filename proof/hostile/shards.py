"""Shards of the attacks: one application in a few lines, which answers well, or as an attack says.

Holds: what a shard was asked and what it created is kept, so that a change that was acknowledged can be looked for.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

ROWS = 300
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_KEPT_BODY_BYTES_MAX = 1024 * 1024


class Asked(msgspec.Struct):
    """One request, as a shard got it."""

    method: str
    path: str
    query: str
    head: bytes
    body: bytes
    """Its beginning."""


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]
"""Writes a reply, or something else. The connection is closed when it raises ConnectionError."""


class Shard:
    """One shard, on a free port."""

    def __init__(self, letter: str) -> None:
        self.letter = letter
        """What its keys begin with."""
        self.behaviour: Behaviour | None = None
        """How it answers; None: well."""
        self.seen: list[str] | None = None
        """The paths that it is asked for, if somebody wants to know."""
        self.calls = 0
        self.answers = 0
        self.made: Counter[str] = Counter()
        """Paths of what was created → how often."""
        self.kept: set[str] = set()
        """Paths of what was created and not taken back."""
        self.probed: set[str] = set()
        """Keys that it says it has when it is asked."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """Where the gateway reaches it."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Close everything."""
        assert self._server is not None
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Close all connections: what was being said ends here."""
        for writer in list(self._writers):
            writer.transport.abort()
        for task in list(self._serving):
            task.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)  # not in the task: one that is cancelled before it begins would leave it open
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = (
            OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError, ValueError,
            RuntimeError,  # of uvloop, where the gateway has closed the connection meanwhile
        )  # fmt: skip
        with suppress(*ends):
            while True:
                asked = await _read(reader)
                self.calls += 1
                if self.seen is not None:
                    self.seen.append(unquote(asked.path))
                if self.behaviour is not None:
                    await self.behaviour(asked, writer)
                else:
                    writer.write(self.well(asked))
                await writer.drain()
                self.answers += 1
        self._writers.discard(writer)
        writer.close()

    def well(self, asked: Asked) -> bytes:
        """The application's answer."""
        kind, _, key = asked.path.removeprefix("/").partition("/")
        if asked.method in {"GET", "HEAD"}:
            return self._read_only(asked, kind, unquote(key))
        if asked.method == "DELETE":
            return self._cancel(asked.path)
        if kind in {"form", "things", "any"}:
            return reply({"ok": True})
        if key.endswith("/cancel"):
            return self._cancel(f"/{kind}/{key.removesuffix('/cancel')}")
        return self._change(kind, asked.body)

    def _change(self, kind: str, data: bytes) -> bytes:
        try:
            body = json.loads(data or b"null")
        except (ValueError, RecursionError):
            return reply({"detail": "no JSON"}, status="400 Bad Request")
        if kind in {"everyone", "place", "whole"}:
            return self._create(kind, body)
        items = body.get("items") if isinstance(body, dict) else None
        return reply({"items": [{"ok": True} for _ in items]} if isinstance(items, list) else {"ok": True})

    def _cancel(self, path: str) -> bytes:
        found = path in self.kept
        self.kept.discard(path)
        return reply({"ok": True}) if found else reply({"detail": "none"}, status="404 Not Found")

    def _create(self, kind: str, body: Any) -> bytes:
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            return reply({"detail": "an id is needed"}, status="400 Bad Request")
        path = f"/{kind}/{body['id']}"
        if path in self.kept:
            return reply({"detail": "taken"}, status="409 Conflict")
        self.made[path] += 1
        self.kept.add(path)
        items = [{"ok": True} for _ in body.get("items", ())]
        return reply({"id": body["id"], "items": items}, status="201 Created")

    def _read_only(self, asked: Asked, kind: str, key: str) -> bytes:
        if kind in {"everyone", "place", "whole"}:
            found = asked.path in self.kept
            return reply({"id": key}) if found else reply({"detail": "none"}, status="404 Not Found")
        if kind == "probed":
            found = key.startswith(self.letter) or key in self.probed
            return reply({"id": key}) if found else reply({"detail": "none"}, status="404 Not Found")
        if key:
            return reply({"id": key})
        return self.rows(kind, asked.query)

    def rows(self, kind: str, query: str) -> bytes:
        """One page of its list."""
        values = dict(part.partition("=")[::2] for part in query.split("&"))
        limit, begin = _number(values.get("limit"), ROWS), _number(values.get("offset"), 0)
        after = values.get("starting_after") or values.get("cursor") or ""
        rows = [{"id": f"{self.letter}-{n:05d}", "n": n} for n in range(ROWS)]
        if after:
            rows = [row for row in rows if str(row["id"]) > after]
        page = rows[begin : begin + limit]
        more = begin + limit < len(rows)
        if kind == "walk":
            return reply({"items": page, "next_cursor": page[-1]["id"] if more and page else None})
        if kind == "after":
            return reply({"data": page, "has_more": more})
        if kind in {"env", "pages"}:
            return reply({"rows": page, "total": ROWS})
        return reply(page, fields=f"X-Total: {ROWS}\r\n")


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else default


def reply(body: Any, *, status: str = "200 OK", fields: str = "") -> bytes:
    """A reply in bytes."""
    data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}Content-Length: {len(data)}\r\n\r\n"
    if status.startswith("204"):
        head = f"HTTP/1.1 {status}\r\n{fields}\r\n"
    return head.encode("latin-1") + data


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n", 1)[0].split(b" ", 2)
    parts = urlsplit(target.decode("latin-1"))
    body = bytearray()
    if (length := _LENGTH.search(head)) is not None:
        left = int(length[1])
        while left:
            piece = await reader.read(min(left, 65536))
            if not piece:
                raise ConnectionError
            left -= len(piece)
            _keep(body, piece)
    elif _CHUNKED.search(head):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            _keep(body, await reader.readexactly(size))
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    return Asked(method.decode("latin-1"), parts.path, parts.query, head, bytes(body))


def _keep(body: bytearray, piece: bytes) -> None:
    if len(body) < _KEPT_BODY_BYTES_MAX:
        body += piece
