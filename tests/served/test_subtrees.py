"""Rules for subtrees, for several methods and for every other request; and OPTIONS, which the application answers."""

from pathlib import Path
from typing import Any

import pytest

from shardgate.config.load import load
from tests.cluster import Asked, Gateway, reply, rows
from tests.config.test_load import mistakes

LIST = {"rule": "gather", "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}}
CORS = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}


def application(name: str) -> Any:
    """An application with the list `/items`, and a reply of its own to all else: what it was asked, and its name."""

    def answer(asked: Asked) -> bytes:
        method, target, _ = asked.line.split(" ")
        if method == "OPTIONS":
            return reply(status="204 No Content", fields=f"Allow: GET, POST\r\nX-Shard: {name}\r\n")
        if target.startswith("/items?") and method == "GET":
            return rows({"id": f"{name}1"})
        status = "405 Method Not Allowed" if target == "/items" else "404 Not Found"
        status = "200 OK" if "admin" in target else status
        return reply(f"{method} {target}", status=status, fields=f"X-Own: {name}\r\n")

    return answer


@pytest.fixture
def start(start_shard: Any, start_gateway: Any) -> Any:
    async def started(rules: dict[str, Any], **more: Any) -> Gateway:
        shards = {name: (await start_shard(application(name))).url for name in ("a", "b")}
        return await start_gateway({"shards": shards, "rules": rules, **more})

    return started


RULES = {"GET /items": LIST, "GET|DELETE /admin/users": {"rule": "any"}, "ANY /admin/**": {"rule": "any"}}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/admin", 200),
        ("GET", "/admin/", 200),
        ("POST", "/admin/users/7/roles", 200),
        ("DELETE", "/admin/users", 200),
        ("PROPFIND", "/admin/dav", 200),
        ("GET", "/administrators", 404),
        ("GET", "/other", 404),
    ],
)
async def test_r1_everything_below_a_path_has_one_rule(start: Any, method: str, path: str, status: int) -> None:
    gateway = await start(RULES)
    answer = await gateway.client.request(method, path)
    assert answer.status_code == status
    assert ("x-own" in answer.headers) == (status == 200)
    if status == 200:
        assert answer.text == f"{method} {path}"


async def test_r1_a_default_rule_leaves_404_and_405_to_the_application(start: Any) -> None:
    gateway = await start({"GET /items": LIST, "ANY /**": {"rule": "any"}})
    assert (await gateway.get("/items?limit=5")).json() == [{"id": "a1"}, {"id": "b1"}]
    assert (await gateway.client.head("/items?limit=5")).status_code == 200
    refused = await gateway.client.post("/items", json={})
    assert (refused.status_code, refused.text) == (405, "POST /items")
    unknown = await gateway.get("/nowhere")
    assert (unknown.status_code, unknown.text) == (404, "GET /nowhere")
    root = await gateway.get("/")
    assert (root.status_code, root.text) == (404, "GET /")


async def test_r1_the_preflight_of_a_gathered_path_is_the_applications(start: Any) -> None:
    gateway = await start({"GET /items": LIST})
    answer = await gateway.client.options("/items", headers=CORS)
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, POST")
    assert (await gateway.client.options("/nowhere")).status_code == 204
    other = await gateway.client.put("/items")
    assert (other.status_code, other.headers["allow"]) == (405, "GET")


async def test_r1_a_rule_or_unserved_decides_about_options(start: Any) -> None:
    gateway = await start({"GET /items": LIST}, unserved={"OPTIONS /**": "no browser calls"})
    assert (await gateway.client.options("/items")).status_code == 501


async def test_r1_a_preflight_needs_no_token(start: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef" * 4)
    clients = {"jwt": {"algorithms": ["HS256"], "key_file": "secret"}}
    gateway = await start({"GET /items": LIST}, clients=clients)
    assert (await gateway.client.options("/items", headers=CORS)).status_code == 204
    assert (await gateway.client.options("/items")).status_code == 401
    assert (await gateway.get("/items", headers=CORS)).status_code == 401


@pytest.mark.parametrize("path", ["/Items", "/ITEMS/", "/items.json", "/%49tems"])
async def test_r1_a_default_rule_never_gives_one_shards_rows_for_a_list_in_another_spelling(
    start: Any, path: str
) -> None:
    gateway = await start({"GET /items": LIST, "ANY /**": {"rule": "any"}})
    refused = await gateway.get(path)
    assert (refused.status_code, refused.json()["code"]) == (400, "SG1003")
    assert "/items" in refused.json()["detail"]
    assert (await gateway.client.post(path)).status_code == 404  # there is no other rule for POST


async def test_r1_the_case_of_letters_in_paths_can_be_said(start: Any) -> None:
    rules = {"GET /items": LIST, "ANY /**": {"rule": "any"}}
    distinct = await start(rules, path_case="distinct")
    assert (await distinct.get("/Items")).text == "GET /Items"
    ignored = await start({**rules, "GET /Vendors/{id}": {"rule": "any"}}, path_case="ignored")
    assert (await ignored.get("/items?limit=1")).json() == [{"id": "a1"}]
    assert (await ignored.get("/vendors/X")).text == "GET /vendors/X"


async def test_r1_the_nearest_subtree_wins_and_variables_are_keys(start: Any) -> None:
    hashed = {"rule": "one", "key": "path.vendor", "locate": "vendor", "unknown": "ask"}
    gateway = await start(
        {"ANY /admin/{vendor}/**": hashed, "GET /admin/{vendor}/logo": {"rule": "any"}, "ANY /**": {"rule": "any"}},
        locators={"vendor": [{"kind": "hash", "overrides": {"x": "a", "y": "b"}}]},
    )
    for path, shard in (("/admin/x/a/b", "a"), ("/admin/y", "b"), ("/admin/y/logo/small", "b")):
        for method in ("GET", "POST"):
            assert (await gateway.client.request(method, path)).headers["x-own"] == shard


def test_r1_operations_of_the_document_below_a_subtree_need_no_rule(tmp_path: Path) -> None:
    paths = "".join(f"  /admin/a{n}: {{get: {{}}, post: {{}}, options: {{}}}}\n" for n in range(67))
    text = (
        "shards: {a: 'http://h:1'}\nopenapi: openapi.yaml\nrules:\n  'ANY /admin/**': {rule: any}\n"
        "  GET /items: {rule: any}\n"
    )
    document = f"paths:\n{paths}  /items: {{get: {{}}, head: {{}}}}\n  /other: {{get: {{}}}}\n"
    said = mistakes(tmp_path, text, openapi__yaml=document)
    assert [line.partition(" → ")[0] for line in said] == ["3: rules.GET /other: the operation has no rule"]
    mistakes(tmp_path, text.replace("GET /items", "GET|PUT /other"), openapi__yaml=document.replace("/items", "/admin"))
    loaded = load(tmp_path / "shardgate.yaml")
    assert sorted(route.name for route in loaded.routes.routes) == ["ANY /admin/**", "GET /other", "PUT /other"]
    assert set(loaded.routes.covered.values()) == {"ANY /admin/**"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("'* /a': {rule: any}", "* is not a method → write `ANY /a` for every method"),
        ("all /a: {rule: any}", "all is not a method → write `ANY /a` for every method"),
        ("GET|FETCH /a: {rule: any}", "'FETCH' is not a method → take one of"),
        ("GET|ANY /a: {rule: any}", ""),
        ("ANY /a/**/b: {rule: any}", "'**' matches only itself, not every path"),
        ("ANY /a/*: {rule: any}", "'*' matches only itself, not every path"),
        ("ANY /a/{x}/**: {rule: one, key: path.y, locate: l}", "the path has no variable 'y'"),
        ("ANY /a/**: {rule: every, mode: eventual, repeat: true}", "`every` changes, and GET does not"),
        ("GET|PUT /a: {rule: any}\n  PUT|POST /a: {rule: any}", "PUT /a is also in 'GET|PUT /a'"),
    ],
)
def test_r1_names_that_mean_nothing_are_mistakes(tmp_path: Path, rule: str, said: str) -> None:
    text = f"shards: {{a: 'http://h:1'}}\nlocators: {{l: [{{kind: hash}}]}}\nrules:\n  {rule}\n"
    found = mistakes(tmp_path, text)
    assert bool(found) == bool(said), found
    assert said in "\n".join(found)
