"""A client's token appears in no output of the gateway except the request to the shard."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from shardgate.cli.main import app
from shardgate.core.http import Request
from shardgate.core.wire.request_head import RequestHeadParser
from tests.clients.issuer import RULES, SECRET, Issuer, bearer
from tests.cluster import Asked, reply, until

CANARY = "Q0FOQVJZLXRoYXQtbm9ib2R5LW1heS1zZWU"
BROKEN_MERGE = {"kind": "custom", "class": "tests.served.clients.broken_merge:BrokenMerge"}
EVERY = {
    "GET /broken": {"rule": "gather", "merge": BROKEN_MERGE},
    "POST /things": {"rule": "every", "mode": "eventual", "check": "/things/{id}", "assign": {"id": "hex"}},
}


def tokens() -> list[str]:
    """A good one, one that is forged, one that is no token, one that breaks what reads it."""
    good = Issuer(algorithm="HS256").token(jti=CANARY)
    head, body, _ = good.split(".")
    return [good, f"{head}.{body}.{CANARY}", CANARY, f"{head}.{CANARY}.{CANARY}", f"{CANARY}é\x80"]


def config(folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "secret").write_text(SECRET)
    clients = {
        "jwt": {"algorithms": ["HS256"], "key_file": "secret"},
        "quota": {"calls": 5},
        "unverified": "pass",
    }
    return {**RULES, "rules": {**RULES["rules"], **EVERY}, "store": "store.db", "clients": clients, **more}


def parts(text: str) -> set[str]:
    """All that is long enough to be a part of a token."""
    return {token for token in [*tokens(), *(part for each in tokens() for part in each.split("."))] if token in text}


async def test_not_in_the_logs_nor_in_a_reply(
    start_shard: Any, start_gateway: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(asked: Asked) -> bytes:
        return b"" if "broken" in asked.line else reply("{}" if "/events" in asked.line else '{"id":"1"}')

    caplog.set_level(logging.DEBUG)
    shards = {name: (await start_shard(answer)) for name in ("north", "south")}
    urls = {name: shard.url for name, shard in shards.items()}
    gateway = await start_gateway(config(tmp_path, shards=urls, access_log={"to": "log.json", "query": True}))
    replies = []
    given = tokens()
    for token in given:
        headers = [(b"Authorization", b"Bearer " + token.encode("latin-1"))]
        for method, path in (
            ("GET", "/vendors/n-1"),
            ("GET", f"/vendors/n-1?access_token={CANARY}&x=1"),
            ("GET", "/vendors/n-broken"),
            ("GET", "/events"),  # its reply is no list: 502
            ("POST", "/events"),
            ("POST", "/things"),
            ("GET", "/nothing"),
            ("GET", f"/broken?access_token={CANARY}"),
        ):
            answered = await gateway.client.request(
                method, path, headers=headers, content=b"{}" if method == "POST" else None
            )
            replies.append(str(answered.headers) + answered.text)
    assert {json.loads(text.partition("})")[2] or "{}").get("code") for text in replies if "problem" in text} >= {
        "SG2002",
        "SG1004",
        "SG1023",
        "SG9001",
    }
    lines = len(replies)
    await until(lambda: len((tmp_path / "log.json").read_bytes().splitlines()) >= lines)
    log = (tmp_path / "log.json").read_text()
    assert "access_token=***&x=1" in log
    form = logging.Formatter()
    said = [form.format(each) for each in caplog.records if not each.name.startswith(("httpx", "httpcore"))]
    assert any("Traceback" in line and "nothing can be made of" in line for line in said)
    for name, text in {"access log": log, "log": "\n".join(said), "replies": "".join(replies)}.items():
        assert parts(text) == set(), name
        assert CANARY not in text, name
    sent = {field for each in shards["north"].asked for field in each.field("authorization")}
    assert {f"Bearer {token}" for token in given} <= sent


def test_not_in_what_the_commands_say(tmp_path: Path) -> None:
    said = config(tmp_path, shards={"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"})
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump(said))
    for passes in ("pass", "refuse"):
        said["clients"]["unverified"] = passes
        file.write_text(yaml.safe_dump(said))
        for token in tokens():
            for words in (
                ["explain", "GET", f"/events?access_token={CANARY}", "-H", f"Authorization: Bearer {token}"],
                ["explain", "POST", "/events", "-d", "{}", "-H", f"Authorization: Bearer {token}"],
                ["explain", "GET", "/events", "-H", f"Authorization : Bearer {token}"],
                ["journal", "list", "--all"],
                ["journal", "retry", "1", "-H", f"Authorization: Bearer {token}"],
                ["journal", "retry", "1", "-H", f"Authorization : {token}"],
            ):
                result = CliRunner().invoke(app, [*words, "-c", str(file)])
                assert parts(result.output) == set(), words[:2]
                assert CANARY not in result.output, words[:2]


async def test_not_in_the_list_of_changes(start_gateway: Any, tmp_path: Path) -> None:
    shards = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
    gateway = await start_gateway(config(tmp_path, shards=shards))
    good = tokens()[0]
    answered = await gateway.client.post("/things", headers=bearer(good), json={"name": "a"})
    assert answered.status_code == 503 or answered.status_code == 202
    listed = CliRunner().invoke(app, ["journal", "list", "--all", "-c", str(tmp_path / "shardgate.yaml")])
    assert "POST /things" in listed.output
    assert parts(listed.output) == set()
    status = await gateway.get(answered.headers.get("location", "/nothing"))
    assert parts(status.text) == set()


def test_not_in_a_traceback_that_shows_its_variables(tmp_path: Path) -> None:
    """As a reporter of errors does that keeps the locals of every frame."""
    token = tokens()[0]
    head = f"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
    request: Request = RequestHeadParser().parse(head.encode())
    assert parts(repr(request) + repr(request.fields)) == set()
    assert "authorization" in repr(request.fields)


def test_not_on_the_screen_when_a_command_breaks(tmp_path: Path) -> None:
    """The command line shows no variables of a traceback."""
    said = config(tmp_path, shards={"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"})
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(said))
    token = tokens()[0]
    broken = "import shardgate.process.explain as e, shardgate.cli.main as m; e.match = lambda *_: 1 / 0; m.app()"
    words = [
        "explain",
        "GET",
        "/events",
        "-H",
        f"Authorization: Bearer {token}",
        "-c",
        str(tmp_path / "shardgate.yaml"),
    ]
    ended = subprocess.run([sys.executable, "-c", broken, *words], capture_output=True, text=True, check=False)
    assert "ZeroDivisionError" in ended.stderr
    assert parts(ended.stderr + ended.stdout) == set()
