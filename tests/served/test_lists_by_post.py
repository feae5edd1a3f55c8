"""R10: lists that an SDK asks for by POST, with `_method: GET` and the page in the body, as Parse's does."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from shardgate.config.load import ConfigError
from tests.cluster import Gateway, reply, running_gateway, running_shard
from tests.served.dialects.world import Question, Row, minus, ranked, table

KEYS = {"id": "text", "name": "text", "price": "number"}
PLAIN: dict[str, Any] = {
    "limit": "limit",
    "offset": "skip",
    "items": "results",
    "total": "count",
    "limit_default": 100,
    "passes": ["count"],  # it asks for the size of the list
}
RULE: dict[str, Any] = {
    "rule": "gather",
    "merge": {"kind": "list", "dialect": {"kind": "envelope", **PLAIN}, "keys": KEYS},
    "by_post": {
        "kind": "list",
        "dialect": {"kind": "search", "states_order": True, "refuse": ["keys"], **PLAIN},
        "keys": KEYS,
    },
}
REPORT: dict[str, Any] = {
    "rule": "gather",
    "merge": {"kind": "numbers", "sum": ["orders"]},
    "by_post": {"kind": "numbers", "sum": ["orders"], "posted": True},
}
RULES = {"GET /rows": RULE, "GET /report": REPORT, "POST /rows": {"rule": "any"}}


def speak(rows: list[Row], asked: Question) -> bytes:
    """Parameters of the query and members of the body are one, as for Parse."""
    said = {**json.loads(asked.body or b"{}"), **asked.values}
    if said.get("_method", "GET") != "GET":
        return reply("{}", status="201 Created")
    if asked.target.startswith("/report"):
        return reply(json.dumps({"orders": len(rows)}))
    if said.get("order") == "-price":  # it has no tie-breaker of its own
        return reply("{}", status="500 No order")
    found = [row for row in rows if said.get("where", {}).get("name", row["name"]) == row["name"]]
    skip, limit = int(said.get("skip", 0)), int(said.get("limit", 100))
    order = [each for each in minus(said.get("order")) if each[0] in KEYS]
    body: dict[str, Any] = {"results": ranked(found, order)[skip : skip + limit]}
    return reply(json.dumps(body | ({"count": len(found)} if "count" in said else {})))


class Both:
    """The gateway over three shards, and one instance with all rows."""

    def __init__(self, gateway: Gateway, whole: str) -> None:
        self.gateway, self.whole = gateway, whole

    async def ask(self, path: str = "/rows", headers: Any = None, **body: Any) -> httpx.Response:
        """The gateway's reply, after it was found equal to the one instance's."""
        text = json.dumps({"_method": "GET", **body})
        post, sent = self.gateway.client.post, {"Content-Type": "text/plain", **(headers or {})}
        expected = await post(self.whole + path, content=text, headers=sent)
        answer = await post(path, content=text, headers=sent)
        assert (answer.status_code, answer.text) == (expected.status_code, expected.text), body
        return answer


@pytest.fixture
async def both(stack: AsyncExitStack, tmp_path: Path) -> Both:
    rows = table(600)
    parts = [rows[:300], rows[300:310], rows[310:]]

    async def start(part: list[Row]) -> str:
        return (await stack.enter_async_context(running_shard(lambda asked: speak(part, Question(asked))))).url

    config = {
        "shards": {f"s{n}": await start(part) for n, part in enumerate(parts)},
        "method_override_member": "_method",
        "rules": RULES,
    }
    return Both(await stack.enter_async_context(running_gateway(config, tmp_path)), await start(rows))


async def test_a_list_by_post_is_the_list(both: Both) -> None:
    for body in (
        {},
        {"limit": 7, "skip": 250, "order": "-price,name", "count": 1},
        {"where": {"name": "Ulm"}, "limit": 5, "order": "id", "count": 1},
        {"limit": 0, "count": 1},
        {"limit": 20, "skip": 590},
        {"_ApplicationId": "shop", "limit": 3},
    ):
        answer = await both.ask(**body)
        assert answer.status_code == 200
    as_get = await both.gateway.get("/rows?limit=7&skip=250&order=-price,name&count=1")
    assert as_get.text == (await both.ask(limit=7, skip=250, order="-price,name", count=1)).text


async def test_the_whole_order_is_stated_in_the_body(both: Both) -> None:
    answer = await both.gateway.client.post("/rows", json={"_method": "GET", "order": "-price", "limit": 50})
    shown = answer.json()["results"]
    assert shown == sorted(shown, key=lambda row: (-row["price"], row["id"]))


async def test_a_report_by_post_is_merged_too(both: Both) -> None:
    assert (await both.ask("/report")).json() == {"orders": 600}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/rows?limit=3", {}),
        ("/rows?Skip=3", {}),
        ("/rows", {"keys": "name"}),
        ("/rows", {"limit": 3, "Limit": 5}),
        ("/rows", {"order": "color"}),
        ("/report", {"limit": 3}),
    ],
)
async def test_what_pages_each_shard_alone_is_refused_in_words(both: Both, path: str, body: Any) -> None:
    text = json.dumps({"_method": "GET", **body})
    answer = await both.gateway.client.post(path, content=text, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1009"), answer.text


@pytest.mark.parametrize(("said", "status"), [({}, 400), ({"passes": ["count"]}, 200), ({"names": "exact"}, 200)])
async def test_a_member_that_seems_to_page_passes_where_the_rule_says_so(
    start_shard: Any, start_gateway: Any, said: dict[str, Any], status: int
) -> None:
    """Found: `names: exact` was not heard of members of the body, so that Parse's `count` was refused."""
    shard = await start_shard(lambda asked: speak(table(9), Question(asked)))
    dialect = {"kind": "search", **{name: value for name, value in PLAIN.items() if name != "passes"}, **said}
    rule = {"rule": "gather", "merge": {"kind": "list", "dialect": dialect, "keys": KEYS}}
    gateway = await start_gateway({"shards": {"a": shard.url}, "rules": {"POST /rows": rule}})
    answer = await gateway.client.post("/rows", json={"limit": 2, "count": 1})
    assert answer.status_code == status, answer.text
    if status == 200:
        assert (len(answer.json()["results"]), answer.json()["count"]) == (2, 9)
    else:
        assert (answer.json()["code"], answer.json()["member"]) == ("SG1009", "count")


async def test_a_form_that_asks_for_a_list_is_refused(both: Both) -> None:
    answer = await both.gateway.client.post("/rows", data={"_method": "GET", "limit": "3"})
    assert answer.status_code in {400, 502}
    assert (await both.gateway.client.post("/rows", json={"name": "a"})).status_code == 200


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("GET /rows", RULE | {"by_post": RULE["merge"]}),
        ("POST /rows", {"rule": "gather", "merge": RULE["by_post"], "by_post": RULE["by_post"]}),
    ],
)
async def test_a_merge_that_does_not_read_the_body_is_a_mistake(
    start_shard: Any, start_gateway: Any, operation: str, rule: Any
) -> None:
    shard = await start_shard()
    with pytest.raises(ConfigError, match="by_post"):
        await start_gateway({"shards": {"a": shard.url}, "rules": {operation: rule}})
