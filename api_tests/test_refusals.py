"""What every operation refuses alike: a malformed address, a client without a token, without the scope, without quota,
an unknown thing, and a malformed body.

Each test runs once for each operation that documents the status.
"""

from typing import Any

import pytest

from api_tests import environment
from api_tests.client import Api, Reply
from api_tests.conftest import Run
from api_tests.making import UNKNOWN, Making, valid_bodies

NUL = "probe=%00"
"""No parameter may have a NUL character."""
FORGED = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJrZXRwbGFjZSIsImV4cCI6NDEwMjQ0NDgwMH0.c2lnbmVkLWJ5LW5vYm9keS1hdC1hbGw"


def ask(api: Api, run: Run, operation: str, query: str = "") -> Reply:
    """A request that is right, for things that do not exist."""
    asked = run.document.operations[operation]
    body = valid_bodies(Making(api, run.mark)).get(operation)
    path: dict[str, Any] = dict.fromkeys(asked.holes, UNKNOWN)
    return api.call(operation, query=query, body=body, **path)


@pytest.mark.each_operation(400, below="/v3/")
def test_a_malformed_address_is_400(api: Api, run: Run, operation: str) -> None:
    ask(api, run, operation, NUL).refused(400, 40000)


@pytest.mark.each_operation(400, below="/octo/")
def test_a_malformed_address_is_bad_request_below_octo(api: Api, run: Run, operation: str) -> None:
    ask(api, run, operation, NUL).refused_by_octo("BAD_REQUEST")


@pytest.mark.each_operation(401, below="/v3/")
def test_without_a_token_it_is_401(nobody: Api, run: Run, operation: str) -> None:
    reply = ask(nobody, run, operation)
    reply.refused(401, 40100)
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.each_operation(401, below="/v3/")
def test_with_a_forged_token_it_is_401(run: Run, operation: str) -> None:
    ask(run.api("forger", FORGED), run, operation).refused(401, 40100)


@pytest.mark.each_operation(400, below="/octo/")
def test_without_a_token_octo_is_unauthorized(nobody: Api, run: Run, operation: str) -> None:
    ask(nobody, run, operation).refused_by_octo("UNAUTHORIZED")


@pytest.mark.each_operation(403, below="/v3/", scoped=True)
def test_without_the_scope_it_is_403(run: Run, operation: str) -> None:
    token = run.tokens.lacking(run.document.operations[operation].scopes)
    if token is None:
        pytest.skip(f"set {environment.NARROW}: {environment.MEANING[environment.NARROW]}")
    ask(run.api("narrow", token), run, operation).refused(403, 40300)


@pytest.mark.each_operation(429, below="/v3/")
def test_beyond_the_quota_it_is_429(spent_api: Api, run: Run, operation: str) -> None:
    ask(spent_api, run, operation).refused(429, 42910)


@pytest.mark.each_operation(429, below="/octo/")
def test_beyond_the_quota_octo_is_429(spent_api: Api, run: Run, operation: str) -> None:
    body = ask(spent_api, run, operation).expect(429)
    assert body["error"] == "TOO_MANY_REQUESTS"


@pytest.mark.each_operation(404, below="/v3/")
def test_an_unknown_thing_is_404(api: Api, run: Run, operation: str) -> None:
    ask(api, run, operation).refused(404, 40400)


@pytest.mark.each_operation(422, below="/v3/")
@pytest.mark.parametrize("raw", [b"[]", b'{"nobody_knows_this": 1}'], ids=["list", "unknown"])
def test_a_malformed_body_is_422(api: Api, run: Run, operation: str, raw: bytes, vendor: str, category: str) -> None:
    known = {"vendor_id": vendor, "category_id": category}
    holes = run.document.operations[operation].holes
    path: dict[str, Any] = {hole: known.get(hole, UNKNOWN) for hole in holes}
    api.call(operation, raw=raw, **path).refused(422, 42200)


@pytest.mark.each_operation(422, below="/v3/")
def test_a_body_that_is_no_json_is_refused(api: Api, run: Run, operation: str) -> None:
    """The platform says 422. A gateway that must read the body to know whose it is says 400."""
    asked = run.document.operations[operation]
    reply = api.fetch(asked.method, asked.address(dict.fromkeys(asked.holes, UNKNOWN)), b'{"')
    reply.expect(400, 422)
