"""What `check` calls right of an application's document is served: each operation, under each spelling of its path."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import Asked, Gateway, Shard, reply

ANY = {"x-shardgate": {"rule": "any"}}


class World:
    shards: list[Shard]
    gateway: Gateway

    @property
    def asked(self) -> list[str]:
        """What the shards were asked, with its method."""
        return [each.line.removesuffix(" HTTP/1.1") for shard in self.shards for each in shard.asked]


@pytest.fixture
def start(start_shard: Any, start_gateway: Any, tmp_path: Path) -> Any:
    async def started(document: Any, **more: Any) -> World:
        def answer(asked: Asked) -> bytes:
            return reply("{}", fields=f"X-Asked: {asked.line.partition(' ')[2]}\r\n")

        world = World()
        world.shards = [await start_shard(answer) for _ in range(2)]
        (tmp_path / "api.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        urls = {f"s{number}": shard.url for number, shard in enumerate(world.shards)}
        world.gateway = await start_gateway({"shards": urls, "openapi": "api.yaml", **more})
        return world

    return started


async def status(world: World, target: str, method: str = "GET") -> int:
    """The status of a request whose target is sent byte for byte."""
    received = await world.gateway.raw(f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
    return int(received.split(b" ")[1])


async def test_r2_a_servers_path_is_a_part_of_each_path(start: Any) -> None:
    world = await start({"servers": [{"url": "/v3"}], "paths": {"/items": {"get": ANY}}})
    assert await status(world, "/v3/items") == 200
    assert await status(world, "/items") == 404
    assert world.asked == ["GET /v3/items"]


async def test_r2_the_base_path_of_swagger_2(start: Any) -> None:
    world = await start({"swagger": "2.0", "basePath": "/v3", "paths": {"/items": {"get": ANY}}})
    assert await status(world, "/v3/items") == 200


async def test_r2_a_path_item_behind_a_reference_is_served(start: Any, tmp_path: Path) -> None:
    (tmp_path / "item.yaml").write_text(yaml.safe_dump({"get": ANY, "delete": ANY}))
    paths = {"/items/{id}": {"$ref": "item.yaml"}, "/other": {"$ref": "#/components/pathItems/other"}}
    world = await start({"paths": paths, "components": {"pathItems": {"other": {"put": ANY}}}})
    for method, target in (("GET", "/items/7"), ("DELETE", "/items/7"), ("PUT", "/other")):
        assert await status(world, target, method) == 200


@pytest.mark.parametrize("written", ["/straße/{öl}/é", "/stra%C3%9Fe/{öl}/%c3%a9"])
@pytest.mark.parametrize("asked", ["/stra%C3%9Fe/x/%C3%A9", "/stra%c3%9fe/%78/%c3%a9", "/%73tra%C3%9Fe/%C3%B6/%C3%A9/"])
async def test_r2_the_encoded_forms_of_a_path_are_equal(start: Any, written: str, asked: str) -> None:
    world = await start({"paths": {written: {"get": ANY}, "/x-y": {"get": ANY}}})
    assert await status(world, asked) == 200
    assert world.asked == [f"GET {asked}"]


async def test_r2_keys_below_paths_that_are_no_paths_are_passed_over(start: Any) -> None:
    world = await start({"paths": {"x-text": "a", "x-list": [1], "x-map": {"get": {}}, "/x": {"get": ANY}}})
    assert await status(world, "/x") == 200


async def test_r3_a_slash_at_the_end_makes_two_routes_where_it_is_distinct(start: Any) -> None:
    one = {"x-shardgate": {"rule": "one", "key": "path.id", "locate": "l", "unknown": "ask"}}
    chain = {"l": [{"kind": "hash", "overrides": {"7": "s1"}}]}
    paths = {"/items": {"get": ANY}, "/items/": {"get": {}}, "/t/{id}": {"get": ANY}, "/t/{id}/": {"get": one}}
    world = await start(
        {"paths": paths}, trailing_slash="distinct", locators=chain, unserved={"GET /items/": "not here"}
    )
    assert [await status(world, target) for target in ("/items", "/items/", "/t/7", "/t/7/", "/t/8/x")] == [
        200, 501, 200, 200, 404,
    ]  # fmt: skip
    assert [each.line for each in world.shards[1].asked if "/t/7/" in each.line] == ["GET /t/7/ HTTP/1.1"]


async def test_r3_both_have_the_same_method_with_different_variables(start: Any) -> None:
    paths = {"/a/{x}": {"get": ANY}, "/a/{y}/": {"get": ANY}, "/a/{y}/b": {"get": ANY}, "/a/{x}/b/": {"get": ANY}}
    world = await start({"paths": paths}, trailing_slash="distinct")
    for target in ("/a/1", "/a/1/", "/a/1/b", "/a/1/b/"):
        assert await status(world, target) == 200
