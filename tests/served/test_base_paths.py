"""Shards below a path of their host (`http://host/app`): asked there in every way, and no client sees it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Asked, Gateway, Shard, reply
from tests.config.test_load import edited, mistakes

DRF = {"kind": "drf", "limit_default": 20, "limit_max": 100}
LIST = {"rule": "gather", "merge": {"kind": "list", "dialect": DRF, "keys": {"id": "number"}}}
RULES: dict[str, Any] = {
    "store": "store.db",
    "locators": {
        "item": [{"kind": "learned"}, {"kind": "probe", "path": "/items/{key}"}],
        "vendor": [{"kind": "directory"}],
    },
    "rules": {
        "GET /items": {**LIST, "learn": {"item": "id"}},
        "GET|DELETE /items/{id}": {"rule": "one", "key": "path.id", "locate": "item"},
        "PUT /settings": {"rule": "every", "check": "/settings", "undo": {"method": "POST", "path": "/undo"}},
        "ANY /**": {"rule": "any"},
    },
}


class World:
    """Two shards below `/app` and `/other/app`, and the gateway before them."""

    bases = ("/app", "/other/app")
    fields = ""
    shards: list[Shard]
    gateway: Gateway

    def answer(self, number: int) -> Any:
        base = self.bases[number]

        def said(asked: Asked) -> bytes:
            method, target, _ = asked.line.split(" ")
            if not target.startswith(f"{base}/"):
                return reply("outside", status="404 Not Found")
            path = target.removeprefix(base).partition("?")[0]
            port, host = self.shards[number].port, asked.field("host")[0]
            fields = self.fields.format(base=base, port=port, host=host)
            if path == "/items":
                body = {"count": 1, "next": f"http://{host}{base}/items?page=2", "previous": None}
                return reply(json.dumps({**body, "results": [{"id": number}]}), fields=fields)
            if path == f"/items/{1 - number}":
                return reply("{}", status="404 Not Found")
            return reply(json.dumps({"id": number, "path": path, "method": method}), fields=fields)

        return said


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    world = World()
    world.shards = [await start_shard(world.answer(number)) for number in range(2)]
    urls = {f"s{n}": f"{shard.url}{world.bases[n]}{'/' * n}" for n, shard in enumerate(world.shards)}
    world.gateway = await start_gateway({"shards": urls, **RULES})
    return world


async def test_r4_every_way_to_a_shard_leads_below_its_base_path(world: World) -> None:
    page = await world.gateway.get("/items?page_size=1")
    assert [row["id"] for row in page.json()["results"]] == [0]
    for number in (0, 1):
        for method in ("DELETE", "GET"):
            answer = await world.gateway.client.request(method, f"/items/{number}")
            assert (answer.status_code, answer.json()["id"]) == (200, number)
    assert (await world.gateway.client.put("/settings", json={})).json()["path"] == "/settings"
    assert (await world.gateway.get("/a%20b?x=/app")).json()["path"] == "/a%20b"
    asked = [(number, each) for number, shard in enumerate(world.shards) for each in shard.asked]
    assert len({number for number, _ in asked}) == 2
    for number, each in asked:
        assert each.line.split(" ")[1].startswith(f"{world.bases[number]}/"), each.line


async def test_r4_links_of_a_merged_list_are_the_clients_own(world: World) -> None:
    page = (await world.gateway.get("/items?page_size=1")).json()
    assert page["next"].partition("?")[0].endswith(f":{world.gateway.port}/items")
    assert page["next"].partition("?")[2] == "page=2&page_size=1"


@pytest.mark.parametrize("path", ["/items/0", "/items?page_size=1", "/any"])
@pytest.mark.parametrize(
    ("field", "sent", "seen"),
    [
        ("Location", "{base}/items/7?a=1", "/items/7?a=1"),
        ("Location", "{base}", "/"),
        ("Location", "{base}?a", "/?a"),
        ("Location", "{base}x/7", "{base}x/7"),
        ("Location", "/login", "/login"),
        ("Location", "items/7", "items/7"),
        ("Location", "http://{host}{base}/items/7", "http://{host}/items/7"),
        ("Location", "//{host}{base}/items/7", "//{host}/items/7"),
        ("Location", "http://127.0.0.1:{port}{base}/items/7", "http://{host}/items/7"),
        ("Location", "https://elsewhere.example{base}/x", "https://elsewhere.example{base}/x"),
        ("Content-Location", "{base}/items/7", "/items/7"),
        ("Refresh", "5; url={base}/items", "5; url=/items"),
        (
            "Link",
            '<{base}/items?page=2>; rel="next", <http://{host}{base}/items?page=1>; rel=first, </x{base}/>; rel=up',
            '</items?page=2>; rel="next", <http://{host}/items?page=1>; rel=first, </x{base}/>; rel=up',
        ),
        ("Set-Cookie", "s=1; Path={base}; HttpOnly", "s=1; Path=/; HttpOnly"),
        ("Set-Cookie", "s=1; path={base}/admin", "s=1; path=/admin"),
        ("Set-Cookie", "s={base}; Path=/", "s={base}; Path=/"),
    ],
)
async def test_r4_no_head_shows_the_base_path(world: World, path: str, field: str, sent: str, seen: str) -> None:
    world.fields = f"{field}: {sent}\r\n"
    answer = await world.gateway.get(path)
    if path.startswith("/items?") and field not in answer.headers:
        return  # not a field of merged lists
    if path.startswith("/items?") and field == "Link":
        seen = seen.rpartition(", ")[2]  # links to the list are the gateway's own
    known = [{"base": base, "host": f"127.0.0.1:{world.gateway.port}"} for base in world.bases]
    assert answer.headers[field] in [seen.format(**each) for each in known]


@pytest.mark.parametrize(
    ("host", "said"),
    [("api.test", "http://api.test:80"), ("API.test:80", "http://api.test"), ("api.test", "//api.test")],
)
async def test_r4_a_default_port_that_the_application_writes_is_the_clients_host(
    world: World, host: str, said: str
) -> None:
    # Found: behind `http://api.test:80/app/x` the client saw the base path, which is not served there.
    world.fields = f"Location: {said}{{base}}/x\r\n"
    received = await world.gateway.raw(f"GET /any/x HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert f"\r\nLocation: {said}/x\r\n".encode() in received


async def test_r4_another_port_is_another_server(world: World) -> None:
    world.fields = "Location: http://api.test:81{base}/x\r\n"
    received = await world.gateway.raw(b"GET /any/x HTTP/1.1\r\nHost: api.test\r\n\r\n")
    assert b"/app/x\r\n" in received


@pytest.mark.parametrize(
    ("url", "right"),
    [
        ("http://127.0.0.1:1/app", True),
        ("http://127.0.0.1:1/app/", True),
        ("http://127.0.0.1:1/a/b%20c/~d", True),
        ("http://127.0.0.1:1/a/../b", False),
        ("http://127.0.0.1:1/a/%2e%2e/b", False),
        ("http://127.0.0.1:1/a//b", False),
        ("http://127.0.0.1:1/a;v=1", False),
        ("http://127.0.0.1:1/a%2Fb", False),
        ("http://127.0.0.1:1/a?b", False),
        ("http://127.0.0.1:1/a?", False),
        ("'http://127.0.0.1:1/a#b'", False),
        ("http://127.0.0.1:1/é", False),
        ("http://127.0.0.1:1/a b", False),
    ],
)
def test_r4_a_base_path_is_one_that_servers_read_in_one_way(tmp_path: Path, url: str, right: bool) -> None:
    said = mistakes(tmp_path, edited(("http://127.0.0.1:1", url)))
    assert (said == []) == right, said


def test_r4_two_shards_may_share_a_host_and_not_a_base_path(tmp_path: Path) -> None:
    one = ("http://127.0.0.1:1", "http://127.0.0.1:2/a")
    assert mistakes(tmp_path, edited(one)) == []
    (said,) = mistakes(tmp_path, edited(one, ('"http://127.0.0.1:2"', '"http://127.0.0.1:2/a/"')))
    assert "is north already" in said
