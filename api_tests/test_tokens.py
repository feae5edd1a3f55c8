"""Access tokens (RFC 6749 section 4.4). The last test needs a client that has no living token: API_FRESH_CLIENT."""

import base64

import pytest

from api_tests import environment
from api_tests.client import Api
from api_tests.conftest import Run

GRANT = {"grant_type": "client_credentials"}


def test_another_grant_is_refused(nobody: Api) -> None:
    form = {"grant_type": "password", "client_id": "marketplace", "client_secret": "none"}
    nobody.call("create_token", form=form).refused(400, 40001)


def test_a_wrong_secret_is_refused(nobody: Api) -> None:
    reply = nobody.call("create_token", form={**GRANT, "client_id": "marketplace", "client_secret": "none"})
    reply.refused(401, 40101)
    assert reply.headers["www-authenticate"].startswith("Basic")


def test_a_client_that_does_not_exist_is_refused(nobody: Api) -> None:
    nobody.call("create_token", form={**GRANT, "client_id": "nobody", "client_secret": "none"}).refused(401, 40101)


def test_a_client_has_one_living_token(nobody: Api, run: Run) -> None:
    client = run.tokens.fresh
    if client is None:
        pytest.skip(f"set {environment.FRESH}: {environment.MEANING[environment.FRESH]}")
    name, secret = client
    basic = {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}
    nobody.call("create_token", form={**GRANT, "scope": "everything"}, headers=basic).refused(400, 40002)
    first = nobody.call("create_token", form=GRANT, headers=basic)
    if first.status == 429:
        pytest.skip(f"{name} has a living token, which ends within the hour")
    made = first.expect(200)
    assert made["token_type"] == "Bearer"
    run.api("new", made["access_token"]).call("list_categories", query="limit=1").expect(200)
    again = {**GRANT, "client_id": name, "client_secret": secret}
    nobody.call("create_token", form=again).refused(429, 42901)
