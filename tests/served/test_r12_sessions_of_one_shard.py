"""A session or a token that one shard alone knows: the others' 401 never wins, as at one instance that knows it."""

import json
from typing import Any

import pytest

from tests.cluster import Asked, reply

SESSION = {"key": "cookie.sid", "locate": "session"}
CHAIN = [{"kind": "learned"}, {"kind": "probe", "path": "/me", "by_headers": True}]
LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
REFUSED = [401, 404]
RULES = {
    "POST /login": {
        "rule": "one",
        "key": "body.user",
        "locate": "user",
        "learn": {"session": "set-cookie.sid", "token": "token"},
    },
    "GET /me": {"rule": "one", **SESSION, "not_here": REFUSED},
    "PUT /me": {"rule": "one", **SESSION, "not_here": REFUSED, "unknown": "ask"},
    "GET /rows": {"rule": "gather", "merge": LIST, "credential": SESSION},
    "GET /mine": {"rule": "gather", "merge": LIST, "credential": {"key": "bearer.token", "locate": "token"}},
}
CONFIG = {"rules": RULES, "locators": {"session": CHAIN, "token": CHAIN, "user": [{"kind": "hash"}]}}


class Instance:
    """An application that keeps its sessions in its own memory."""

    def __init__(self, name: str, *sessions: str) -> None:
        self.name = name
        self.sessions = {*sessions}
        self.asked: list[str] = []

    def answer(self, asked: Asked) -> bytes:
        method, target, _ = asked.line.split(" ")
        self.asked.append(f"{method} {target}")
        if target == "/login":
            sid = json.loads(asked.body)["user"] + "-session"
            self.sessions.add(sid)
            return reply(json.dumps({"token": sid}), fields=f"Set-Cookie: a=b\r\nSet-Cookie: sid={sid}; Path=/\r\n")
        cookies = dict(part.strip().split("=", 1) for part in asked.field("cookie")[0:1] for part in part.split(";"))
        bearer = [value.removeprefix("Bearer ") for value in asked.field("authorization")]
        if not {cookies.get("sid"), *bearer} & self.sessions:
            return reply('{"error":"who are you"}', status="401 Unauthorized", fields="WWW-Authenticate: x\r\n")
        if target.startswith("/me"):
            return reply(json.dumps({"on": self.name, "did": method}))
        return reply(json.dumps([{"id": f"{self.name}{n}"} for n in range(2)], separators=(",", ":")))


@pytest.fixture
async def three(start_shard: Any, start_gateway: Any) -> Any:
    shards = [Instance("a"), Instance("b", "known"), Instance("c")]
    urls = {shard.name: (await start_shard(shard.answer)).url for shard in shards}
    gateway = await start_gateway({"shards": urls, **CONFIG})
    return shards, gateway


async def test_r12_the_shard_that_knows_the_session_answers(three: Any) -> None:
    shards, gateway = three
    for _ in range(2):
        rows = await gateway.get("/rows", headers={"Cookie": "x=1; sid=known"})
        assert (rows.status_code, rows.content) == (200, b'[{"id":"b0"},{"id":"b1"}]')
        mine = await gateway.get("/mine", headers={"Authorization": "Bearer known"})
        assert mine.content == rows.content
    me = await gateway.get("/me", headers={"Cookie": "sid=known"})
    assert me.json() == {"on": "b", "did": "GET"}
    put = await gateway.client.put("/me", json={}, headers={"Cookie": "sid=known"})
    assert put.json() == {"on": "b", "did": "PUT"}
    # Each chain has asked once; from then on it is remembered.
    assert [shard.asked for shard in shards if shard.name != "b"] == [["GET /me", "GET /me"]] * 2


async def test_r12_a_session_is_learned_from_the_login(three: Any) -> None:
    shards, gateway = three
    for user in ("anna", "bert", "carl", "dora"):
        login = await gateway.client.post("/login", json={"user": user})
        sid = login.headers["set-cookie"].split("sid=")[1].split(";")[0]
        owner = next(shard for shard in shards if sid in shard.sessions)
        for shard in shards:
            shard.asked.clear()
        rows = await gateway.get("/rows", headers={"Cookie": f"sid={sid}"})
        mine = await gateway.get("/mine", headers={"Authorization": f"bearer {sid}"})
        assert rows.json() == mine.json() == [{"id": f"{owner.name}0"}, {"id": f"{owner.name}1"}]
        assert [shard.asked for shard in shards if shard is not owner] == [[], []]
        gateway.client.cookies.clear()


async def test_r12_a_session_that_has_moved_is_found_again(three: Any) -> None:
    shards, gateway = three
    headers = {"Cookie": "sid=known"}
    assert (await gateway.get("/rows", headers=headers)).json()[0] == {"id": "b0"}
    shards[1].sessions.clear()
    shards[2].sessions.add("known")
    assert (await gateway.get("/rows", headers=headers)).json()[0] == {"id": "c0"}


async def test_r12_nobody_knows_it(three: Any) -> None:
    """The refusal is the application's own, to the client's own request."""
    shards, gateway = three
    for headers in ({"Cookie": "sid=stolen"}, {}):
        rows = await gateway.get("/rows", headers=headers)
        assert (rows.status_code, rows.json()) == (401, {"error": "who are you"})
        assert rows.headers["www-authenticate"] == "x"
        assert all(shard.asked[-1] == "GET /rows" for shard in shards)


async def test_r12_a_shard_that_may_know_it_is_down(three: Any, start_gateway: Any) -> None:
    """The list would be refused though the session is good, so the reply is 503."""
    shards, gateway = three
    shards[1].answer = lambda _: b""
    urls = gateway.worker.built.cluster.snapshot.known.topology.shards
    dead = {name: f"http://{shard.host}:{shard.port}" for name, shard in urls.items()} | {"b": "http://127.0.0.1:1"}
    gateway = await start_gateway({"shards": dead, **CONFIG})
    assert (await gateway.get("/rows", headers={"Cookie": "sid=known"})).status_code == 503


async def test_r12_several_shards_know_it(three: Any) -> None:
    shards, gateway = three
    shards[0].sessions.add("known")
    rows = await gateway.get("/rows", headers={"Cookie": "sid=known"})
    assert [row["id"] for row in rows.json()] == ["a0", "a1", "b0", "b1"]


async def test_r12_a_cookie_that_may_be_read_in_two_ways_is_refused(three: Any) -> None:
    _, gateway = three
    for cookies in ("sid=known; sid=other", "sid=known; SID=other", "sid[0]=other"):
        answer = await gateway.get("/rows", headers={"Cookie": cookies})
        assert (answer.status_code, answer.json()["code"]) == (400, "SG1002"), cookies
        assert "other" not in answer.text


async def test_r12_a_credential_is_in_no_log(three: Any, caplog: Any) -> None:
    shards, gateway = three
    shards[0].sessions.add("known")
    me = await gateway.get("/me", headers={"Cookie": "sid=known"})
    assert me.status_code == 409
    memory = gateway.worker.built.cluster.snapshot.known.memory
    memory.learn("session", "known", "a")
    memory.learn("session", "known", "b")
    assert "known" not in me.text
    assert "SG2006" in caplog.text
    assert "known" not in caplog.text
