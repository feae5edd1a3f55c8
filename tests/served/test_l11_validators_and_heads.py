"""Lists whose validators are those of their newest row, and totals that only HEAD tells: as at one instance."""

import json
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.cluster import Asked, reply

LIST = {"kind": "list", "dialect": {"kind": "offset", "count_header": "X-Total"}, "keys": {"id": "number"}}
NEWEST = {"etag": "latest", "needs": "any"}
GATHER = {"rule": "gather", "merge": LIST, "validators": NEWEST, "head": "asked"}
EPOCH = 1_780_000_000


class Instance:
    """An application: ETag and Last-Modified are the newest row's, and the total is told by HEAD alone."""

    def __init__(self, *ids: int) -> None:
        self.changed = {each: EPOCH + each for each in ids}
        self.empty_status = 200
        self.asked: list[str] = []

    def answer(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split(" ")
        self.asked.append(method)
        values = parse_qs(urlsplit(target).query)
        start, limit = int(values.get("offset", ["0"])[0]), int(values.get("limit", ["100"])[0])
        shown = sorted(self.changed)[start : start + limit]
        fields = ""
        if self.changed:
            newest = max(self.changed, key=lambda each: (self.changed[each], each))
            fields += f'ETag: "{newest}-{self.changed[newest]}"\r\n'
            fields += f"Last-Modified: {formatdate(self.changed[newest], usegmt=True)}\r\n"
        if not self.changed and self.empty_status != 200:
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        body = json.dumps([{"id": each} for each in shown], separators=(",", ":")).encode()
        if method == "HEAD":
            fields += f"X-Total: {len(self.changed)}\r\n"
            return reply(body, fields=fields).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        known = asked.field("if-none-match")
        if known and fields and known[0] in fields:
            return f"HTTP/1.1 304 Not Modified\r\n{fields}\r\n".encode()
        return reply(body, fields=fields)


class Served:
    """Shards behind a gateway, and one instance with all of their rows."""

    def __init__(self, shards: list[Instance], gateway: Any, one: Any) -> None:
        self.shards, self.gateway, self.one = shards, gateway, one

    async def both(self, method: str, target: str, **headers: str) -> tuple[Any, Any]:
        merged = await self.gateway.client.request(method, target, headers=headers)
        single = await self.one.client.request(method, target, headers=headers)
        return merged, single


@pytest.fixture
async def serve(start_shard: Any, start_gateway: Any) -> Any:
    async def serve(*shards: Instance, rules: Any = None, whole: Instance | None = None) -> Served:
        whole = whole or Instance(*(each for shard in shards for each in shard.changed))
        urls = {f"s{n}": (await start_shard(shard.answer)).url for n, shard in enumerate(shards)}
        gateway = await start_gateway({"shards": urls, "rules": rules or {"GET /rows": GATHER}})
        any_rules = {"GET /rows": {"rule": "any"}, "HEAD /rows": {"rule": "any"}}
        one = await start_gateway({"shards": {"one": (await start_shard(whole.answer)).url}, "rules": any_rules})
        return Served(list(shards), gateway, one)

    return serve


def said(answer: Any) -> tuple[int, bytes, Any, Any, Any]:
    headers = answer.headers
    return (
        answer.status_code,
        answer.content,
        headers.get("etag"),
        headers.get("last-modified"),
        headers.get("x-total"),
    )


@pytest.mark.parametrize("shards", [[(1, 4), (2, 3)], [(1, 2), ()], [(), ()], [(1, 5), (), (2, 9)]])
async def test_l11_the_newest_rows_validators_are_the_lists(serve: Any, shards: list[tuple[int, ...]]) -> None:
    served = await serve(*(Instance(*ids) for ids in shards))
    for method in ("GET", "HEAD"):
        for target in ("/rows", "/rows?limit=2", "/rows?limit=1&offset=1"):
            merged, single = await served.both(method, target)
            assert said(merged) == said(single), (method, target)


async def test_l11_a_conditional_request_is_answered_as_by_one_instance(serve: Any) -> None:
    served = await serve(Instance(1, 4), Instance(2))
    _, single = await served.both("GET", "/rows")
    tag = single.headers["etag"]
    again, alone = await served.both("GET", "/rows", **{"If-None-Match": tag})
    assert again.status_code == alone.status_code == 304
    assert (again.headers["etag"], again.content) == (tag, b"")
    since = {"If-Modified-Since": single.headers["last-modified"]}
    for method in ("GET", "HEAD"):
        assert (await served.gateway.client.request(method, "/rows", headers=since)).status_code == 304
    served.shards[1].changed[7] = EPOCH + 7
    for known in ({"If-None-Match": tag}, since):
        assert (await served.gateway.get("/rows", headers=known)).status_code == 200


async def test_l11_two_newest_rows_of_one_second_have_a_tag_of_both(serve: Any) -> None:
    """One second has room for two changes: the tag must change with each of them."""
    served = await serve(Instance(1), Instance(2))
    for shard in served.shards:
        shard.changed = dict.fromkeys(shard.changed, EPOCH)
    tag = (await served.gateway.get("/rows")).headers["etag"]
    for shard in served.shards:
        shard.changed = {each + 10: EPOCH for each in shard.changed}
        changed = await served.gateway.get("/rows", headers={"If-None-Match": tag})
        assert changed.status_code == 200
        tag = changed.headers["etag"]


async def test_l11_a_shard_that_has_nothing_does_not_take_the_validators_away(serve: Any) -> None:
    """Where a status says so (`not_here`), it is no matter of the rule."""
    empty = Instance()
    empty.empty_status = 204
    rule = {"rule": "gather", "merge": {**LIST, "not_here": [204]}}
    served = await serve(Instance(1, 2), empty, rules={"GET /rows": rule})
    merged = await served.gateway.get("/rows")
    tag = merged.headers["etag"]
    assert merged.headers["last-modified"] == formatdate(EPOCH + 2, usegmt=True)
    assert (await served.gateway.get("/rows", headers={"If-None-Match": tag})).status_code == 304
    empty.changed[3] = EPOCH + 3
    changed = await served.gateway.get("/rows", headers={"If-None-Match": tag})
    assert (changed.status_code, len(changed.json())) == (200, 3)


async def test_l11_rows_without_a_tag_change_the_tag_of_all(serve: Any) -> None:
    """`needs: any` with `etag: all`: the rule says that a reply without a tag has no rows, and it has."""
    gather = {"rule": "gather", "merge": LIST, "validators": {"needs": "any"}}
    first, second = Instance(1), Instance()
    served = await serve(first, second, rules={"GET /rows": gather})
    tag = (await served.gateway.get("/rows")).headers["etag"]
    assert tag.startswith('W/"')
    assert (await served.gateway.get("/rows", headers={"If-None-Match": tag})).status_code == 304
    answer = second.answer
    second.changed[2] = EPOCH
    second.answer = lambda asked: answer(asked).replace(b"ETag", b"X-Tag")  # type: ignore[method-assign]
    served = await serve(first, second, rules={"GET /rows": gather})
    assert (await served.gateway.get("/rows", headers={"If-None-Match": tag})).status_code == 200


async def test_l11_the_rule_can_say_that_there_are_no_validators(serve: Any) -> None:
    gather = {"rule": "gather", "merge": LIST, "validators": {"etag": "none", "last_modified": "none"}}
    served = await serve(Instance(1), Instance(2), rules={"GET /rows": gather})
    merged = await served.gateway.get("/rows", headers={"If-None-Match": "*", "If-Modified-Since": formatdate(2**32)})
    assert (merged.status_code, merged.headers.get("etag"), merged.headers.get("last-modified")) == (200, None, None)


async def test_l11_an_operation_head_of_its_own_is_asked_by_head(serve: Any) -> None:
    count = {"rule": "gather", "merge": {"kind": "count", "header": "X-Total"}}
    served = await serve(Instance(1, 2), Instance(3), rules={"GET /rows": GATHER, "HEAD /rows": count})
    headed = await served.gateway.client.head("/rows")
    assert (headed.status_code, headed.headers["x-total"]) == (200, "3")
    assert "content-length" not in headed.headers
    assert {method for shard in served.shards for method in shard.asked} == {"HEAD"}


async def test_l11_the_links_of_a_head_are_those_of_the_whole_list(start_shard: Any, start_gateway: Any) -> None:
    def answer(asked: Asked) -> bytes:
        if asked.line.startswith("HEAD"):
            return b"HTTP/1.1 200 OK\r\nX-Count: 3\r\nContent-Length: 20\r\n\r\n"
        return reply("[]")

    dialect = {"kind": "link_header", "count_header": "X-Count", "limit_default": 2, "limit_max": 10}
    gather = {"rule": "gather", "head": "asked", "merge": {**LIST, "dialect": dialect}}
    urls = {name: (await start_shard(answer)).url for name in "ab"}
    gateway = await start_gateway({"shards": urls, "rules": {"GET /rows": gather}})
    headed = await gateway.client.head("/rows?page=2")
    assert headed.headers["x-count"] == "6"
    pages = {rel: httpx.URL(link["url"]).params["page"] for rel, link in headed.links.items()}
    assert pages == {"first": "1", "prev": "1", "next": "3", "last": "3"}


async def test_l11_without_a_total_by_head_the_list_is_asked_by_get(start_shard: Any, start_gateway: Any) -> None:
    asked: list[str] = []

    def answer(each: Asked) -> bytes:
        asked.append(each.line.split(" ")[0])
        whole = reply(b'[{"id":1}]')
        return whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if asked[-1] == "HEAD" else whole

    urls = {name: (await start_shard(answer)).url for name in "ab"}
    gateway = await start_gateway({"shards": urls, "rules": {"GET /rows": GATHER}})
    headed = await gateway.client.head("/rows")
    assert asked == ["HEAD", "HEAD", "GET", "GET"]
    assert headed.headers["content-length"] == str(len(b'[{"id":1},{"id":1}]'))


async def test_l11_a_refusal_of_a_head_is_the_shards_own(start_shard: Any, start_gateway: Any) -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 9\r\n\r\n"
    urls = {name: (await start_shard(lambda _: refusal)).url for name in "ab"}
    gateway = await start_gateway({"shards": urls, "rules": {"GET /rows": GATHER}})
    headed = await gateway.client.head("/rows")
    assert (headed.status_code, headed.headers["x-why"]) == (403, "no")


async def test_an_application_that_gives_validators_to_a_get_alone(start_shard: Any, start_gateway: Any) -> None:
    """As Django's ConditionalGetMiddleware: a HEAD has no tag, and no condition."""
    shards = [await start_shard(lambda asked: reply('[{"id":1}]', fields='ETag: "1"\r\n')) for _ in range(2)]
    merge = {**LIST, "dialect": {"kind": "offset"}}
    rules = {"GET /rows": {"rule": "gather", "merge": merge, "validators": {"heads": False}}}
    gateway = await start_gateway({"shards": {f"s{n}": each.url for n, each in enumerate(shards)}, "rules": rules})
    tag = (await gateway.client.get("/rows")).headers["etag"]
    assert (await gateway.client.get("/rows", headers={"If-None-Match": tag})).status_code == 304
    for fields in ({}, {"If-None-Match": tag}):
        head = await gateway.client.head("/rows", headers=fields)
        assert (head.status_code, head.headers.get("etag")) == (200, None)
