"""A client that got a packed reply can change what it read, as at one instance."""

import re
from typing import Any

import pytest

from tests.cluster import Asked, reply

BODY = b"[" + b"1," * 2000 + b"1]"
RULES = {
    "GET /it": {"rule": "any"},
    "PUT /it": {"rule": "any"},
    "GET /all": {"rule": "gather", "merge": {"kind": "first"}},
}
PACKED = {"Accept-Encoding": "gzip"}


class Instance:
    """An application that compares tags strictly (RFC 9110 section 13.1), or as bare texts."""

    def __init__(self, tag: str, *, strictly: bool = True) -> None:
        self.tag = tag
        self.strictly = strictly

    def answer(self, asked: Asked) -> bytes:
        tag = f"ETag: {self.tag}\r\n"
        wanted, known = (
            [tag.strip() for line in asked.field(name) for tag in line.split(",")]
            for name in ("if-match", "if-none-match")
        )
        if asked.line.startswith("PUT"):
            passes = not wanted or (self.tag in wanted and not (self.strictly and self.tag.startswith("W/")))
            return reply("{}", fields=tag) if passes else reply("{}", status="412 Precondition Failed")
        if known and self.tag.removeprefix("W/") in [each.removeprefix("W/") for each in known]:
            return f"HTTP/1.1 304 Not Modified\r\n{tag}\r\n".encode()
        return reply(BODY, fields=tag + "Content-Digest: sha-256=:abc=:\r\nRepr-Digest: sha-256=:abc=:\r\n")


async def served(instance: Instance, start_shard: Any, start_gateway: Any, **config: Any) -> Any:
    shard = await start_shard(instance.answer)
    return await start_gateway({"shards": {"a": shard.url}, "rules": RULES, "compress": {}, **config})


@pytest.mark.parametrize(("tag", "strictly"), [('"v1"', True), ('W/"v1"', False), ('W/"v1"', True)])
async def test_r9_if_match_with_a_packed_replys_tag(
    start_shard: Any, start_gateway: Any, tag: str, *, strictly: bool
) -> None:
    gateway = await served(Instance(tag, strictly=strictly), start_shard, start_gateway)
    got = await gateway.get("/it", headers=PACKED)
    assert got.headers["content-encoding"] == "gzip"
    expected = 412 if strictly and tag.startswith("W/") else 200  # as at the instance itself
    put = await gateway.client.put("/it", json={}, headers={"If-Match": got.headers["etag"]})
    assert put.status_code == expected
    stale = await gateway.client.put("/it", json={}, headers={"If-Match": re.sub("v1", "v0", got.headers["etag"])})
    assert stale.status_code == 412


async def test_r9_a_change_with_an_idempotency_key_too(start_shard: Any, start_gateway: Any) -> None:
    store = {"store": "store.db"}
    gateway = await served(Instance('"v1"'), start_shard, start_gateway, **store)
    tag = (await gateway.get("/it", headers=PACKED)).headers["etag"]
    headers = {"If-Match": tag, "Idempotency-Key": "k1"}
    assert (await gateway.client.put("/it", json={}, headers=headers)).status_code == 200


async def test_r9_a_304_has_the_tag_of_the_packed_reply(start_shard: Any, start_gateway: Any) -> None:
    gateway = await served(Instance('"v1"'), start_shard, start_gateway)
    got = await gateway.get("/it", headers=PACKED)
    again = await gateway.get("/it", headers={**PACKED, "If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, got.headers["etag"])
    assert again.headers["vary"] == got.headers["vary"]
    plain = await gateway.get("/it", headers={"Accept-Encoding": "identity"})
    again = await gateway.get("/it", headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, '"v1"')


async def test_r9_a_packed_or_merged_reply_has_no_digest_of_other_bytes(start_shard: Any, start_gateway: Any) -> None:
    gateway = await served(Instance('"v1"'), start_shard, start_gateway)
    plain = await gateway.get("/it", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-digest"] == plain.headers["repr-digest"] == "sha-256=:abc=:"
    for target in ("/it", "/all"):
        got = await gateway.get(target, headers=PACKED)
        assert got.content == BODY
        assert not {"content-digest", "repr-digest"} & {*got.headers}


@pytest.mark.parametrize("written", ['"v1-shardgate-gzip"', 'w/"v1-shardgate-gzip"', '"v7" ,W/"v1-shardgate-gzip"'])
async def test_r9_a_client_that_takes_the_weakness_off_can_change_what_it_read(
    written: str, start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(Instance('"v1"').answer)
    gateway = await start_gateway({"shards": {"a": shard.url}, "rules": RULES, "compress": {}})
    assert (await gateway.get("/it", headers=PACKED)).headers["etag"] == 'W/"v1-shardgate-gzip"'
    put = await gateway.client.put("/it", json={}, headers={"If-Match": written})
    assert (put.status_code, shard.asked[-1].field("if-match")) == (
        200,
        [re.sub(r"[Ww]/|-shardgate-gzip", "", written)],
    )
    again = await gateway.get("/it", headers={**PACKED, "If-None-Match": written})
    assert (again.status_code, again.headers["etag"]) == (304, 'W/"v1-shardgate-gzip"')


async def test_r9_a_304_of_a_gather_has_the_tag_of_the_packed_reply(start_shard: Any, start_gateway: Any) -> None:
    gateway = await served(Instance('"v1"'), start_shard, start_gateway)
    got = await gateway.get("/all", headers=PACKED)
    assert got.headers["etag"] == 'W/"v1-shardgate-gzip"'
    again = await gateway.get("/all", headers={**PACKED, "If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.headers["etag"]) == (304, got.headers["etag"])
    assert again.headers["vary"] == got.headers["vary"]
