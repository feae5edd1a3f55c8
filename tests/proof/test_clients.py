"""Clients of the reference platform: a gateway of two workers over three shards gives one token and one quota, as the
monolith does."""

import base64
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from proof.data import prepare
from proof.fleet import Fleet, token
from shardgate.core.clients.period import period_of
from shardgate.net.clock import wall
from shardgate.store.sqlite import SqliteStore
from shardgate.store.usage import Usage
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

CALLS = 40


@contextmanager
def both_workers(fleet: Fleet, **options: Any) -> Iterator[list[httpx.Client]]:
    """A client of each worker: a connection stays with the worker that has taken it, which signs its refusals."""
    with ExitStack() as stack:
        found: dict[str, httpx.Client] = {}
        for _ in range(50):
            client = stack.enter_context(httpx.Client(base_url=fleet.gateway.url, timeout=60, verify=False, **options))
            found.setdefault(client.get("/nothing").json()["request_id"].partition("-")[0], client)
            if len(found) == 2:
                break
        assert len(found) == 2
        yield list(found.values())


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder: Path = tmp_path_factory.mktemp("clients")
    settings = {"access_log": {"to": "access.log", "query": True}}
    with Fleet(prepare(0.01, 3).copy(folder), folder, workers=2, calls_a_month=CALLS, settings=settings) as fleet:
        yield fleet


def ask(client: httpx.Client, name: str, **options: Any) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": f"{name}-secret"}
    return client.post("/oauth/token", data=form, **options)


def test_a_client_gets_one_token_an_hour_whichever_worker_it_asks(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.monolith.url) as monolith, both_workers(fleet) as (first, second):
        wanted = [ask(monolith, "vendor-4") for _ in range(2)]
        answers = [ask(first, "vendor-4"), ask(second, "vendor-4"), ask(first, "vendor-4")]
    assert [each.status_code for each in wanted] == [200, 429]
    assert [each.status_code for each in answers] == [200, 429, 429]
    assert answers[0].json().keys() == wanted[0].json().keys()
    assert {each.content for each in answers[1:]} == {wanted[1].content}


def test_nor_a_second_one_by_writing_its_name_in_another_way(fleet: Fleet) -> None:
    """RFC 6749 section 2.3.1: an id in HTTP Basic is form-encoded; bug: it was hashed as it stood there."""
    grant = {"grant_type": "client_credentials"}
    with both_workers(fleet) as workers:
        assert ask(workers[0], "vendor-5").status_code == 200
        for client, name in zip(
            cycle(workers), ("vendor-5", "vendor%2D5", "%76endor-5", "%76%65ndor-%35"), strict=False
        ):
            written = base64.b64encode(f"{name}:vendor-5-secret".encode()).decode()
            answer = client.post("/oauth/token", data=grant, headers={"Authorization": f"Basic {written}"})
            assert (answer.status_code, answer.json()["error_code"]) == (429, 42901), name


def test_a_token_is_good_on_every_shard(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        headers = {"Authorization": f"Bearer {token(gateway, 'vendor-6')}"}
        for shard in fleet.shards.values():
            assert httpx.get(f"{shard.url}/v3/categories", headers=headers).status_code == 200


def test_the_list_of_a_vendors_client_is_asked_of_one_shard(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.gateway.url, timeout=60) as gateway:
        for name in ("vendor-7", "marketplace"):
            headers = {"Authorization": f"Bearer {token(gateway, name)}", "X-Request-Id": name}
            assert gateway.get("/v3/events?limit=5&with_count=true", headers=headers).status_code == 200
    vendor, marketplace = logged(fleet, "vendor-7"), logged(fleet, "marketplace")
    assert (len(vendor["shards"]), len(marketplace["shards"])) == (1, 3)


def test_a_quota_is_spent_after_just_as_many_calls_as_it_allows(fleet: Fleet) -> None:
    """Gathers over three shards, deep pages of several rounds, through both workers, 8 at once."""
    spent = {"/v3/events": 42910, "/octo/products": "TOO_MANY_REQUESTS"}
    with httpx.Client(base_url=fleet.monolith.url) as monolith:
        bearer = {"Authorization": f"Bearer {token(monolith, 'vendor-8')}"}
        wanted = [monolith.get("/v3/events?limit=1", headers=bearer).status_code for _ in range(CALLS + 5)]
        refused = {url: monolith.get(url, headers=bearer) for url in spent}
        assert monolith.get("/health").status_code == ask(monolith, "vendor-9").status_code == 200  # not counted
    assert (wanted.count(200), wanted.count(429)) == (CALLS, 5)
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        headers = {"Authorization": f"Bearer {token(gateway, 'vendor-8')}"}
    with both_workers(fleet, headers=headers) as workers, ThreadPoolExecutor(8) as pool:
        urls = ("/v3/events?order=name&limit=5&offset=100", "/v3/dates?limit=5", "/v3/vendors", "/v3/orders?offset=50")
        asked = list(zip(cycle(workers), range(CALLS * 2), strict=False))
        statuses = list(pool.map(lambda each: each[0].get(urls[each[1] % len(urls)]).status_code, asked))
        assert (statuses.count(200), statuses.count(429)) == (CALLS, CALLS)
        for client, (url, code) in zip(cycle(workers), spent.items(), strict=False):
            answer = client.get(url)
            body = answer.json()
            assert (answer.status_code, body.get("error_code", body["error"])) == (429, code)
            assert answer.content == refused[url].content
            kept = {"content-type", "octo-capabilities", "www-authenticate", "retry-after"}
            told, wanted_fields = (
                {n: v for n, v in each.headers.items() if n in kept} for each in (answer, refused[url])
            )
            assert told == wanted_fields
        assert workers[0].get("/health").status_code == 200


def test_what_was_counted_outlives_the_gateway_also_when_it_is_killed(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        headers = {"Authorization": f"Bearer {token(gateway, 'vendor-10')}"}
        half = [gateway.get("/v3/vendors", headers=headers).status_code for _ in range(CALLS // 2)]
    fleet.gateway.stop()
    fleet.gateway.start()
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        rest = [gateway.get("/v3/vendors", headers=headers).status_code for _ in range(CALLS // 2 + 1)]
    assert set(half) == {200}
    assert (rest.count(200), rest[-1]) == (CALLS // 2, 429)
    fleet.gateway.kill()
    # Its workers end when they see that it is gone, and write down what they have counted.
    with SqliteStore(fleet.config.parent / "directory.db") as store:
        wait_until(lambda: Usage(store).calls(period_of("month", wall()).name, "vendor-10") == CALLS)
    fleet.gateway.start()
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        assert gateway.get("/v3/vendors", headers=headers).status_code == 429


def test_neither_a_reload_nor_a_killed_worker_changes_what_is_counted(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        headers = {"Authorization": f"Bearer {token(gateway, 'vendor-2')}"}
    log = fleet.config.parent / "gateway.log"

    def call(times: int) -> list[int]:
        """Each on a connection of its own: workers come and go."""
        return [httpx.get(f"{fleet.gateway.url}/v3/vendors", headers=headers).status_code for _ in range(times)]

    statuses = call(10)
    os.kill(fleet.gateway.pid, signal.SIGHUP)
    statuses += call(10)
    wait_until(lambda: "was read anew; 2 workers serve it" in log.read_text())
    children = Path(f"/proc/{fleet.gateway.pid}/task/{fleet.gateway.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    wait_until(lambda: "it is replaced" in log.read_text())
    statuses += call(CALLS)
    assert (statuses.count(200), statuses.count(429)) == (CALLS, 20)


def test_workers_never_give_one_id_to_two_requests(fleet: Fleet) -> None:
    """Bug: the part of the id that stands for the worker was made before the workers were."""
    with both_workers(fleet) as workers:
        ids = [client.get("/nothing").json()["request_id"] for client in workers for _ in range(20)]
    assert len(set(ids)) == len(ids)


def test_no_token_is_in_any_file_of_the_gateway(fleet: Fleet) -> None:
    with httpx.Client(base_url=fleet.gateway.url) as gateway:
        given = ask(gateway, "vendor-1").json()["access_token"]
        for url in (
            f"/v3/vendors?access_token={given}",
            f"/v3/vendors?%61ccess_token={given}",
            "/nothing",
            "/v3/dates/x",
        ):
            gateway.get(url, headers={"Authorization": f"Bearer {given}", "X-Request-Id": "canary"})
    logged(fleet, "canary")
    signature = given.rpartition(".")[2].encode()
    for name in ("access.log", "gateway.log"):
        assert signature not in (fleet.config.parent / name).read_bytes()
        assert b"vendor-1-secret" not in (fleet.config.parent / name).read_bytes()


def logged(fleet: Fleet, request_id: str) -> dict[str, Any]:
    """The line of a request in the access log, as soon as it is there."""

    def found() -> dict[str, Any] | None:
        for line in (fleet.config.parent / "access.log").read_bytes().splitlines():
            if (read := json.loads(line))["request_id"] == request_id:
                return dict(read)
        return None

    return wait_until(found)
