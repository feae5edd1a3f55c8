"""On no way through the gateway does the head of a shard's reply tell a client the shard's address."""

from typing import Any

import pytest

from tests.cluster import Asked, Gateway, Shard, reply

RULES: dict[str, Any] = {
    "store": "store.db",
    "locators": {"thing": [{"kind": "learned"}, {"kind": "probe", "path": "/things/{key}"}]},
    "rules": {
        "GET /any": {"rule": "any"},
        "GET /things/{id}": {"rule": "one", "key": "path.id", "locate": "thing"},
        "GET /list": {
            "rule": "gather",
            "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}},
        },
        "PUT /things/{id}": {"rule": "every", "mode": "eventual"},
    },
}
INNER = "http://127.0.0.1:{port}"
FIELDS = f'Location: {INNER}/own\r\nLink: <{INNER}/own?page=2>; rel="next"\r\nX-Own: 1\r\n'
WAYS = [("GET", "/any"), ("GET", "/things/a"), ("GET", "/list"), ("PUT", "/things/a")]


class World:
    """Two shards that say the same, with the address of the first, and the gateway before them."""

    says = b""
    shards: list[Shard]
    gateway: Gateway

    def other(self, asked: Asked) -> bytes:
        """The second does not have the thing that the first has."""
        return reply("{}", status="404 Not Found") if asked.line.startswith("GET /things/") else self.answer(asked)

    def answer(self, _: Asked) -> bytes:
        return self.says.replace(b"{port}", b"%d" % self.shards[0].port)

    async def asked(self, method: str, path: str, *lines: str) -> bytes:
        """The reply, in bytes."""
        body = "{}" if method == "PUT" else ""
        fields = ["Host: Api.test", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines]
        head = "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", *fields))
        received = await self.gateway.raw(f"{head}\r\n{body}".encode())
        assert b":%d" % self.shards[0].port not in received.rpartition(b"\r\n\r\n")[0]
        return received


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    world = World()
    world.shards = [await start_shard(answer) for answer in (world.answer, world.other)]
    urls = {"north": world.shards[0].url, "south": world.shards[1].url}
    world.gateway = await start_gateway({"shards": urls, **RULES})
    return world


@pytest.mark.parametrize(("method", "path"), WAYS)
@pytest.mark.parametrize("status", ["200 OK", "302 Found", "409 Conflict"])
async def test_a_location_and_a_link_lead_to_the_clients_own_origin(
    world: World, method: str, path: str, status: str
) -> None:
    world.says = reply("[]" if path == "/list" else "{}", status=status, fields=FIELDS)
    received = await world.asked(method, path)
    assert received.startswith(b"HTTP/1.1 " + status.encode())
    assert b"\r\nLocation: http://Api.test/own\r\n" in received
    assert b'\r\nLink: <http://Api.test/own?page=2>; rel="next"\r\nX-Own: 1\r\n' in received


@pytest.mark.parametrize(("method", "path"), WAYS)
async def test_a_reason_with_an_address_is_the_registered_phrase(world: World, method: str, path: str) -> None:
    world.says = reply("{}", status=f"409 failed at {INNER}/own")
    assert (await world.asked(method, path)).startswith(b"HTTP/1.1 409 Conflict\r\n")


async def test_an_early_hint_leads_to_the_clients_own_origin(world: World) -> None:
    world.says = f"HTTP/1.1 103 Early Hints\r\nLink: <{INNER}/a.css>; rel=preload\r\n\r\n".encode() + reply("{}")
    received = await world.asked("GET", "/any")
    assert received.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: <http://Api.test/a.css>; rel=preload\r\n\r\n")


async def test_a_remembered_head_leads_each_client_to_its_own_origin(world: World) -> None:
    world.says = reply("{}", fields=FIELDS)
    await world.asked("GET", "/any")
    received = await world.gateway.raw(b"GET /any HTTP/1.1\r\nHost: other.test:81\r\n\r\n")
    assert b"\r\nLocation: http://other.test:81/own\r\n" in received


async def test_what_an_application_writes_from_its_host_passes_and_so_does_its_body(world: World) -> None:
    body = f'{{"url":"{INNER}/own"}}'
    fields = "location:   http://Api.test/a\r\nLink: </b>\r\nSet-Cookie: a=b; Domain=api.test\r\n"
    world.says = reply(body.replace("{port}", f"{world.shards[0].port}"), fields=fields)
    received = await world.asked("GET", "/any")
    assert b"\r\nlocation: http://Api.test/a\r\nLink: </b>\r\nSet-Cookie: a=b; Domain=api.test\r\n" in received
    assert received.endswith(b'{"url":"%b/own"}' % world.shards[0].url.encode())
