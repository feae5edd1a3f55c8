"""A batch: each request in it is served by its own rule, and the reply is that of one instance with all the data."""

import asyncio
import json
from typing import Any

import pytest

from tests.cluster import Asked, reply, until

RULES = {
    "GET /rows": {
        "rule": "gather",
        "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}},
    },
    "POST /rows": {"rule": "one", "key": "body.owner", "locate": "row", "learn": {"row": "id"}},
    "GET /rows/{id}": {"rule": "one", "key": "path.id", "locate": "row"},
    "PUT /rows/{id}": {"rule": "one", "key": "path.id", "locate": "row"},
    "DELETE /rows/{id}": {"rule": "one", "key": "path.id", "locate": "row"},
    "GET /stream": {"rule": "any"},
}
PARSE = {"rule": "batch", "reply": {"success": "success", "error": "error"}, "refuse": ["transaction"]}
GRAPH = {
    "rule": "batch",
    "request": {"path": "url", "id": "id", "headers": "headers"},
    "replies": "responses",
    "reply": {"id": "id", "status": "status", "body": "body"},
    "refuse": ["dependsOn"],
    "at_once": 3,
}
LOCATORS = {"row": [{"kind": "prefix", "shards": {"a": "a", "b": "b"}}]}


class Instance:
    """An application with rows, and with both kinds of batches itself."""

    def __init__(self, *ids: str) -> None:
        self.rows: dict[str, Any] = {each: {"id": each, "n": 0} for each in ids}
        self.heads: list[bytes] = []
        self.made = 0

    def answer(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split(" ")
        self.heads.append(asked.head)
        if target == "/batch":
            done = [
                self.one(each["method"], each["path"], each.get("body")) for each in json.loads(asked.body)["requests"]
            ]
            return sent(200, [{"success" if status < 400 else "error": body} for status, body in done])
        if target == "/$batch":
            given = json.loads(asked.body)["requests"]
            done = [self.one(each["method"], each["url"], each.get("body")) for each in given]
            pairs = zip(given, done, strict=True)
            return sent(200, {"responses": [{"id": e["id"], "status": s, "body": b} for e, (s, b) in pairs]})
        if target == "/stream":
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
        return sent(*self.one(method, target, json.loads(asked.body) if asked.body else None))

    def one(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        path = target.partition("?")[0]
        if path == "/rows" and method == "GET":
            return 200, [self.rows[each] for each in sorted(self.rows)]
        if path == "/rows":
            self.made += 1
            row = {"id": f"{body['owner'][0]}-new{self.made}", **body}
            self.rows[row["id"]] = row
            return 201, row
        name = path.removeprefix("/rows/")
        if name not in self.rows:
            return 404, {"error": f"no row {name}"}
        if method == "PUT":
            self.rows[name].update(body)
        return 200, self.rows.pop(name) if method == "DELETE" else dict(self.rows[name])


def sent(status: int, body: Any) -> bytes:
    return reply(json.dumps(body, separators=(",", ":")), status=f"{status} X")


class World:
    """Two shards behind a gateway, and one instance with all of their rows."""

    def __init__(self, shards: list[Instance], gateway: Any, one: Any) -> None:
        self.shards, self.gateway, self.one = shards, gateway, one

    async def both(self, target: str, requests: list[Any]) -> tuple[Any, Any]:
        body = {"requests": requests}
        return await self.gateway.client.post(target, json=body), await self.one.client.post(target, json=body)


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    ids = ("a-1", "a-2"), ("b-1", "b-2")
    shards, whole = [Instance(*each) for each in ids], Instance(*ids[0], *ids[1])
    urls = {name: (await start_shard(shard.answer)).url for name, shard in zip("ab", shards, strict=True)}
    rules = {**RULES, "POST /batch": PARSE, "POST /$batch": GRAPH, "POST /few": {**PARSE, "requests_max": 2}}
    gateway = await start_gateway({"shards": urls, "rules": rules, "locators": LOCATORS, "store": "store.db"})
    one_url = (await start_shard(whole.answer)).url
    any_rules = {"POST /batch": {"rule": "any"}, "POST /$batch": {"rule": "any"}, "GET /rows": {"rule": "any"}}
    return World(shards, gateway, await start_gateway({"shards": {"one": one_url}, "rules": any_rules}))


PARSED = [
    {"method": "GET", "path": "/rows/b-1"},
    {"method": "PUT", "path": "/rows/a-1", "body": {"n": 7}},
    {"method": "GET", "path": "/rows/none", "body": None},
    {"method": "GET", "path": "/rows"},
    {"method": "DELETE", "path": "/rows/b-2"},
    {"method": "GET", "path": "/rows?order=id"},
]


async def test_l16_a_batch_is_answered_as_by_one_instance(world: World) -> None:
    merged, single = await world.both("/batch", PARSED[:2] + PARSED[3:])
    assert merged.status_code == single.status_code == 200
    assert merged.content == single.content
    assert merged.headers["content-type"] == single.headers["content-type"]
    assert (await world.gateway.get("/rows")).content == (await world.one.get("/rows")).content


async def test_l16_fields_of_every_reply_are_those_of_the_batch(start_shard: Any, start_gateway: Any) -> None:
    # Found: Parse Server's reply to a batch has its CORS fields, without which no browser shows it to a page.
    def answer(asked: Any) -> bytes:
        name = asked.line.split()[1].removeprefix("/rows/")
        fields = 'Access-Control-Allow-Origin: *\r\nvary: Origin\r\nETag: "x"\r\nX-Own: 1\r\n' if name == "b-1" else ""
        kind = "application/json; charset=utf-8" if name == "b-1" else "text/html"
        return reply('{"a":1}', fields=fields).replace(b"application/json", kind.encode(), 1)

    shards = {name: (await start_shard(answer)).url for name in "ab"}
    fields = ["access-control-allow-origin", "Vary", "Content-Type", "ETag", "X-None"]
    rules = {**RULES, "POST /batch": {**PARSE, "fields": fields}, "POST /bare": PARSE}
    gateway = await start_gateway({"shards": shards, "rules": rules, "locators": LOCATORS, "store": "store.db"})
    body = {"requests": [{"method": "GET", "path": f"/rows/{each}"} for each in ("a-1", "b-1")] + [{"method": "GET"}]}
    said = (await gateway.client.post("/batch", json=body)).headers
    assert (said["access-control-allow-origin"], said["vary"]) == ("*", "Origin")
    assert said["content-type"] == "application/json; charset=utf-8"
    assert (said["etag"][:3], len(said["etag"])) == ('W/"', 36)
    assert not {"x-own", "x-none"} & {*said}
    bare = (await gateway.client.post("/bare", json=body)).headers
    assert bare["content-type"] == "application/json"
    assert "vary" not in bare
    assert (await gateway.client.post("/batch", json={"requests": []})).headers["content-type"] == "application/json"


async def test_l16_with_ids_and_statuses_and_several_at_once(world: World) -> None:
    requests = [{"id": str(n), "url": f"/rows/{each}", "method": "get"} for n, each in enumerate(["b-1", "a-2", "a-9"])]
    requests.append({"id": 7, "url": "/rows", "method": "GET", "headers": {"X-Inner": "1"}})
    asked = [{**each, "method": "GET"} for each in requests]
    _, single = await world.both("/$batch", asked)
    merged, _ = await world.both("/$batch", requests)
    assert merged.json() == single.json()
    assert [each["status"] for each in merged.json()["responses"]] == [200, 200, 404, 200]
    assert any(b"X-Inner: 1" in head for head in world.shards[0].heads)


class Strange(Instance):
    """Its batches stand deeper, answer with 207, end at the first failure, and write an empty body as nothing."""

    def answer(self, asked: Asked) -> bytes:
        if not asked.line.startswith("POST /multi "):
            return super().answer(asked)
        done = []
        for each in json.loads(asked.body)["data"]["ops"]:
            parts = "&".join(f"{name}={value}" for name, value in each.get("params", {}).items())
            target = each["href"] + (f"?{parts}" if parts else "")
            status, body = self.one(each.get("method", "GET"), target, each.get("json"))
            done.append({"code": status, "payload": json.dumps(body, separators=(",", ":"))})
            if status >= 400:
                break
        return sent(207, {"data": {"results": done}})


MULTI = {
    "rule": "batch",
    "requests": "data.ops",
    "request": {"path": "href", "query": "params", "body": "json", "method_default": "GET"},
    "replies": "data.results",
    "reply": {"status": "code", "body": "payload", "body_is": "text"},
    "status": 207,
    "ends_at_failure": True,
    "passes": ["trace"],
}


async def test_l16_another_envelope_status_and_end(start_shard: Any, start_gateway: Any) -> None:
    shards = Strange("a-1", "a-2"), Strange("b-1", "b-2")
    whole = Strange("a-1", "a-2", "b-1", "b-2")
    urls = {name: (await start_shard(shard.answer)).url for name, shard in zip("ab", shards, strict=True)}
    rules = {**RULES, "POST /multi": MULTI}
    gateway = await start_gateway({"shards": urls, "rules": rules, "locators": LOCATORS, "store": "store.db"})
    one = (await start_shard(whole.answer)).url
    batches: list[list[Any]] = [
        [{"href": "/rows/b-1"}, {"href": "/rows/a-1", "method": "PUT", "json": {"n": 7}}],
        [{"href": "/rows", "params": {"order": "id"}}, {"href": "/rows", "params": {}, "json": None}],
        [{"href": "/rows/a-2", "method": "DELETE"}, {"href": "/rows/x"}, {"href": "/rows/b-2", "method": "DELETE"}],
        [],
    ]
    for batch in batches:
        body = {"data": {"ops": batch}, "trace": "x"}
        merged = await gateway.client.post("/multi", json=body)
        single = await gateway.client.post(f"{one}/multi", json=body)
        assert (merged.status_code, merged.text) == (single.status_code, single.text)
    assert "b-2" in shards[1].rows


@pytest.mark.parametrize("query", ["?atomic=true", "?transaction="])
async def test_l16_a_parameter_of_the_batch_that_no_word_names_is_refused(world: World, query: str) -> None:
    answer = await world.gateway.client.post(f"/batch{query}", json={"requests": PARSED})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1031")
    assert not any(shard.heads for shard in world.shards)


async def test_l16_a_get_whose_body_is_null_has_none(world: World) -> None:
    await world.gateway.client.post("/batch", json={"requests": [PARSED[2], {**PARSED[0], "body": None}]})
    assert not any(b"content-length" in head.lower() for shard in world.shards for head in shard.heads)


async def test_l16_an_error_is_its_own_requests(world: World) -> None:
    bad: list[Any] = [
        {"method": "GET"},
        {"method": 7, "path": "/rows"},
        {"method": "GET /x HTTP/1.1\r\nX: y\r\n\r\nGET", "path": "/rows"},
        {"method": "GET", "path": "/rows\r\nX-Evil: 1"},
        {"method": "GET", "path": "/none"},
        {"method": "GET", "path": "/a/../rows"},
        {"method": "POST", "path": "/rows", "body": {"owner": "c-1"}},
        {"method": "GET", "path": "/rows", "Path": "/rows/a-1"},
        {"method": "POST", "path": "/batch", "body": {"requests": []}},
        {"method": "GET", "path": "/stream"},
        7,
    ]
    answer = await world.gateway.client.post(
        "/batch", json={"requests": [*bad, {"method": "GET", "path": "/rows/a-1"}]}
    )
    assert answer.status_code == 200
    *errors, last = answer.json()
    assert last == {"success": {"id": "a-1", "n": 0}}
    codes = [each["error"]["code"] for each in errors]
    assert codes == [
        *("SG1031", "SG1031", "SG1031", "SG1004", "SG1004", "SG1003", "SG1011", "SG1002", "SG1031", "SG1031", "SG1031"),
    ]
    assert not any(b"evil" in head.lower() for shard in world.shards for head in shard.heads)


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("/batch", b"", 400),
        ("/batch", b"[]", 400),
        ("/batch", b'{"requests":{}}', 400),
        ("/batch", b'{"requests":[],"requests":[]}', 400),
        ("/batch", b'{"Requests":[],"requests":[]}', 400),
        ("/batch", b'{"requests":[],"transaction":true}', 400),
        ("/few", json.dumps({"requests": [{"method": "DELETE", "path": "/rows/a-1"}] * 3}).encode(), 413),
        ("/batch", b'{"requests":[],"transaction":false}', 200),
        ("/batch", b'{"requests":[]}', 200),
    ],
)
async def test_l16_what_is_no_batch_is_refused_whole(world: World, target: str, body: bytes, status: int) -> None:
    answer = await world.gateway.client.post(target, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert not any(shard.heads for shard in world.shards)


async def test_l16_a_batch_that_is_sent_again_does_nothing_twice(world: World) -> None:
    requests = [{"method": "POST", "path": "/rows", "body": {"owner": f"{each}-x"}} for each in "aba"]
    headers = {"Idempotency-Key": '"k1"', "Authorization": "Bearer x"}
    answers = [
        await world.gateway.client.post("/batch", json={"requests": requests}, headers=headers) for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert [shard.made for shard in world.shards] == [2, 1]
    other = [{**requests[0], "body": {"owner": "b-x"}}, *requests[1:]]
    answer = await world.gateway.client.post("/batch", json={"requests": other}, headers=headers)
    assert answer.json()[0]["error"]["status"] == 422
    assert answer.json()[1:] == answers[0].json()[1:]


async def test_l16_inner_requests_have_the_clients_credentials_and_no_condition(world: World) -> None:
    headers = {"Authorization": "Bearer t", "If-Match": '"x"', "Accept-Language": "fi", "Range": "bytes=0-1"}
    await world.gateway.client.post(
        "/batch", json={"requests": [{"method": "GET", "path": "/rows/a-1"}]}, headers=headers
    )
    (head,) = world.shards[0].heads
    assert b"Authorization: Bearer t\r\n" in head
    assert b"Accept-Language: fi\r\n" in head
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in head
    assert b"If-Match" not in head
    assert b"Range" not in head
    assert b"Content-Length" not in head
    assert b".0\r\n" in head[head.index(b"X-Request-Id") :]


async def test_l16_the_client_leaves_and_no_further_request_begins(start_shard: Any, start_gateway: Any) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def answer(asked: Asked) -> bytes:
        begun.set()
        await never.wait()
        raise AssertionError

    shard = await start_shard(answer)
    rules = {"GET /x": {"rule": "any"}, "POST /batch": PARSE}
    gateway = await start_gateway({"shards": {"a": shard.url}, "rules": rules})
    body = json.dumps({"requests": [{"method": "GET", "path": "/x"}] * 3}).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"POST /batch HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await begun.wait()
    writer.transport.abort()

    async def is_over() -> bool:
        return gateway.in_flight == 0

    await until(is_over)
    assert len(shard.asked) == 1
    assert gateway.worker.built.settings.held.bytes == 0


async def test_l16_the_replies_are_bounded_together(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda _: reply('"' + "x" * 3000 + '"'))
    rules = {"GET /x": {"rule": "any"}, "POST /batch": PARSE}
    config = {"shards": {"a": shard.url}, "rules": rules, "limits": {"merge_bytes_max": 8000}}
    gateway = await start_gateway(config)
    answer = await gateway.client.post("/batch", json={"requests": [{"method": "GET", "path": "/x"}] * 4})
    assert ["success" in each for each in answer.json()] == [True, True, False, False]
    assert answer.json()[3]["error"]["code"] == "SG2005"
    assert gateway.in_flight == 0
