"""Every refusal has the one error body, whoever noticed."""

import httpx
import pytest
from bookings_running import Platform

PARTS = ["error_code", "error", "error_description"]


def check(reply: httpx.Response, status: int, code: int) -> None:
    assert reply.status_code == status
    assert reply.headers["content-type"] == "application/json"
    assert list(reply.json()) == PARTS
    assert reply.json()["error_code"] == code


def test_unknown_paths_and_methods(platform: Platform) -> None:
    check(platform.client().get("/v3/nothing"), 404, 40401)
    check(platform.client().get("/"), 404, 40401)
    refused = platform.client().put("/v3/events")
    check(refused, 405, 40500)
    assert refused.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "null", '"x"', "{}", '{"name": 1}', '{"name": ""}', '{"name": null}',
        '{"colour": "red"}', r'{"name": "\ud800"}', r'{"name": "\u0000"}', '{"price": "1"}',
        '{"price": 1.5}', '{"price": 1e400}', '{"latitude": NaN}', '{"price": 10000000000000}',
        '{"name": "a", "active": 1}', "\xff",
    ],
)  # fmt: skip
def test_a_body_that_is_not_right(either: Platform, body: str) -> None:
    path = f"/v3/events/{either.get('/v3/events', limit=1)[0]['id']}"
    headers = {"Content-Type": "application/json"}
    reply = either.client().patch(path, content=body.encode("latin-1"), headers=headers)
    if body == "\xff":
        check(reply, 400, 40000)  # not even text
    else:
        check(reply, 422, 42200)


def test_every_mistake_of_a_body_is_named(platform: Platform) -> None:
    body = {"vendor_id": "x", "items": [{"date_id": "y", "quantity": 0}], "more": 1}
    reply = platform.client().post("/v3/orders", json=body)
    check(reply, 422, 42200)
    text = reply.json()["error_description"]
    assert "items.0.quantity: " in text
    assert "more: " in text


def test_a_trailing_slash_is_optional_everywhere(platform: Platform) -> None:
    client = platform.client()
    assert client.get("/v3/events/?limit=3").content == client.get("/v3/events?limit=3").content
    event = platform.get("/v3/events", limit=1)[0]
    assert client.get(f"/v3/events/{event['id']}/").json() == event


def test_head_is_get_without_a_body(platform: Platform) -> None:
    client = platform.client()
    for path in ("/v3/events?with_count=true", "/v3/events/x", "/health"):
        head, get = client.head(path), client.get(path)
        assert head.status_code == get.status_code
        assert head.content == b""
        for name in ("content-length", "content-type", "x-total_count"):
            assert head.headers.get(name) == get.headers.get(name)
