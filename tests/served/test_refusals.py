"""Shards that refuse a gather: the client gets one refusal, with the application's own body, chosen by rank."""

from typing import Any

import pytest

from tests.cluster import reply, rows

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
MERGES: dict[str, Any] = {
    "list": LIST,
    "groups": {"kind": "groups", "key": "k"},
    "count": {"kind": "count"},
    "first": {"kind": "first"},
}


@pytest.fixture
async def three(start_shard: Any, start_gateway: Any) -> Any:
    class Three:
        says: list[bytes] = []  # noqa: RUF012

    shards = {f"s{n}": (await start_shard(lambda _, n=n: Three.says[n])).url for n in range(3)}  # type: ignore[misc]
    rules = {f"GET /{name}": {"rule": "gather", "merge": merge} for name, merge in MERGES.items()}
    Three.gateway = await start_gateway({"shards": shards, "rules": rules})  # type: ignore[attr-defined]
    return Three


@pytest.mark.parametrize("path", MERGES)
@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 Unauthorized", "404 Not Found", "422 Unprocessable Content"]
)
async def test_equal_refusals_are_one_with_the_applications_own_body(three: Any, path: str, status: str) -> None:
    three.says = [reply(' {"why": "mine"}\n', status=status, fields="WWW-Authenticate: Own\r\nX-Own: 1\r\n")] * 3
    answer = await three.gateway.get(f"/{path}")
    assert (answer.status_code, answer.text) == (int(status[:3]), ' {"why": "mine"}\n')
    assert (answer.headers["x-own"], answer.headers["www-authenticate"]) == ("1", "Own")


async def test_l17_an_equal_refusal_passes_with_all_its_fields(three: Any) -> None:
    # Found: its ETag and its cookies were taken out, as those of a merged list are.
    own = 'ETag: "no"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nSet-Cookie: s=1; Path=/\r\nAge: 3\r\n'
    three.says = [reply("no", status="403 Forbidden", fields=own)] * 3
    answer = await three.gateway.get("/list")
    assert (answer.status_code, answer.text) == (403, "no")
    seen = "\r\n".join(f"{name}: {value}" for name, value in answer.headers.items() if f"{name}:" in own.lower())
    assert seen.lower() == own.strip().lower()


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (["200 OK", "400 Bad Request", "401 Unauthorized"], 401),
        (["403 Forbidden", "429 Too Many Requests", "400 Bad Request"], 403),
        (["404 Not Found", "429 Too Many Requests", "200 OK"], 429),
        (["500 Internal Server Error", "200 OK", "404 Not Found"], 404),
        (["500 Internal Server Error", "200 OK", "302 Found"], 302),
        (["503 Service Unavailable", "500 Internal Server Error", "200 OK"], 500),
    ],
)
async def test_of_unequal_refusals_the_documented_one_is_given(three: Any, statuses: list[str], status: int) -> None:
    for turn in range(3):
        turned = [*statuses[turn:], *statuses[:turn]]
        three.says = [rows() if each == "200 OK" else reply(each, status=each) for each in turned]
        answer = await three.gateway.get("/list")
        assert (answer.status_code, answer.text[:3]) == (status, str(status))


async def test_of_one_status_the_first_shards_body_is_given(three: Any) -> None:
    three.says = [rows(), reply("second", status="400 Bad Request"), reply("third", status="400 Bad Request")]
    assert (await three.gateway.get("/list")).text == "second"
