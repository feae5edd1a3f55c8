"""Sessions that each shard keeps for itself, behind one cookie of the client's."""

import json
from typing import Any

import pytest

from tests.cluster import Asked, reply

LIST = {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}}
CONFIG = {
    "cookies": {"jar": ["sid"]},
    "locators": {"row": [{"kind": "prefix", "shards": {"a": "a", "b": "b"}}]},
    "rules": {
        "GET /rows": {"rule": "gather", "merge": LIST, "cookies": "jar"},
        "GET /rows/{id}": {"rule": "one", "key": "path.id", "locate": "row"},
        "PUT /rows/{id}": {"rule": "one", "key": "path.id", "locate": "row"},
        "POST /logout": {"rule": "any"},
    },
}


class Instance:
    """An application that gives each client a session of its own making, and counts what the session has asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sessions: dict[str, int] = {}
        self.cookies: list[list[str]] = []

    def answer(self, asked: Asked) -> bytes:
        self.cookies.append(asked.field("cookie"))
        pairs = dict(part.split("=", 1) for line in asked.field("cookie") for part in line.split("; "))
        fields = ""
        if (sid := pairs.get("sid", "")) not in self.sessions:
            sid = f"{self.name}{len(self.sessions)}"
            fields = f"Set-Cookie: sid={sid}; Path=/; HttpOnly\r\n"
            self.sessions[sid] = 0
        self.sessions[sid] += 1
        if asked.line.startswith("POST /logout"):
            del self.sessions[sid]
            return reply("{}", fields="Set-Cookie: sid=; Path=/; Max-Age=0\r\n")
        body: Any = {"id": f"{self.name}-1", "asked": self.sessions[sid]}
        return reply(json.dumps([body] if asked.line.startswith("GET /rows ") else body), fields=fields)


@pytest.fixture
async def two(start_shard: Any, start_gateway: Any) -> Any:
    shards = [Instance("a"), Instance("b")]
    urls = {shard.name: (await start_shard(shard.answer)).url for shard in shards}
    return shards, await start_gateway({"shards": urls, **CONFIG})


async def test_l12_each_shard_is_sent_its_own_session(two: Any) -> None:
    shards, gateway = two
    for n in range(1, 4):
        rows = await gateway.get("/rows")
        assert [row["asked"] for row in rows.json()] == [n, n]
        assert [each.partition("=")[0] for each in rows.headers.get_list("set-cookie")] == ["sid"] * (n == 1)
    assert (await gateway.get("/rows/a-1")).json()["asked"] == 4
    assert (await gateway.client.put("/rows/b-1", json={})).json()["asked"] == 4
    assert [len(shard.sessions) for shard in shards] == [1, 1]
    assert shards[0].cookies[-1] == ["sid=a0"]
    assert shards[1].cookies[-1] == ["sid=b0"]


async def test_l12_a_session_that_begins_at_one_shard_is_kept_beside_the_others(two: Any) -> None:
    shards, gateway = two
    await gateway.get("/rows/b-1")
    await gateway.get("/rows/a-1")
    rows = await gateway.get("/rows")
    assert [row["asked"] for row in rows.json()] == [2, 2]
    assert [len(shard.sessions) for shard in shards] == [1, 1]
    assert "httponly" in rows.headers.get("set-cookie", "HttpOnly").lower()


async def test_l12_a_logout_at_one_shard_leaves_the_others(two: Any) -> None:
    shards, gateway = two
    await gateway.get("/rows")
    await gateway.client.post("/logout")
    assert sorted(len(shard.sessions) for shard in shards) == [0, 1]
    rows = await gateway.get("/rows")
    assert sorted(row["asked"] for row in rows.json()) == [1, 2]


async def test_l12_cookies_that_are_too_large_together_are_a_502(start_shard: Any, start_gateway: Any) -> None:
    shard = await start_shard(lambda _: reply("[]", fields=f"Set-Cookie: sid={'x' * 2000}\r\n"))
    other = await start_shard(lambda _: reply("[]", fields=f"Set-Cookie: sid={'y' * 2000}\r\n"))
    gateway = await start_gateway({"shards": {"a": shard.url, "b": other.url}, **CONFIG})
    assert (await gateway.get("/rows/a-1")).status_code == 200
    for target in ("/rows", "/rows/b-1"):
        answer = await gateway.get(target)
        assert (answer.status_code, answer.json()["code"]) == (502, "SG2005"), target
