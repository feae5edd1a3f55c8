"""`place`: a new tenant gets a shard, and the directory has it before the client gets the reply."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from shardgate.store.sqlite import SqliteStore
from tests.cluster import Asked, reply, running_gateway, running_shard, until
from tests.served.things import Things
from tests.waiting import one_turn

NOBODY = "http://127.0.0.1:9"
"""Where nobody listens."""

PLACE: dict[str, Any] = {"rule": "place", "space": "vendors", "key": "body.id", "check": "/vendors/{key}"}


def rules(**more: Any) -> dict[str, Any]:
    return {
        "directory": "directory.db",
        "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
        "locators": {"vendor": [{"kind": "directory", "space": "vendors"}]},
        "rules": {
            "POST /vendors": {**PLACE, **more},
            "GET /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
            "PATCH /vendors/{v}": {"rule": "one", "key": "path.v", "locate": "vendor"},
        },
    }


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    SqliteStore(tmp_path / "directory.db").close()
    return tmp_path / "directory.db"


def read(directory: Path) -> dict[str, str]:
    with SqliteStore(directory) as store:
        return store.read("vendors")


@pytest.fixture
async def two(start_shard: Any) -> Any:
    class Two:
        north, south = Things(), Things()

    Two.urls = {"north": (await start_shard(Two.north)).url, "south": (await start_shard(Two.south)).url}
    return Two


async def test_a_tenant_that_was_made_and_answered_503_without_retry_after_is_in_the_directory(
    two: Any, start_gateway: Any, directory: Path
) -> None:
    """Found: it was taken for one that was not made, so that its shard alone knew it."""

    def give_up(asked: Asked) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        two.north.act(asked)
        return reply("{}", status="503 Service Unavailable")

    two.north.says = give_up
    gateway = await start_gateway({"shards": two.urls, **rules()})
    assert (await gateway.client.post("/vendors", json={"id": "v"})).status_code == 503
    await until(lambda: read(directory) == {"v": "north"})
    assert (await gateway.client.get("/vendors/v")).status_code == 200


async def test_new_tenants_go_to_the_shard_with_the_fewest_and_are_served_at_once(
    two: Any, start_gateway: Any, directory: Path
) -> None:
    gateway = await start_gateway({"shards": two.urls, **rules()})
    for number in range(4):
        answer = await gateway.client.post("/vendors", json={"id": f"v{number}"})
        assert answer.status_code == 201
        assert read(directory)[f"v{number}"] == ("north", "south")[number % 2]
        assert (await gateway.get(f"/vendors/v{number}")).json() == {"id": f"v{number}"}
    assert (sorted(two.north.held), sorted(two.south.held)) == (["v0", "v2"], ["v1", "v3"])


async def test_an_id_that_only_the_application_makes_is_recorded_too(
    two: Any, start_gateway: Any, directory: Path
) -> None:
    gateway = await start_gateway({"shards": two.urls, **rules(key=None, check=None)})
    answer = await gateway.client.post("/vendors", json={"name": "a"})
    assert read(directory) == {answer.json()["id"]: "north"}


async def test_another_worker_serves_the_new_tenant_at_once(two: Any, directory: Path, tmp_path: Path) -> None:
    config = {"shards": two.urls, **rules()}
    async with running_gateway(config, tmp_path) as first, running_gateway(config, tmp_path) as second:
        assert (await second.client.patch("/vendors/v1", json={"a": 1})).status_code == 404
        await first.client.post("/vendors", json={"id": "v1"})
        assert (await second.client.patch("/vendors/v1", json={"a": 1})).json() == {"id": "v1", "a": 1}


async def test_of_two_gateways_that_create_one_tenant_at_once_one_wins(
    two: Any, directory: Path, tmp_path: Path
) -> None:
    config = {"shards": two.urls, **rules()}
    async with running_gateway(config, tmp_path) as first, running_gateway(config, tmp_path) as second:
        for number in range(10):
            made = {"id": f"v{number}"}
            for app in (two.north, two.south):
                app.gate.clear()
            creates = [asyncio.ensure_future(g.client.post("/vendors", json=made)) for g in (first, second)]
            await until(lambda: first.in_flight == second.in_flight == 1)
            for app in (two.north, two.south):
                app.gate.set()
            answers = [await each for each in creates]
            assert sorted(answer.status_code for answer in answers) == [201, 409]
            assert {answer.json().get("error", "") for answer in answers} == {"", "taken"}
    assert len(two.north.held) + len(two.south.held) == 10
    assert len(read(directory)) == 10


async def test_a_refused_tenant_is_not_recorded(two: Any, start_gateway: Any, directory: Path) -> None:
    gateway = await start_gateway({"shards": two.urls, **rules()})
    answer = await gateway.client.post("/vendors", json={"id": "v1", "name": "bad"})
    assert (answer.status_code, answer.json()) == (422, {"error": "name"})
    assert read(directory) == {}


async def test_a_create_whose_reply_is_lost_is_never_sent_twice_and_recorded_if_it_was_made(
    two: Any, start_gateway: Any, directory: Path
) -> None:
    def lose(asked: Any) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        two.north.act(asked)
        return b""

    two.north.says = lose
    gateway = await start_gateway({"shards": two.urls, **rules()})
    answer = await gateway.client.post("/vendors", json={"id": "v1"})
    assert (answer.status_code, answer.json()["code"]) == (504, "SG2010")
    await until(lambda: read(directory) == {"v1": "north"})
    assert two.north.log == ["POST /vendors"]


async def test_a_create_that_was_lost_before_it_was_made_is_not_made_later(
    two: Any, start_gateway: Any, directory: Path
) -> None:
    two.north.says = lambda asked: b"" if asked.line.startswith("POST") else None
    gateway = await start_gateway({"shards": two.urls, **rules()})
    answer = await gateway.client.post("/vendors", json={"id": "v1"})
    link = answer.json()["detail"].rpartition(" ")[2]
    two.north.says = None
    await gateway.until_state(link, "undone")
    assert (two.north.log, read(directory)) == ([], {})


@pytest.mark.parametrize("policy", [{"kind": "least_tenants"}, {"kind": "weighted", "weights": {"south": 0.1}}])
async def test_a_shard_that_is_down_takes_no_new_tenant_while_another_can(
    two: Any, start_gateway: Any, directory: Path, policy: Any
) -> None:
    gateway = await start_gateway({"shards": {**two.urls, "north": NOBODY}, **rules(policy=policy)})
    for number in range(3):
        answer = await gateway.client.post("/vendors", json={"id": f"v{number}"})
        assert answer.status_code == 201
    assert (await gateway.client.post("/vendors", json={})).status_code == 201
    assert set(read(directory).values()) == {"south"}
    assert len(two.south.held) == 4


@pytest.mark.parametrize(
    "words",
    [
        {"pinned_by": "body.country", "pinned": {"PT": "north"}},
        {"policy": {"kind": "weighted", "weights": {"south": 0}}},
    ],
)
async def test_where_only_a_shard_that_is_down_may_take_a_tenant_nothing_is_done_and_the_client_hears_so(
    two: Any, start_gateway: Any, directory: Path, words: Any
) -> None:
    gateway = await start_gateway({"shards": {**two.urls, "north": NOBODY}, **rules(**words)})
    key = {"Idempotency-Key": '"a key that is free again"'}
    for _ in range(2):
        answer = await gateway.client.post("/vendors", json={"id": "v1", "country": "PT"}, headers=key)
        assert (answer.status_code, answer.json()["code"], answer.json()["missing"]) == (503, "SG2001", ["north"])
    assert (two.south.held, read(directory)) == ({}, {})


async def test_a_rule_may_pin_some_and_weigh_the_others(two: Any, start_gateway: Any, directory: Path) -> None:
    more = {
        "pinned_by": "body.country",
        "pinned": {"PT": "north"},
        "policy": {"kind": "weighted", "weights": {"north": 0}},
    }
    gateway = await start_gateway({"shards": two.urls, **rules(**more)})
    for number, country in enumerate(("PT", "ES", "FR", "PT")):
        await gateway.client.post("/vendors", json={"id": f"v{number}", "country": country})
    assert read(directory) == {"v0": "north", "v1": "south", "v2": "south", "v3": "north"}


async def test_the_shard_with_the_least_data_says_so_itself(
    start_gateway: Any, directory: Path, tmp_path: Path
) -> None:
    def shard(name: str, rows: int) -> Any:
        def answer(asked: Any) -> bytes:
            if asked.line.startswith("GET /rows?limit=1"):
                return reply("[]", fields=f"X-Total: {rows}\r\n")
            return reply(f'{{"id":"v1","on":"{name}"}}', status="201 Created")

        return running_shard(answer)

    policy = {"kind": "least_data", "path": "/rows?limit=1", "count_header": "X-Total"}
    async with shard("north", 30) as north, shard("south", 10) as south:
        urls = {"north": north.url, "south": south.url}
        gateway = await start_gateway({"shards": urls, **rules(policy=policy)})
        answer = await gateway.client.post("/vendors", json={"id": "v1"})
        assert answer.json()["on"] == "south"
        assert read(directory) == {"v1": "south"}


def named_by(**more: Any) -> dict[str, Any]:
    """Tenants have a name, which requests give, and an id, which the application makes; an unknown one is asked for."""
    config = rules(key="body.slug", check=None, tenant="data.id", **more)
    config["locators"]["vendor"].append({"kind": "probe", "path": "/vendors/{key}"})
    return config


class Named:
    """A shard with tenants by slug, which it takes once: `{"data": {"id": …, "slug": …}}`."""

    def __init__(self, prefix: str) -> None:
        self.prefix, self.slugs, self.posts = prefix, list[str](), 0
        self.fold = str

    async def __call__(self, asked: Any) -> bytes:
        method, target, _ = asked.line.split()
        if method == "GET":
            known = self.fold(target.rpartition("/")[2]) in self.slugs
            return reply("{}", status="200 OK" if known else "404 Not Found")
        self.posts += 1
        slug = self.fold(json.loads(asked.body)["slug"])
        await one_turn()  # other requests are read meanwhile
        if slug in self.slugs:
            return reply('{"error":"taken"}', status="409 Conflict")
        self.slugs.append(slug)
        made = {"data": {"id": f"{self.prefix}{len(self.slugs)}", "slug": slug}}
        return reply(json.dumps(made), status="201 Created")


@pytest.fixture
async def named(start_shard: Any) -> Any:
    class Both:
        north, south = Named("n"), Named("s")

    Both.urls = {"north": (await start_shard(Both.north)).url, "south": (await start_shard(Both.south)).url}
    return Both


async def test_r6_the_tenants_name_may_stand_deep_in_the_reply(named: Any, start_gateway: Any, directory: Path) -> None:
    gateway = await start_gateway({"shards": named.urls, **named_by()})
    answers = [await gateway.client.post("/vendors", json={"slug": f"x{n}"}) for n in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert read(directory) == {"n1": "north", "s1": "south"}


async def test_r6_an_assigned_id_may_stand_deep_in_the_body(two: Any, start_gateway: Any, directory: Path) -> None:
    def deep(asked: Any) -> bytes | None:
        return reply(asked.body, status="201 Created") if asked.line.startswith("POST") else None

    two.north.says = two.south.says = deep
    config = rules(key=None, check=None, tenant="data.id", assign={"data.id": "hex"})
    gateway = await start_gateway({"shards": two.urls, **config})
    answer = await gateway.client.post("/vendors", json={"data": {"name": "a"}})
    assert read(directory) == {answer.json()["data"]["id"]: "north"}
    assert answer.json()["data"]["name"] == "a"


@pytest.mark.parametrize("body", [b"made", b"", b"{}", b'{"id":{}}', b'{"id":"a","id":"b"}', b"[]"])
async def test_r6_a_place_whose_reply_cannot_be_read_is_not_done(
    two: Any, start_gateway: Any, directory: Path, body: bytes
) -> None:
    two.north.says = lambda asked: reply(body, status="201 Created") if asked.line.startswith("POST") else None
    gateway = await start_gateway({"shards": two.urls, **rules(check=None)})
    answer = await gateway.client.post("/vendors", json={"id": "v1"})
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2011")
    assert read(directory) == {}


async def test_r6_a_place_whose_reply_cannot_be_read_is_looked_for_under_its_name(
    two: Any, start_gateway: Any, directory: Path
) -> None:
    def silent(asked: Any) -> bytes | None:
        if not asked.line.startswith("POST"):
            return None
        two.north.act(asked)
        return reply("", status="201 Created")

    two.north.says = silent
    gateway = await start_gateway({"shards": two.urls, **rules()})
    answer = await gateway.client.post("/vendors", json={"id": "v1"})
    assert (answer.status_code, answer.text) == (201, ""), "the application's own reply, as of one instance"
    assert read(directory) == {"v1": "north"}


async def test_r7_a_tenant_that_the_locators_know_is_not_placed_again(
    named: Any, start_gateway: Any, directory: Path
) -> None:
    named.south.slugs.append("old")
    gateway = await start_gateway({"shards": named.urls, **named_by()})
    answer = await gateway.client.post("/vendors", json={"slug": "old"})
    assert (answer.status_code, answer.json()) == (409, {"error": "taken"})
    assert (named.north.posts, named.south.posts) == (0, 1)
    assert (await gateway.get("/vendors/old")).status_code == 200


async def test_r7_parallel_creates_of_one_new_name_make_one_tenant(named: Any, directory: Path, tmp_path: Path) -> None:
    config = {"shards": named.urls, **named_by()}
    async with running_gateway(config, tmp_path) as first, running_gateway(config, tmp_path) as second:
        for number in range(5):
            made = {"slug": f"x{number}"}
            creates = [gateway.client.post("/vendors", json=made) for gateway in (first, second, first)]
            answers = await asyncio.gather(*creates)
            assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
            assert (await first.get(f"/vendors/x{number}")).status_code == 200
    assert sorted(named.north.slugs + named.south.slugs) == [f"x{number}" for number in range(5)]
    assert {len(named.north.slugs), len(named.south.slugs)} == {2, 3}
    assert len(read(directory)) == 5


async def test_r7_parallel_creates_of_names_that_are_equal_make_one_tenant(
    named: Any, directory: Path, tmp_path: Path
) -> None:
    # Found: `Acme` and `ACME` at the same time were two names to the store, and became two tenants on two shards.
    rules_of = named_by()
    rules_of["locators"]["vendor"][0]["compare"] = "case_insensitive"
    named.north.fold = named.south.fold = str.casefold
    async with running_gateway({"shards": named.urls, **rules_of}, tmp_path) as gateway:
        for number in range(4):
            spellings = (f"Acme{number}", f"ACME{number}", f"acme{number}")
            creates = [gateway.client.post("/vendors", json={"slug": each}) for each in spellings]
            assert sorted(answer.status_code for answer in await asyncio.gather(*creates)) == [201, 409, 409]
    assert len({*named.north.slugs, *named.south.slugs}) == 4


async def test_r7_creates_of_one_name_go_one_after_another(two: Any, directory: Path, tmp_path: Path) -> None:
    config = {"shards": two.urls, **rules(key="body.name", check=None)}
    for app in (two.north, two.south):
        app.gate.clear()
    async with running_gateway(config, tmp_path) as first, running_gateway(config, tmp_path) as second:
        creates = [asyncio.ensure_future(g.client.post("/vendors", json={"name": "a"})) for g in (first, second)]
        await until(lambda: first.in_flight == second.in_flight == 1)
        await until(lambda: _journaled(directory) == 2)
        assert _sent(directory) <= 1
        for app in (two.north, two.south):
            app.gate.set()
        assert [(await each).status_code for each in creates] == [201, 201]
    assert (len(two.north.held), len(two.south.held)) == (2, 0)


def _journaled(directory: Path) -> int:
    with SqliteStore(directory) as store:
        return int(store.connection.execute("SELECT count(*) FROM journal").fetchone()[0])


def _sent(directory: Path) -> int:
    with SqliteStore(directory) as store:
        query = "SELECT count(*) FROM journal_branches WHERE state = 'sent'"
        return int(store.connection.execute(query).fetchone()[0])


@pytest.mark.parametrize("odd", ["", "..", "a/b", "a\\b"])
async def test_c1_a_tenant_whose_name_fills_no_path_is_the_applications_to_refuse_or_to_take(
    two: Any, start_gateway: Any, directory: Path, odd: str
) -> None:
    # Found by `make equivalence-writes`: the gateway said 400 in its own words where the application says 422.
    gateway = await start_gateway({"shards": two.urls, **rules()})
    two.north.says = lambda _: reply("no such name", status="422 Unprocessable Content")
    answer = await gateway.client.post("/vendors", json={"id": odd})
    assert (answer.status_code, answer.text, read(directory)) == (422, "no such name", {})
    two.north.says = None
    assert (await gateway.client.post("/vendors", json={"id": odd})).status_code == 201
    assert read(directory) == {odd or "made-0": "north"}  # where the name is empty, the application makes one
    assert (await gateway.client.post("/vendors", json={"id": "v1"})).status_code == 201  # nothing is stuck


@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("check", [PLACE["check"], None])
async def test_a_create_that_is_answered_with_a_redirect_is_not_made(
    two: Any, start_gateway: Any, directory: Path, status: str, check: str | None
) -> None:
    two.north.says = lambda _: reply("", status=status)
    gateway = await start_gateway({"shards": two.urls, **rules(check=check)})
    answer = await gateway.client.post("/vendors", json={"id": "v1"})
    assert (answer.status_code, read(directory)) == (int(status[:3]), {})
    two.north.says = None
    assert (await gateway.client.post("/vendors", json={"id": "v1"})).status_code == 201
    assert read(directory) == {"v1": "north"}


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 204 No Content\r\nX-Own: 1\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nLocation: /vendors/v1\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n",
        b'HTTP/1.1 202 Accepted\r\nX-Own: 1\r\nContent-Length: 9\r\n\r\n{"job":5}',
        b"HTTP/1.1 201 Created\r\nX-Own: 1\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n\r\n<v/>",
    ],
)
async def test_a_reply_that_does_not_name_the_tenant_is_the_clients_all_the_same(
    two: Any, start_shard: Any, start_gateway: Any, directory: Path, said: bytes
) -> None:
    # Found: the client got the reply of `check`, a 200 with a body, in place of the application's 201 or 204.
    async def answer(asked: Asked) -> bytes:
        made: bytes = await two.north(asked)
        return said if asked.line.startswith("POST") and b" 201 " in made[:14] else made

    gateway = await start_gateway({"shards": {"north": (await start_shard(answer)).url}, **rules()})
    received = await gateway.client.post("/vendors", json={"id": "v1"})
    assert (b" %d " % received.status_code in said[:14], received.headers["x-own"]) == (True, "1")
    assert received.content == said.partition(b"\r\n\r\n")[2]
    assert read(directory) == {"v1": "north"}
    assert (await gateway.client.post("/vendors", json={"id": "v1"})).status_code == 409
