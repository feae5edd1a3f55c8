"""Content codings: replies are compressed for clients, and compressed replies of shards are merged."""

import gzip
import json
from typing import Any

from tests.cluster import Asked, reply

LIST = {"kind": "list", "dialect": {"kind": "offset", "count_header": "X-Total"}, "keys": {"id": "number"}}
RULES = {"rules": {"GET /items": {"rule": "gather", "merge": LIST}, "GET /any": {"rule": "any"}}}
ROWS = {"north": [{"id": n, "text": "x" * 50} for n in range(0, 40, 2)], "south": [{"id": n} for n in range(1, 41, 2)]}


def listed(name: str, *, packed: bool) -> bytes:
    body = json.dumps(ROWS[name]).encode()
    fields = "X-Total: 20\r\n" + ("Content-Encoding: gzip\r\n" if packed else "")
    return reply(gzip.compress(body) if packed else body, fields=fields)


async def test_shards_that_pack_their_replies_are_merged_like_others(start_shard: Any, start_gateway: Any) -> None:
    north = await start_shard(lambda _: listed("north", packed=True))
    south = await start_shard(lambda _: listed("south", packed=False))
    gateway = await start_gateway({"shards": {"north": north.url, "south": south.url}, **RULES})
    response = await gateway.get("/items?order=id")
    assert [row["id"] for row in response.json()] == list(range(40))
    assert response.headers["x-total"] == "40"
    assert "content-encoding" not in response.headers


async def test_a_packed_reply_that_is_broken_or_a_bomb_names_no_shard(start_shard: Any, start_gateway: Any) -> None:
    bodies = {"broken": b"nonsense", "bomb": gzip.compress(bytes(2_000_000))}
    for body in bodies.values():
        north = await start_shard(lambda _, body=body: reply(body, fields="Content-Encoding: gzip\r\n"))
        south = await start_shard(lambda _: listed("south", packed=False))
        gateway = await start_gateway(
            {"shards": {"secret": north.url, "s": south.url}, "limits": {"reply_body_bytes_max": 1_000_000}, **RULES}
        )
        response = await gateway.get("/items")
        assert response.status_code == 502
        assert "secret" not in response.text


async def test_replies_are_packed_for_clients_that_take_it(start_shard: Any, start_gateway: Any) -> None:
    def answer(asked: Asked) -> bytes:
        body = b"" if asked.line.startswith("HEAD") else b"[" + b"1," * 5000 + b"1]"
        if "/any" not in asked.line:
            return listed("north", packed=False)
        return b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "a"\r\nContent-Length: 10003\r\n\r\n' + body

    shard = await start_shard(answer)
    gateway = await start_gateway({"shards": {"north": shard.url}, "compress": {"bytes_min": 500}, **RULES})
    for target in ("/any", "/items?order=id"):
        plain = await gateway.get(target, headers={"Accept-Encoding": "identity"})
        packed = await gateway.get(target, headers={"Accept-Encoding": "gzip"})
        assert packed.content == plain.content
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert int(packed.headers.get("content-length", 0)) < len(plain.content) / 2
    assert (await gateway.get("/any")).headers["etag"] == 'W/"a-shardgate-gzip"'
    head = await gateway.client.head("/any", headers={"Accept-Encoding": "gzip"})
    assert (head.headers["content-encoding"], head.headers["etag"]) == ("gzip", 'W/"a-shardgate-gzip"')
    assert head.content == b""


async def test_without_compress_in_the_configuration_nothing_is_compressed(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(lambda _: listed("north", packed=False))
    gateway = await start_gateway({"shards": {"north": shard.url}, **RULES})
    response = await gateway.get("/any", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in response.headers
    assert "vary" not in response.headers
