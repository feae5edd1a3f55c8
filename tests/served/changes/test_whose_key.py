"""Whose idempotency key it is, and for which request: no client gets the reply to another's, or to another request."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster import NO_TLS, Asked, Gateway, Shard, reply, running_gateway

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
RULES: dict[str, Any] = {
    "store": "store.db",
    "timeouts": {"request_timeout_s": 20, "worker_lease_s": 20},
    "locators": {"vendor": [{"kind": "hash"}]},
    "rules": {
        "POST /orders": {"rule": "one", "key": "header.X-Vendor", "locate": "vendor"},
        "POST /clients": {"rule": "one", "key": "basic.username", "locate": "vendor"},
        "PUT /orders/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
    },
}


class World:
    """One shard that gives a cookie and a number to each request, and the gateway before it."""

    def __init__(self, shard: Shard, gateway: Gateway) -> None:
        self.shard, self.gateway = shard, gateway

    async def post(self, path: str = "/orders", content: bytes = b'{"a":1}', **headers: str) -> httpx.Response:
        """Over a connection of its own."""
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.gateway.port}", verify=NO_TLS) as client:
            return await client.post(path, content=content, headers={**KEY, "X-Vendor": "v", **_named(headers)})


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def numbered() -> Any:
    count = iter(range(1, 100))

    def answer(_: Asked) -> bytes:
        number = next(count)
        return reply(f'{{"number":{number}}}', status="201 Created", fields=f"Set-Cookie: session={number}\r\n")

    return answer


@pytest.fixture
async def world(start_shard: Any, start_gateway: Any) -> World:
    shard = await start_shard(numbered())
    return World(shard, await start_gateway({"shards": {"north": shard.url}, **RULES}))


ONE = {"Authorization": "Bearer one"}


@pytest.mark.parametrize(
    "other",
    [
        {"X-Vendor": "w"},
        {"Content-Type": "text/plain"},
        {"Content-Encoding": "gzip"},
        {"If-Match": '"2"'},
        {"Host": "other.example"},
        {"Prefer": "handling=strict"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_m1_what_routes_and_what_it_means_is_part_of_the_request(world: World, other: dict[str, str]) -> None:
    first = {"Content-Type": "application/json", "If-Match": '"1"', **ONE}
    assert (await world.post(**first)).json() == {"number": 1}
    answer = await world.post(**{**first, **other})
    assert (answer.status_code, answer.json()["code"]) == (422, "SG1017")
    again = await world.post(**first)
    assert (again.json(), again.headers["idempotent-replayed"]) == ({"number": 1}, "true")


async def test_m1_a_client_in_basic_credentials_is_part_of_the_request(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(numbered())
    config = {"shards": {"north": shard.url}, **RULES, "idempotency": {"client": ["X-API-Key"]}}
    world = World(shard, await start_gateway(config))
    one, other = [httpx.BasicAuth(name, "x")._auth_header for name in ("one", "other")]
    assert (await world.post("/clients", X_API_Key="k", Authorization=one)).json() == {"number": 1}
    answer = await world.post("/clients", X_API_Key="k", Authorization=other)
    assert answer.json()["code"] == "SG1017"


async def test_m1_what_differs_at_each_sending_does_not_matter(world: World) -> None:
    changing = {
        "Date": "Fri, 27 Nov 2026 20:00:0{n} GMT",
        "User-Agent": "shop/{n}",
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333{n}-01",
        "X-Request-Id": "r-{n}",
        "X-Attempt": "{n}",
        "Accept-Encoding": "gzip;q=0.{n}",
    }
    for n in (1, 2):
        headers = {name: value.replace("{n}", str(n)) for name, value in changing.items()}
        assert (await world.post(**ONE, **headers)).json() == {"number": 1}
    assert len(world.shard.asked) == 1


@pytest.mark.parametrize("field", ["Authorization", "Cookie", "X-API-Key", "API-Key", "X-Auth-Token", "X-Access-Token"])
async def test_r8_clients_with_credentials_have_keys_of_their_own(world: World, field: str) -> None:
    assert (await world.post(**{field: "one"})).json() == {"number": 1}
    other = await world.post(**{field: "two"})
    assert (other.json(), other.headers["set-cookie"]) == ({"number": 2}, "session=2")
    again = await world.post(**{field: "one"})
    assert (again.json(), again.headers["set-cookie"]) == ({"number": 1}, "session=1")


@pytest.mark.parametrize(
    "field",
    [
        "X-Shop-Token", "Stripe-Account", "Sudo", "X-User-Id", "X-Forwarded-User", "X-On-Behalf-Of", "X-TenantId",
        "X-Impersonate", "X-Subscription-Key", "X-Forwarded-Client-Cert", "Remote-User", "X-Session", "OC-Org-Id",
    ],
)  # fmt: skip
@pytest.mark.parametrize("shared", [{"Cookie": "lang=de"}, {"Authorization": "Basic cGFydG5lcjp4"}], ids=["c", "a"])
async def test_r8_clients_that_the_application_knows_by_another_field_share_no_reply(
    world: World, field: str, shared: dict[str, str]
) -> None:
    assert (await world.post(**shared, **{field: "one"})).json() == {"number": 1}
    other = await world.post(**shared, **{field: "two"})
    assert (other.status_code, other.json()["code"], "set-cookie" in other.headers) == (422, "SG1017", False)
    again = await world.post(**shared, **{field: "one"})
    assert (again.json(), again.headers["idempotent-replayed"]) == ({"number": 1}, "true")


@pytest.mark.parametrize("field", ["X-Shop-Token", "X-Real-IP", "CF-Connecting-IP", "X-SSL-Client-Verify", "From"])
async def test_r8_behind_a_proxy_another_field_may_tell_clients_apart(world: World, field: str) -> None:
    answers = []
    for who in ("one", "two"):
        answers.append(
            await world.gateway.client.post("/orders", json={}, headers={**KEY, "X-Vendor": "v", field: who})
        )
        world.gateway.client.cookies.clear()
    assert answers[0].json() == {"number": 1}
    assert answers[1].status_code == 409 or answers[1].json() == {"number": 2}


async def test_r8_who_names_what_tells_clients_apart_has_said_that_nothing_else_does(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(numbered())
    config = {"shards": {"north": shard.url}, **RULES, "idempotency": {"client": ["X-Shop-Token"]}}
    world = World(shard, await start_gateway(config))
    answers = [await world.post(X_Shop_Token="s", X_Session=each) for each in "ab"]
    assert [answer.json() for answer in answers] == [{"number": 1}] * 2


async def test_r8_without_that_field_no_other_credentials_are_ignored(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(numbered())
    config = {"shards": {"north": shard.url}, **RULES, "idempotency": {"client": ["X-Shop-Token"]}}
    world = World(shard, await start_gateway(config))
    answers = []
    for who in ("one", "two"):
        headers = {**KEY, "X-Vendor": "v", "Authorization": f"Bearer {who}"}
        answers.append(await world.gateway.client.post("/orders", json={}, headers=headers))
        world.gateway.client.cookies.clear()
    assert (answers[0].json(), answers[1].status_code) == ({"number": 1}, 409)


@pytest.mark.parametrize("field", ["X-Signature", "X-Client-Request-Id", "X-User-Timestamp", "X-CSRF-Token", "DPoP"])
async def test_r8_what_a_client_sends_anew_each_time_is_no_part_of_the_request(world: World, field: str) -> None:
    answers = [await world.post(**ONE, **{field: each}) for each in "ab"]
    assert [answer.json() for answer in answers] == [{"number": 1}] * 2


async def test_m2_a_client_that_does_not_say_who_it_is_never_gets_the_reply_of_another(world: World) -> None:
    assert (await world.post()).json() == {"number": 1}
    answer = await world.post()
    assert (answer.status_code, answer.json()["code"]) == (409, "SG1018")
    assert "set-cookie" not in answer.headers
    assert len(world.shard.asked) == 1  # it may have been the same client: nothing is done twice either


async def test_m2_keys_of_clients_that_do_not_say_who_they_are_do_not_clash(world: World) -> None:
    assert (await world.post(content=b"1")).json() == {"number": 1}
    assert (await world.post(content=b"2")).json() == {"number": 2}


async def test_m2_on_its_own_connection_such_a_client_gets_its_reply_without_the_cookie(world: World) -> None:
    client, headers = world.gateway.client, {**KEY, "X-Vendor": "v"}
    first = await client.post("/orders", json={}, headers=headers)
    client.cookies.clear()
    again = await client.post("/orders", json={}, headers=headers)
    assert (first.json(), again.json()) == ({"number": 1}, {"number": 1})
    assert (first.headers["set-cookie"], again.headers.get("set-cookie")) == ("session=1", None)
    client.cookies.clear()
    assert (await client.post("/orders", json={"b": 2}, headers=headers)).json()["code"] == "SG1017"


async def test_m2_behind_a_proxy_clients_that_share_a_connection_share_no_reply(world: World) -> None:
    for number, address in enumerate(("192.0.2.1", "192.0.2.2")):
        headers = {**KEY, "X-Vendor": "v", "X-Forwarded-For": address}
        answer = await world.gateway.client.post("/orders", json={}, headers=headers)
        world.gateway.client.cookies.clear()
        assert answer.status_code == (201, 409)[number]


async def test_m2_a_request_that_may_be_repeated_is_done_again_for_another_connection(world: World) -> None:
    for number in (1, 2):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.gateway.port}", verify=NO_TLS) as client:
            assert (await client.put("/orders/7", json={}, headers=KEY)).json() == {"number": number}


async def test_m2_a_refused_key_of_a_client_without_a_name_is_free_again(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda asked: reply("{}", status="503 Service Unavailable", fields="Retry-After: 1\r\n"))
    world = World(shard, await start_gateway({"shards": {"north": shard.url}, **RULES}))
    for _ in range(2):
        assert (await world.post()).status_code == 503
    assert len(shard.asked) == 2


async def test_what_may_have_been_done_is_not_done_again_for_another_connection(
    start_shard: Any, start_gateway: Any
) -> None:
    """Found: 503 without `Retry-After` freed the key, though a router says so of what was made, too."""
    shard = await start_shard(lambda asked: reply("{}", status="503 Service Unavailable"))
    world = World(shard, await start_gateway({"shards": {"north": shard.url}, **RULES}))
    statuses = []
    for _ in range(2):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{world.gateway.port}", verify=NO_TLS) as client:
            statuses.append((await client.post("/orders", json={}, headers={**KEY, "X-Vendor": "v"})).status_code)
    assert (statuses, len(shard.asked)) == ([503, 409], 1)


async def test_what_was_refused_is_refused_again_on_another_connection(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda asked: reply('{"error":"no token"}', status="400 Bad Request"))
    world = World(shard, await start_gateway({"shards": {"north": shard.url}, **RULES}))
    answers = [await world.post() for _ in range(2)]
    assert [answer.text for answer in answers] == ['{"error":"no token"}'] * 2
    assert len(shard.asked) == 2


async def test_a_client_may_be_known_by_one_of_its_cookies(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(numbered())
    config = {"shards": {"north": shard.url}, **RULES, "idempotency": {"client": ["cookie.session"]}}
    world = World(shard, await start_gateway(config))
    assert (await world.post(Cookie="session=s; seen=1")).json() == {"number": 1}
    assert (await world.post(Cookie="seen=2; session=s")).json() == {"number": 1}
    assert (await world.post(Cookie="session=t; seen=1")).json() == {"number": 2}
    assert (await world.post(Cookie="seen=1")).json() == {"number": 3}
    assert (await world.post(Cookie="session=s; session=t")).json() == {"number": 4}


async def test_the_configuration_may_say_that_all_clients_share_their_keys(
    start_shard: Any, start_gateway: Any
) -> None:
    shard = await start_shard(numbered())
    config = {"shards": {"north": shard.url}, **RULES, "idempotency": {"client": []}}
    world = World(shard, await start_gateway(config))
    answers = [await world.post() for _ in range(2)]
    assert [answer.json() for answer in answers] == [{"number": 1}] * 2
    assert [answer.headers.get("set-cookie") for answer in answers] == ["session=1", None]


async def test_a_client_is_known_to_another_gateway_of_the_same_store(world: World, tmp_path: Path) -> None:
    first = await world.post(**ONE, Host="shop")
    async with running_gateway({"shards": {"north": world.shard.url}, **RULES}, tmp_path) as other:
        answer = await World(world.shard, other).post(**ONE, Host="shop")
    assert (answer.json(), answer.headers["idempotent-replayed"]) == (first.json(), "true")
