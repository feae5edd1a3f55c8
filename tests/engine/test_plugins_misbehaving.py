"""Whatever a plug-in does, one request fails, the log says why, and the worker serves on."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Gateway, Shard, reply

PLUGINS = """
import asyncio
import sys

import msgspec

from shardgate.extend import *


def fail(how):
    if how == "exit":
        sys.exit(3)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "cancel":
        raise asyncio.CancelledError
    if how == "recursion":
        return fail(how)
    if how == "defect":
        raise AttributeError("that is not there")
    return {
        "nothing": None, "number": 7, "text": "x", "no calls": [], "await": asyncio.Event().wait,
        "line break": Reply(200, [(b"A", b"b\\r\\nC: d")], b"{}"), "text body": Reply(200, [], "{}"),
        "no status": Reply(None, [], b"{}"),
    }[how]


class Merge(Strategy, frozen=True):
    how: str
    when: str

    def begin(self, request, shards, moment):
        if self.when == "begin" :
            return fail(self.how)
        return Under(self, request, shards)

    def describe(self):
        return "by a plug-in"


class Under:
    def __init__(self, rule, request, shards):
        self.rule, self.request, self.shards = rule, request, shards

    def asks(self):
        return fail(self.rule.how) if self.rule.when == "asks" else [Ask(s, self.request.target) for s in self.shards]

    def take(self, replies):
        return fail(self.rule.how) if self.rule.when == "take" else replies[self.shards[0]]

    def learned(self):
        return fail(self.rule.how) if self.rule.when == "learned" else ()

    def explain(self):
        return ()


class Locate(Strategy, frozen=True):
    how: str

    def locate(self, space, key, known):
        return AskAll("/x/" + key) if self.how == "unquoted" else fail(self.how)


class Page(Parameters, frozen=True):
    how: str = ""
    when: str = ""

    def read(self, request):
        return fail(self.how) if self.when == "read" else super().read(request)

    def cover(self, start, count):
        return fail(self.how) if self.when == "cover" else super().cover(start, count)

    def ask(self, request, page, fields):
        return fail(self.how) if self.when == "ask" else super().ask(request, page, fields)

    def open(self, reply):
        return fail(self.how) if self.when == "open" else Listing(reply.body)

    def close(self, merged):
        return fail(self.how) if self.when == "close" else Reply(200, list(merged.reply.fields), merged.rows)
"""

StartShard = Callable[..., Awaitable[Shard]]
StartGateway = Callable[..., Awaitable[Gateway]]


async def served(rules: dict[str, Any], start_shard: StartShard, start_gateway: StartGateway, **more: Any) -> Gateway:
    shards = {name: (await start_shard(lambda _: reply('[{"id":"1"}]'))).url for name in ("north", "south")}
    return await start_gateway({"shards": shards, "rules": {"GET /ok": {"rule": "any"}, **rules}, **more})


async def see_it_fail(gateway: Gateway, path: str, told: str, log: pytest.LogCaptureFixture) -> None:
    """The request is answered as an internal error on a connection that goes on, and the log names the plug-in."""
    answer = await gateway.get(path)
    assert (answer.status_code, answer.json()["code"]) == (500, "SG9001")
    assert "plug-in" not in answer.text
    (record,) = [record for record in log.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert f"plug-in ./plugins.py:{told}" in str(record.exc_info[1])
    assert (await gateway.get("/ok")).status_code == 200


@pytest.fixture(autouse=True)
def plugins(tmp_path: Path) -> None:
    (tmp_path / "plugins.py").write_text(PLUGINS)


def custom(class_: str, **options: str) -> dict[str, Any]:
    return {"kind": "custom", "class": f"./plugins.py:{class_}", "options": options}


@pytest.mark.parametrize("how", ["exit", "interrupt", "cancel", "recursion", "defect", "nothing", "await", "text"])
@pytest.mark.parametrize("when", ["begin", "asks", "take", "learned"])
async def test_a_merge_that_fails(
    when: str, how: str, start_shard: StartShard, start_gateway: StartGateway, caplog: pytest.LogCaptureFixture
) -> None:
    rule = {"rule": "gather", "merge": custom("Merge", how=how, when=when)}
    gateway = await served({"GET /x": rule}, start_shard, start_gateway)
    await see_it_fail(gateway, "/x", "Merge: ", caplog)


@pytest.mark.parametrize("how", ["line break", "text body", "no status", "no calls"])
async def test_a_merge_whose_reply_cannot_be_sent(
    how: str, start_shard: StartShard, start_gateway: StartGateway, caplog: pytest.LogCaptureFixture
) -> None:
    rule = {"rule": "gather", "merge": custom("Merge", how=how, when="take")}
    gateway = await served({"GET /x": rule}, start_shard, start_gateway)
    await see_it_fail(gateway, "/x", "Merge: take returned ", caplog)


@pytest.mark.parametrize("how", ["exit", "interrupt", "cancel", "recursion", "defect", "nothing", "number", "unquoted"])
async def test_a_locator_that_fails(
    how: str, start_shard: StartShard, start_gateway: StartGateway, caplog: pytest.LogCaptureFixture
) -> None:
    rules = {
        "GET /x/{id}": {"rule": "one", "key": "path.id", "locate": "x"},
        "PUT /x/{id}": {"rule": "one", "key": "path.id", "locate": "x"},
        "POST /x": {"rule": "divide", "key": "id", "locate": "x", "items": "ids", "mode": "independent"},
    }
    gateway = await served(rules, start_shard, start_gateway, locators={"x": [custom("Locate", how=how)]})
    await see_it_fail(gateway, "/x/a%20b", "Locate: locate r", caplog)
    for method, path, body in (("PUT", "/x/a%20b", {}), ("POST", "/x", {"ids": [{"id": "a b"}]})):
        answer = await gateway.client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (500, "SG9001")


async def test_a_locator_that_names_no_shard(
    start_shard: StartShard, start_gateway: StartGateway, caplog: pytest.LogCaptureFixture
) -> None:
    rules = {"GET /x/{id}": {"rule": "one", "key": "path.id", "locate": "x"}}
    gateway = await served(rules, start_shard, start_gateway, locators={"x": [custom("Locate", how="text")]})
    answer = await gateway.get("/x/7")
    assert (answer.status_code, answer.json()["code"]) == (503, "SG2001")
    assert "'x' owns the key" in caplog.text


@pytest.mark.parametrize("how", ["exit", "cancel", "nothing", "number"])
@pytest.mark.parametrize("when", ["read", "cover", "ask", "open", "close"])
async def test_a_dialect_that_fails(
    when: str, how: str, start_shard: StartShard, start_gateway: StartGateway, caplog: pytest.LogCaptureFixture
) -> None:
    merge = {"kind": "list", "keys": {"id": "text"}, "dialect": custom("Page", how=how, when=when)}
    gateway = await served({"GET /x": {"rule": "gather", "merge": merge}}, start_shard, start_gateway)
    await see_it_fail(gateway, "/x?offset=1&limit=1", f"Page: {when} r", caplog)


async def test_a_reply_that_a_dialect_cannot_open_is_a_broken_one(
    start_shard: StartShard, start_gateway: StartGateway, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "plugins.py").write_text(PLUGINS.replace('AttributeError("that', 'KeyError("that'))
    merge = {"kind": "list", "keys": {"id": "text"}, "dialect": custom("Page", how="defect", when="open")}
    gateway = await served({"GET /x": {"rule": "gather", "merge": merge}}, start_shard, start_gateway)
    answer = await gateway.get("/x")
    assert (answer.status_code, answer.json()["code"]) == (502, "SG2002")
    assert "plug-in ./plugins.py:Page: open raised KeyError: 'that is not there'" in caplog.text


async def test_what_a_plug_in_says_of_framing_is_not_sent(
    start_shard: StartShard, start_gateway: StartGateway, tmp_path: Path
) -> None:
    framed = '[(b"Content-Length", b"1"), (b"Connection", b"close"), (b"A", b"b")]'
    (tmp_path / "plugins.py").write_text(PLUGINS.replace('[(b"A", b"b\\r\\nC: d")]', framed))
    rule = {"rule": "gather", "merge": custom("Merge", how="line break", when="take")}
    gateway = await served({"GET /x": rule}, start_shard, start_gateway)
    received = await gateway.raw(
        b"GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert received.count(b"HTTP/1.1 200") == received.count(b"Content-Length: 2\r\n") == 2
    assert received.count(b"Content-Length") == 2
    assert received.count(b"A: b\r\n") == 2
