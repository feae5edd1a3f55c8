"""Tokens, scopes, quotas, and the world of a client that has a vendor."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import jwt
import pytest
from bookings_running import Platform, beside, running, seed

from bookings.identity.quota import Quota
from bookings.settings import Settings, database_url

FORM = {"grant_type": "client_credentials"}


def ask(platform: Platform, name: str, **more: str) -> httpx.Response:
    form = {**FORM, "client_id": name, "client_secret": f"{name}-secret", **more}
    return platform.anonymous().post("/oauth/token", data=form)


def test_a_token_is_given_once_while_it_lives(either: Platform) -> None:
    first = ask(either, "vendor-1")
    assert first.status_code == 200
    assert list(first.json()) == ["access_token", "token_type", "expires_in", "scope"]
    assert (first.json()["token_type"], first.json()["expires_in"]) == ("Bearer", 3600)
    assert ask(either, "vendor-1").status_code == 429
    assert ask(either, "vendor-1").json() == {
        "error_code": 42901,
        "error": "Too many requests",
        "error_description": "please reuse your oauth tokens",
    }
    headers = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert either.anonymous().get("/v3/events", headers=headers).status_code == 200


def test_a_token_is_verified_by_its_signature_alone(tmp_path: Path) -> None:
    urls = [database_url(str(tmp_path / f"{name}.db")) for name in ("here", "there", "stranger")]
    for url in urls:
        seed(url)
    secrets = ("one and the same secret, 32 bytes long",) * 2 + ("another secret, also 32 bytes long",)
    with ExitStack() as stack:
        here, there, stranger = (
            stack.enter_context(running(Settings(database=url, secret=secret)))
            for url, secret in zip(urls, secrets, strict=True)
        )
        token = ask(here, "vendor-1").json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answers = [each.anonymous().get("/v3/vendors", headers=headers) for each in (here, there, stranger)]
        assert [answer.status_code for answer in answers] == [200, 200, 401]
        assert answers[0].content == answers[1].content
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims.items() >= {"sub": "vendor-1", "vendor": answers[0].json()[0]["id"]}.items()
        assert claims["exp"] - claims["iat"] == 3600
        # Which token lives is known to the instance that gave it, and to no other.
        assert (ask(here, "vendor-1").status_code, ask(there, "vendor-1").status_code) == (429, 200)


def test_another_token_is_given_when_the_hour_is_over(either: Platform) -> None:
    with beside(either, expiry_sweep_s=10**6) as (later, clock):
        assert [ask(later, "vendor-7").status_code for _ in range(2)] == [200, 429]
        clock.minutes = 10**6 // 60 + 1
        assert ask(later, "vendor-7").status_code == 200


def test_http_basic_and_some_scopes(platform: Platform) -> None:
    reply = platform.anonymous().post(
        "/oauth/token/",
        data={**FORM, "scope": "calendar_read"},
        auth=("vendor-2", "vendor-2-secret"),
    )
    assert reply.json()["scope"] == "calendar_read"


def test_who_is_not_a_client_gets_no_token(platform: Platform) -> None:
    assert ask(platform, "nobody").status_code == 401
    assert ask(platform, "vendor-3", client_secret="wrong").status_code == 401
    assert platform.anonymous().post("/oauth/token", data=FORM, auth=("a", "b")).status_code == 401
    assert ask(platform, "vendor-3", grant_type="password").json()["error_code"] == 40001
    assert ask(platform, "vendor-3", scope="orders_read_all").json()["error_code"] == 40002
    assert ask(platform, "vendor-3").status_code == 200  # the refusals took nothing


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x.y.z", "Basic eDp5", "nonsense"])
def test_without_a_token_nothing_is_answered(platform: Platform, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    reply = platform.anonymous().get("/v3/events?limit=x", headers=headers)
    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"


def test_health_and_the_document_need_no_token(platform: Platform) -> None:
    assert platform.anonymous().get("/health").json() == {"status": "ok"}
    assert platform.anonymous().get("/openapi.json").status_code == 200


def test_every_operation_enforces_the_scopes_of_its_documentation(platform: Platform) -> None:
    document = platform.anonymous().get("/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scopes = [s for each in operation.get("security", []) for s in each["oauth2"]]
            if not scopes:
                continue
            others = {"calendar_read", "inventory_write"} - set(scopes)
            client = platform.client("marketplace", *sorted(others)[:1])
            # The scope is looked at first: the body may be anything.
            reply = client.request(method, path.replace("{", "").replace("}", ""), content="{")
            refused = (400, "FORBIDDEN") if path.startswith("/octo/") else (403, 40300)
            assert (reply.status_code, reply.json().get("error_code", reply.json()["error"])) == refused, (method, path)
            tried += 1
    assert tried > 20


def test_a_client_of_a_vendor_lives_in_a_world_of_its_own(either: Platform) -> None:
    mine = either.client("vendor-1")
    vendor = mine.get("/v3/vendors").json()
    assert len(vendor) == 1
    own = vendor[0]["id"]
    for what in ("events", "dates", "orders", "coupons", "vouchers", "users"):
        rows = mine.get(f"/v3/{what}").json()
        assert rows == either.get(f"/v3/{what}", accept_vendors=own)
        other = next(row for row in either.get(f"/v3/{what}") if row["vendor_id"] != own)
        assert mine.get(f"/v3/{what}", params={"accept": other["id"]}).json() == []
    assert mine.get("/v3/categories").json() == either.get("/v3/categories")
    sales = mine.get("/v3/reports/sales?group_by=month").json()
    assert sales == either.get("/v3/reports/sales", group_by="month", accept_vendors=own)


def test_what_is_of_another_vendor_does_not_exist_for_it(platform: Platform) -> None:
    mine = platform.client("vendor-1")
    own = mine.get("/v3/vendors").json()[0]["id"]
    event = next(row for row in platform.get("/v3/events") if row["vendor_id"] != own)
    order = next(row for row in platform.get("/v3/orders") if row["vendor_id"] != own)
    date = order["items"][0]["date_id"]
    for path in (
        f"events/{event['id']}", f"events/{event['id']}/dates", f"orders/{order['id']}",
        f"orders/{order['id']}/tickets", f"vendors/{event['vendor_id']}/events", f"dates/{date}",
    ):  # fmt: skip
        assert mine.get(f"/v3/{path}").status_code == 404
    assert mine.patch(f"/v3/events/{event['id']}", json={"price": 1}).status_code == 404
    assert mine.post(f"/v3/orders/{order['id']}/cancel").status_code == 404
    question = {"items": [{"date_id": date, "quantity": 1}]}
    assert mine.post("/v3/availability/check", json=question).status_code == 404
    for what in ("vendors", "categories"):
        assert mine.post(f"/v3/{what}", content="{}").status_code == 422
    category = {"slug": "mine", "name": "Mine"}
    assert mine.post("/v3/categories", json=category).status_code == 403


def test_the_quota_is_kept_over_a_restart_and_tokens_cost_nothing(tmp_path: Path) -> None:
    url = database_url(str(tmp_path / "bookings.db"))
    seed(url)
    settings = Settings(database=url, calls_a_month=5)
    for calls in (3, 2):
        with running(settings) as platform:
            for _ in range(calls):
                assert platform.client().get("/v3/categories?limit=1").status_code == 200
            ask(platform, "marketplace")
    with running(settings) as platform:
        reply = platform.client().get("/v3/categories")
        assert (reply.status_code, reply.json()["error_code"]) == (429, 42910)
        assert platform.client("vendor-1").get("/v3/categories").status_code == 200


def test_two_processes_count_together(platform: Platform) -> None:
    def clock() -> datetime:
        return datetime(2031, 5, 1, tzinfo=UTC)

    one, other = (Quota(platform.database, 100, clock) for _ in range(2))
    for quota in (one, other):
        for _ in range(40):
            quota.count("marketplace")
        quota.flush()
    for _ in range(20):
        other.count("marketplace")
    with pytest.raises(Exception, match="spent"):
        other.count("marketplace")
