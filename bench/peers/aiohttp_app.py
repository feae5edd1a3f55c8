"""The program that aiohttp_peer.py starts: relays to the first shard, gathers over all of them."""

import asyncio
import sys
from typing import Any

import aiohttp
import orjson
import uvloop
from aiohttp import web

HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"})


class Gateway:
    """Both works over one pooled client session."""

    def __init__(self, shards: list[str]) -> None:
        self._shards = shards

    async def open(self, _app: web.Application) -> None:
        """A session without a bound on connections, that leaves bodies as they are."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False)

    async def relay(self, request: web.Request) -> web.Response:
        """The reply of the first shard."""
        headers = _forwarded(request)
        body = await request.read() if request.can_read_body else None
        url = self._shards[0] + request.raw_path
        async with self._session.request(request.method, url, headers=headers, data=body) as reply:
            kept = {name: value for name, value in reply.headers.items() if name.lower() not in HOP_BY_HOP}
            return web.Response(status=reply.status, headers=kept, body=await reply.read())

    async def gather(self, request: web.Request) -> web.Response:
        """One sorted page out of all shards' lists."""
        limit, offset = int(request.query["limit"]), int(request.query.get("offset", 0))
        query = {**request.query, "limit": str(offset + limit), "offset": "0"}
        headers = _forwarded(request)
        headers.pop("Accept-Encoding", None)
        parts = await asyncio.gather(*(self._ask(shard, request.path, query, headers) for shard in self._shards))
        rows = [row for part, _ in parts for row in part]
        rows.sort(key=_sort_key)
        total = sum(count for _, count in parts)
        body = orjson.dumps(rows[offset : offset + limit])
        return web.Response(body=body, content_type="application/json", headers={"X-Total_Count": str(total)})

    async def _ask(
        self, shard: str, path: str, query: dict[str, str], headers: dict[str, str]
    ) -> tuple[list[dict[str, Any]], int]:
        async with self._session.get(shard + path, params=query, headers=headers) as reply:
            return orjson.loads(await reply.read()), int(reply.headers["X-Total_Count"])


def _forwarded(request: web.Request) -> dict[str, str]:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    headers["X-Forwarded-For"] = request.remote or ""
    return headers


def _sort_key(row: dict[str, Any]) -> tuple[str, str]:
    return row["name"], row["id"]


def main() -> None:
    """Serve on the first port given, over the others."""
    port, *shards = sys.argv[1:]
    gateway = Gateway([f"http://127.0.0.1:{shard}" for shard in shards])
    app = web.Application()
    app.on_startup.append(gateway.open)
    app.router.add_get("/v3/events", gateway.gather)
    app.router.add_route("*", "/{path:.*}", gateway.relay)
    loop = uvloop.new_event_loop()
    web.run_app(app, host="127.0.0.1", port=int(port), loop=loop, access_log=None, print=None, backlog=4096)


if __name__ == "__main__":
    main()
