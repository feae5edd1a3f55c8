"""Replies that are kept (RFC 9111): what is, for whom, for how long, and what answers where shards fail."""

import asyncio
import json
from email.utils import formatdate
from typing import Any

import pytest

from shardgate.core.plan.explain import explain
from shardgate.core.plan.planner import plan_request
from tests.cluster import Asked, leave, reply, rows, running_shard, until
from tests.core.requests import request

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "number"}}
PUBLIC = "Cache-Control: public, max-age=60\r\n"


class App:
    """A shard whose replies are numbered."""

    def __init__(self, fields: str = PUBLIC) -> None:
        self.fields = fields
        self.asked: list[Asked] = []
        self.fails = ""
        self.status = "200 OK"

    def __call__(self, asked: Asked) -> bytes:
        self.asked.append(asked)
        if self.fails:
            return reply(status=self.fails)
        if asked.line.startswith("GET /rows"):
            return rows({"id": len(self.asked)}, fields=self.fields)
        tag = self.fields.partition("ETag: ")[2].partition("\r\n")[0]
        if tag and tag in asked.field("if-none-match"):
            return f"HTTP/1.1 304 Not Modified\r\n{self.fields}\r\n".encode()
        data = reply(f'{{"n": {len(self.asked)}}}', fields=self.fields, status=self.status)
        return data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if asked.line.startswith("HEAD") else data


@pytest.fixture
def start(start_shard: Any, start_gateway: Any) -> Any:
    async def started(*apps: Any, cache: Any = True, clock: Any = None, **more: Any) -> Any:
        shards = {f"s{n}": (await start_shard(app)).url for n, app in enumerate(apps)}
        one = {"rule": "one", "key": "path.id", "locate": "vendor"}
        rules = {
            "GET /things/{id}": {**one, "cache": cache},
            "PUT|POST|DELETE /things/{id}": one,
            "GET /about": {"rule": "any", "cache": cache},
            "GET /rows": {"rule": "gather", "merge": LIST, "cache": cache},
            **more.pop("rules", {}),
        }
        config = {"shards": shards, "rules": rules, "locators": {"vendor": [{"kind": "hash"}]}, "admin": "127.0.0.1:0"}
        return await start_gateway({**config, **more})

    return started


def status(answer: Any) -> str:
    return str(answer.headers["cache-status"]).removeprefix("shardgate; ")


async def count(gateway: Any, result: str) -> int:
    gateway.tick()
    text = (await gateway.admin("/metrics")).text
    line = next(each for each in text.splitlines() if f'cache_requests_total{{result="{result}"}}' in each)
    return int(line.split()[-1])


async def test_a_public_reply_is_kept_and_says_its_age(start: Any) -> None:
    app = App(PUBLIC + "Age: 7\r\n")
    gateway = await start(app)
    first, second = await gateway.get("/things/1"), await gateway.get("/things/1")
    assert status(first) == "fwd=uri-miss; stored"
    assert second.json() == {"n": 1}
    assert int(second.headers["age"]) in {7, 8}
    assert status(second).startswith("hit; ttl=5")
    assert second.headers["cache-control"] == "public, max-age=60"
    assert len(app.asked) == 1
    assert (await count(gateway, "hit"), await count(gateway, "miss")) == (1, 1)


async def test_nothing_is_kept_where_no_rule_says_so(start: Any) -> None:
    app = App()
    gateway = await start(app, cache=False)
    answers = [await gateway.get("/things/1") for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"n": 1}, {"n": 2}]
    assert "cache-status" not in answers[0].headers


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("", "not-public"),
        ("Cache-Control: no-store, max-age=60\r\n", "no-store"),
        ("Cache-Control: private, max-age=60\r\n", "private"),
        ('Cache-Control: private="x", max-age=60\r\n', "private"),
        (PUBLIC + "Set-Cookie: a=1\r\n", "set-cookie"),
        (PUBLIC + "Vary: *\r\n", "vary"),
        ("Cache-Control: public, max-age=0\r\n", "stale"),
        ("Cache-Control: public\r\n", "stale"),
        ("Expires: 0\r\n", "stale"),
    ],
)
async def test_what_may_not_be_kept_is_not(start: Any, fields: str, why: str) -> None:
    app = App(fields)
    gateway = await start(app)
    answers = [await gateway.get("/things/1") for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"n": 1}, {"n": 2}]
    assert status(answers[1]) == f"fwd=uri-miss; detail={why}"


@pytest.mark.parametrize("code", ["206 Partial Content", "500 Internal Server Error", "302 Found", "404 Not Found"])
async def test_no_other_status_is_kept_and_no_404_of_a_key(start: Any, code: str) -> None:
    app = App()
    app.status = code
    gateway = await start(app)
    answers = [await gateway.get("/things/1") for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"n": 1}, {"n": 2}]


async def test_no_refusal_of_several_shards_is_kept(start: Any) -> None:
    asked = []

    def refuses(request: Asked) -> bytes:
        asked.append(request)
        return reply(status="410 Gone", fields=PUBLIC)

    gateway = await start(refuses, lambda _: rows(fields="Cache-Control: private\r\n"))
    for number in (1, 2):
        answer = await gateway.get("/rows")
        assert (answer.status_code, len(asked)) == (410, number)


@pytest.mark.parametrize(
    "credentials",
    [{"Authorization": "Bearer a"}, {"Cookie": "session=1"}, {"X-Api-Key": "1"}],
)
async def test_a_reply_to_a_client_with_credentials_is_for_it_alone(start: Any, credentials: dict[str, str]) -> None:
    app = App("Cache-Control: max-age=60\r\n")
    gateway = await start(app)
    mine = await gateway.get("/things/1", headers=credentials)
    assert status(mine) == "fwd=uri-miss; detail=credentials"
    assert (await gateway.get("/things/1")).json() == {"n": 2}
    assert (await gateway.get("/things/1")).json() == {"n": 2}
    assert (await gateway.get("/things/1", headers=credentials)).json() == {"n": 3}, "nor that of others for it"


async def test_what_is_public_is_for_clients_with_credentials_too(start: Any) -> None:
    app = App()
    gateway = await start(app)
    for number in range(3):
        answer = await gateway.get("/things/1", headers={"Authorization": f"Bearer {number}", "Cookie": f"a={number}"})
        assert answer.json() == {"n": 1}


@pytest.mark.parametrize(
    "other",
    [
        {"Host": "evil.example"},
        {"X-Original-Host": "evil.example"},
        {"X-Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"X-Anything": "1"},
        {"Prefer": "shards=partial"},
    ],
)
async def test_no_field_that_the_application_may_read_poisons_what_others_get(start: Any, other: Any) -> None:
    app = App()
    gateway = await start(app)
    assert (await gateway.get("/things/1", headers=other)).json() == {"n": 1}
    assert (await gateway.get("/things/1")).json() == {"n": 2}
    assert (await gateway.get("/things/1", headers=other)).json() == {"n": 1}


@pytest.mark.parametrize(
    "twin", ["/things/1?A=1", "/things/1?a=1&a=1", "/things/1?a=%31", "/things/1", "/things/%31?a=1"]
)
async def test_twins_of_a_target_are_other_targets(start: Any, twin: str) -> None:
    app = App()
    gateway = await start(app)
    heads = [f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for target in ("/things/1?a=1", twin)]
    assert [(await gateway.raw(head))[-8:] for head in heads] == [b'{"n": 1}', b'{"n": 2}']


async def test_what_a_trusted_proxy_says_of_the_host_is_part_of_the_key(start: Any) -> None:
    # The application makes links of it, and each client of the proxy may say it.
    app = App()
    proxies = {"trusted_proxies": ["127.0.0.0/8"], "forwarded": {"also": ["X-Forwarded-Host"]}}
    gateway = await start(app, **proxies)
    evil = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "192.0.2.1"}
    assert (await gateway.get("/things/1", headers=evil)).json() == {"n": 1}
    assert app.asked[0].field("x-forwarded-host") == ["evil.example"]
    assert (await gateway.get("/things/1")).json() == {"n": 2}
    assert (await gateway.get("/things/1", headers={"X-Forwarded-For": "192.0.2.2"})).json() == {"n": 2}


async def test_variants_by_vary(start: Any) -> None:
    app = App(PUBLIC + "Vary: Accept-Language\r\n")
    gateway = await start(app)
    languages = ("pt", "en", "pt", "en")
    found = [await gateway.get("/things/1", headers={"Accept-Language": each}) for each in languages]
    assert [answer.json()["n"] for answer in found] == [1, 2, 1, 2]
    assert status(found[1]) == "fwd=vary-miss; stored"


async def test_ranges_are_asked_of_the_shard_and_not_kept(start: Any) -> None:
    app = App()
    gateway = await start(app)
    await gateway.get("/things/1", headers={"Range": "bytes=0-1"})
    assert (await gateway.get("/things/1")).json() == {"n": 2}
    assert (await gateway.get("/things/1", headers={"Range": "bytes=0-1"})).json() == {"n": 3}


async def test_a_head_is_answered_by_a_get_and_never_the_other_way(start: Any) -> None:
    app = App()
    gateway = await start(app)
    await gateway.client.head("/things/1")
    assert (await gateway.get("/things/1")).json() == {"n": 2}
    head = await gateway.client.head("/things/1")
    assert (head.text, head.headers["content-length"]) == ("", "8")
    assert status(head).startswith("hit")
    assert len(app.asked) == 2


async def test_the_request_says_what_it_takes(start: Any) -> None:
    app = App(PUBLIC + "Age: 30\r\n")
    gateway = await start(app)

    async def asks(said: str) -> Any:
        return await gateway.get("/things/1", headers={"Cache-Control": said})

    assert (await asks("only-if-cached")).json()["code"] == "SG1042"
    assert (await asks("no-store")).json() == {"n": 1}
    assert (await asks("max-age=100")).json() == {"n": 2}, "that one was not kept"
    assert (await asks("max-age=100")).json() == {"n": 2}
    assert (await asks("only-if-cached")).json() == {"n": 2}
    assert (await asks("max-age=10")).json() == {"n": 3}
    assert (await asks("min-fresh=50")).json() == {"n": 4}
    assert (await asks("no-cache")).json() == {"n": 5}
    assert (await gateway.get("/things/1", headers={"Pragma": "no-cache"})).json() == {"n": 6}
    assert (await gateway.get("/things/1")).json() == {"n": 6}


async def test_a_stale_reply_is_validated_and_the_client_notices_nothing(start: Any) -> None:
    app = App('Cache-Control: public, max-age=0\r\nETag: "a"\r\n')
    gateway = await start(app)
    first = await gateway.get("/things/1")
    second = await gateway.get("/things/1", headers={"If-None-Match": '"other"'})
    assert (second.status_code, second.json()) == (200, first.json())
    assert status(second) == "fwd=stale; fwd-status=304; ttl=0"
    assert app.asked[1].field("if-none-match") == ['"a"']
    known = await gateway.get("/things/1", headers={"If-None-Match": 'W/"a"'})
    assert (known.status_code, known.headers["etag"], known.text) == (304, '"a"', "")
    app.fields = 'Cache-Control: public, max-age=60\r\nETag: "b"\r\n'
    assert (await gateway.get("/things/1")).json() == {"n": 4}
    assert (await gateway.get("/things/1")).json() == {"n": 4}
    assert await count(gateway, "validated") == 2


async def test_a_304_renews_what_is_kept(start: Any) -> None:
    app = App('Cache-Control: public, max-age=0\r\nETag: "a"\r\n')
    gateway = await start(app)
    await gateway.get("/things/1")
    app.fields = 'Cache-Control: public, max-age=60\r\nETag: "a"\r\nX-New: 1\r\n'
    await gateway.get("/things/1")
    third = await gateway.get("/things/1")
    assert (third.json(), third.headers["x-new"], len(app.asked)) == ({"n": 1}, "1", 2)


async def test_a_client_that_knows_it_gets_304_without_a_shard(start: Any) -> None:
    date = formatdate(1_700_000_000, usegmt=True)
    app = App(PUBLIC + f'ETag: "a"\r\nLast-Modified: {date}\r\n')
    gateway = await start(app)
    await gateway.get("/things/1")
    for known in ({"If-None-Match": '"x", "a"'}, {"If-None-Match": "*"}, {"If-Modified-Since": date}):
        answer = await gateway.get("/things/1", headers=known)
        assert (answer.status_code, answer.headers["cache-control"]) == (304, "public, max-age=60")
    unknown = await gateway.get("/things/1", headers={"If-None-Match": '"x"', "If-Modified-Since": date})
    assert unknown.status_code == 200
    assert len(app.asked) == 1


async def test_a_clients_own_condition_is_asked_where_nothing_is_kept(start: Any) -> None:
    app = App(PUBLIC + 'ETag: "a"\r\n')
    gateway = await start(app)
    assert (await gateway.get("/things/1", headers={"If-None-Match": '"a"'})).status_code == 304
    assert (await gateway.get("/things/1")).json() == {"n": 2}


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_a_change_makes_old_what_is_kept_of_its_path(start: Any, method: str) -> None:
    app = App()
    gateway = await start(app)
    for target in ("/things/1", "/things/1?a=1", "/things/2"):
        await gateway.get(target)
    app.fails = "409 Conflict"
    await gateway.client.request(method, "/things/1", json={})
    assert (await gateway.get("/things/1")).json() == {"n": 1}, "an error changes nothing"
    app.fails = ""
    await gateway.client.request(method, "/things/1", json={})
    found = [(await gateway.get(target)).json()["n"] for target in ("/things/1", "/things/1?a=1", "/things/2")]
    assert found == [6, 7, 3]


async def test_a_change_whose_client_has_left_makes_old_what_is_kept(start: Any) -> None:
    go = asyncio.Event()
    app = App()

    async def answer(request: Asked) -> bytes:
        if request.line.startswith("PUT"):
            app.asked.append(request)
            await go.wait()
            return reply("{}")
        return app(request)

    rules = {"PUT /about": {"rule": "every", "mode": "eventual"}}
    gateway = await start(answer, rules=rules, store="store.db")
    await gateway.get("/about")
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"PUT /about HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
    await until(lambda: len(app.asked) == 2)
    leave(writer)
    await until(lambda: gateway.in_flight == 0)
    assert (await gateway.get("/about")).json() == {"n": 1}
    go.set()
    await until(lambda: not gateway.worker.built.gateway.changes_under_way())
    assert (await gateway.get("/about")).json() == {"n": 3}


async def test_what_was_asked_for_before_a_change_and_comes_after_it_is_not_kept(start: Any) -> None:
    go = asyncio.Event()
    asked = []

    async def answer(request: Asked) -> bytes:
        asked.append(request.line)
        if len(asked) == 1:
            await go.wait()
        return reply(f"{len(asked)}", fields=PUBLIC)

    gateway = await start(answer)
    old = asyncio.ensure_future(gateway.get("/things/1"))
    await until(lambda: asked != [])
    await gateway.client.put("/things/1", json={})
    go.set()
    await old
    assert (await gateway.get("/things/1")).text == "3"


@pytest.mark.parametrize("path", ["/things/1", "/about", "/rows"])
async def test_where_shards_fail_the_last_good_answer_is_given(start: Any, path: str) -> None:
    app = App("Cache-Control: public, max-age=0, stale-if-error=60\r\n")
    gateway = await start(app)
    good = await gateway.get(path)
    for fails in ("500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"):
        app.fails = fails
        answer = await gateway.get(path)
        assert (answer.status_code, answer.json()) == (200, good.json())
        assert status(answer).startswith(f"fwd=stale; fwd-status={fails[:3]}")
        assert "age" in answer.headers
        assert "warning" not in answer.headers
    app.fails = "404 Not Found"
    assert (await gateway.get(path)).status_code == 404
    assert await count(gateway, "stale") == 4


@pytest.mark.parametrize("path", ["/things/1", "/rows"])
async def test_a_shard_that_is_gone_is_a_failure_too(start_gateway: Any, path: str) -> None:
    one = {"rule": "one", "key": "path.id", "locate": "vendor", "cache": {"stale_if_error_s": 60}}
    rules = {"GET /things/{id}": one, "GET /rows": {"rule": "gather", "merge": LIST, "cache": {"stale_if_error_s": 60}}}
    async with running_shard(App('Cache-Control: public, max-age=0\r\nETag: "1"\r\n')) as shard:
        config = {"shards": {"s": shard.url}, "rules": rules, "locators": {"vendor": [{"kind": "hash"}]}}
        gateway = await start_gateway(config)
        good = await gateway.get(path)
        shard.kill()
        answer = await gateway.get(path)
        assert (answer.status_code, answer.json()) == (200, good.json())
        fresh = await gateway.get(path, headers={"Cache-Control": "no-cache"})
        assert fresh.status_code == 503


@pytest.mark.parametrize("word", ["must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=0"])
async def test_what_must_be_validated_is_never_given_stale(start: Any, word: str) -> None:
    app = App(f'Cache-Control: public, max-age=0, {word}\r\nETag: "a"\r\n')
    gateway = await start(app, cache={"stale_if_error_s": 60})
    await gateway.get("/things/1")
    app.fails = "503 Service Unavailable"
    assert (await gateway.get("/things/1")).status_code == 503
    assert (await gateway.get("/things/1", headers={"Cache-Control": "max-stale"})).status_code == 503


async def test_a_list_is_as_fresh_as_the_strictest_of_its_parts(start: Any) -> None:
    apps = App("Cache-Control: public, max-age=60\r\n"), App("Cache-Control: public, max-age=20\r\nAge: 5\r\n")
    gateway = await start(*apps)
    first, second = await gateway.get("/rows"), await gateway.get("/rows")
    assert first.headers["cache-control"] == "public, max-age=15"
    assert first.json() == second.json()
    assert [len(app.asked) for app in apps] == [1, 1]


@pytest.mark.parametrize("fields", ["", "Cache-Control: private\r\n", PUBLIC + "Set-Cookie: a=1\r\n"])
async def test_a_list_of_which_one_part_is_private_is_private(start: Any, fields: str) -> None:
    for apps in ((App(), App(fields)), (App(fields), App())):
        gateway = await start(*apps)
        found = [await gateway.get("/rows") for _ in range(2)]
        assert [len(app.asked) for app in apps] == [2, 2]
        assert "public" not in found[0].headers.get("cache-control", "")


@pytest.mark.parametrize("open_to_all", ["s-maxage=60", "public, max-age=60", "must-revalidate, max-age=60"])
async def test_a_list_of_which_one_part_is_not_public_is_for_no_client_with_credentials(
    start: Any, open_to_all: str
) -> None:
    apps = App(f"Cache-Control: {open_to_all}\r\n"), App("Cache-Control: max-age=60\r\n")
    gateway = await start(*apps)
    for number, token in enumerate(("a", "b"), 1):
        answer = await gateway.get("/rows", headers={"Authorization": f"Bearer {token}"})
        assert answer.json() == [{"id": number}, {"id": number}]
        said = answer.headers["cache-control"]
        assert not any(word in said for word in ("public", "s-maxage", "must-revalidate"))


async def test_a_partial_list_is_never_kept(start_gateway: Any) -> None:
    rules = {"GET /rows": {"rule": "gather", "merge": LIST, "missing": "partial", "cache": True}}
    async with running_shard(App()) as shard:
        shards = {"a": {"url": shard.url, "alias": "a"}, "b": {"url": "http://127.0.0.1:1", "alias": "b"}}
        gateway = await start_gateway({"shards": shards, "rules": rules})
        found = [await gateway.get("/rows") for _ in range(2)]
        assert [answer.json() for answer in found] == [[{"id": 1}], [{"id": 2}]]


async def test_a_list_is_validated_by_its_merged_tag(start: Any) -> None:
    app = App('Cache-Control: public, max-age=0\r\nETag: "1"\r\n')
    gateway = await start(app)
    first, second = await gateway.get("/rows"), await gateway.get("/rows")
    assert status(second).startswith("fwd=stale; fwd-status=304")
    assert second.json() == first.json()


def streamed(size: int, *, whole: bool = True) -> bytes:
    body = b"x" * size
    fields = PUBLIC if whole else f"{PUBLIC}Connection: close\r\n"
    head = f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"%x\r\n%b\r\n" % (size, body) + (b"0\r\n\r\n" if whole else b"")


async def test_a_reply_that_streams_is_kept_once_it_is_whole(start: Any) -> None:
    gateway = await start(lambda asked: streamed(300_000))
    first, second = await gateway.get("/things/1"), await gateway.get("/things/1")
    assert first.content == second.content == b"x" * 300_000
    assert status(second).startswith("hit")


async def test_a_long_reply_and_one_that_breaks_off_are_not_kept(start: Any) -> None:
    asked = []

    def answer(request: Asked) -> bytes:
        asked.append(request)
        return streamed(300_000, whole="/things/1" in request.line)

    gateway = await start(answer, cache={"reply_bytes_max": 100_000})
    for _ in range(2):
        assert len((await gateway.get("/things/1")).content) == 300_000
    assert len(asked) == 2
    gateway = await start(answer)
    for number in (3, 4):
        raw = await gateway.raw(b"GET /things/2 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert not raw.endswith(b"0\r\n\r\n")
        assert len(asked) == number


@pytest.mark.parametrize("size", [200_000, 2_000_000])
async def test_what_is_too_long_now_makes_old_what_is_kept(start: Any, size: int) -> None:
    app = App()
    gateway = await start(
        lambda asked: reply("x" * size, fields=PUBLIC) if app.asked else app(asked), cache={"reply_bytes_max": 100_000}
    )
    await gateway.get("/things/1")
    long = await gateway.get("/things/1", headers={"Cache-Control": "no-cache"})
    assert (len(long.text), status(long)) == (size, "fwd=request; detail=length")
    assert len((await gateway.get("/things/1")).text) == size


async def test_a_client_that_leaves_leaves_nothing_behind(start: Any) -> None:
    go = asyncio.Event()

    async def answer(asked: Asked) -> bytes:
        if "/things/2" in asked.line:
            return reply("2", fields=PUBLIC)
        await go.wait()
        return streamed(300_000)

    gateway = await start(answer)
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(b"GET /things/1 HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: gateway.in_flight == 1)
    leave(writer)
    await until(lambda: gateway.in_flight == 0)
    go.set()
    assert (await gateway.get("/things/2")).text == "2"
    assert gateway.worker.built.settings.held.bytes == 0


async def test_what_was_used_last_stays(start: Any) -> None:
    app = App()
    gateway = await start(app, cache={"entries_max": 2})
    for target in (1, 2, 1, 3):
        await gateway.get(f"/things/{target}")
    found = [(await gateway.get(f"/things/{target}")).json()["n"] for target in (1, 3, 2)]
    assert found == [1, 3, 4]


async def test_a_packed_reply_is_kept_packed(start: Any) -> None:
    app = App(PUBLIC + 'ETag: "a"\r\n')
    gateway = await start(app, compress={"bytes_min": 1})
    packed = {"Accept-Encoding": "gzip"}
    first = await gateway.get("/things/1", headers=packed)
    again = await gateway.get("/things/1", headers=packed)
    plain = await gateway.get("/things/1", headers={"Accept-Encoding": "identity"})
    assert (first.headers["content-encoding"], again.headers["content-encoding"]) == ("gzip", "gzip")
    assert again.json() == first.json() == {"n": 1}
    assert "content-encoding" not in plain.headers
    assert plain.json() == {"n": 2}
    known = await gateway.get("/things/1", headers={**packed, "If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.headers["etag"]) == (304, first.headers["etag"])


async def test_a_batch_is_not_answered_by_what_is_kept_and_its_changes_count(start: Any) -> None:
    app = App()
    batch = {"rule": "batch", "requests": "", "reply": {"status": "status", "body": "body"}}
    gateway = await start(app, rules={"POST /batch": batch})
    await gateway.get("/things/1")
    inner = json.dumps([{"method": "GET", "path": "/things/1"}])
    answer = await gateway.client.post("/batch", content=inner, headers={"Content-Type": "application/json"})
    assert answer.json()[0]["body"] == {"n": 2}
    inner = json.dumps([{"method": "PUT", "path": "/things/1", "body": {}}])
    await gateway.client.post("/batch", content=inner, headers={"Content-Type": "application/json"})
    assert (await gateway.get("/things/1")).json() == {"n": 4}


@pytest.mark.parametrize(
    ("line", "field", "said"),
    [
        ("GET /things/1", "X: 1", "a reply that says a time, or `public` is kept"),
        (
            "GET /things/1",
            "Cookie: a=1",
            "a reply that says `public` or `s-maxage` (the request has credentials) is kept",
        ),
        ("GET /things/1", "Range: bytes=0-1", "not for this request (range)"),
    ],
)
async def test_explain_says_whether_the_reply_may_be_kept(start: Any, line: str, field: str, said: str) -> None:
    gateway = await start(App())
    snapshot = gateway.worker.built.cluster.snapshot
    asked = request(line, field)
    route, variables = snapshot.routes.match("GET", asked.path)
    lines = explain(asked, plan_request(asked, route, variables, snapshot.known, lambda: 0.0))
    assert any(title == "cache" and text.startswith(said) for title, text in lines), lines
