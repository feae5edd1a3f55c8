"""`explain` plans a request as the gateway does, and opens no socket for it."""

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import Loaded, load
from shardgate.process.explain import explain_request
from shardgate.store.sqlite import SqliteStore

CONFIG: dict[str, Any] = {
    "shards": {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"},
    "directory": "directory.db",
    "locators": {"vendor": [{"kind": "directory"}]},
    "method_override": "method",
    "rules": {
        "GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "POST /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "PATCH /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
    },
}

JSON = "Content-Type: application/json"


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    with SqliteStore(tmp_path / "directory.db") as store:
        store.put_many("vendor", [("acme", "south")])
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(CONFIG))
    return load(tmp_path / "shardgate.yaml")


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "bind", refused)


@pytest.mark.usefixtures("no_sockets")
def test_it_says_who_is_asked(loaded: Loaded) -> None:
    lines, code = explain_request(loaded, "GET", "/vendors/acme", [], b"")
    assert code == 0
    assert ("shard", "south owns the key 'acme'") in lines


@pytest.mark.usefixtures("no_sockets")
def test_a_method_that_is_overridden_is_the_one_that_counts(loaded: Loaded) -> None:
    lines, code = explain_request(loaded, "POST", "/vendors/acme?method=PATCH", [], b"")
    assert code == 0
    assert "PATCH /vendors/{id}" in " ".join(text for _, text in lines)


@pytest.mark.parametrize(
    ("method", "target", "code"), [("GET", "/nothing", "SG1004"), ("DELETE", "/vendors/acme", "SG1005")]
)
def test_a_request_that_is_refused_is_told_as_such(loaded: Loaded, method: str, target: str, code: str) -> None:
    lines, exit_code = explain_request(loaded, method, target, [], b"")
    assert exit_code == 1
    assert lines[0][0] == "refused"
    assert f"({code})" in lines[0][1]
    assert lines[-1] == ("asked", "nobody")


@pytest.mark.parametrize(
    "target", ["/me?api_key=aS3CR%2FT", "/me?api_key=bS3CR%2FT&token=S3CR", "/me?api_key=zS3CR&api_key=S3CR"]
)
@pytest.mark.parametrize(
    "chain", [[{"kind": "prefix", "shards": {"a": "north", "b": "south"}}], [{"kind": "hash"}], []]
)
def test_a_key_that_is_a_secret_is_not_shown(tmp_path: Path, target: str, chain: list[Any]) -> None:
    config = {
        "shards": CONFIG["shards"],
        "locators": {"account": [*chain, {"kind": "probe", "path": "/accounts/{key}"}]},
        "rules": {"GET /me": {"rule": "one", "key": "query.api_key", "locate": "account"}},
    }
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(config))
    lines, _ = explain_request(load(tmp_path / "shardgate.yaml"), "GET", target, [], b"")
    assert len(lines) > 1
    assert "S3CR" not in " ".join(text for _, text in lines)


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize(("mode", "calls"), [("read", 49), ("independent", 26)])
def test_a_divided_body_says_how_its_owners_are_found_and_how_many_calls_it_may_take(
    tmp_path: Path, mode: str, calls: int
) -> None:
    bulk = {"path": "/dates?id={keys}", "key": "id"}
    config = {
        "shards": CONFIG["shards"],
        "locators": {"date": [{"kind": "probe", "path": "/dates/{key}", "bulk": bulk}]},
        "rules": {"POST /check": {"rule": "divide", "key": "date", "locate": "date", "mode": mode}},
    }
    (tmp_path / "shardgate.yaml").write_text(yaml.safe_dump(config))
    body = b'[{"date": "a"}, {"date": "b"}, {"date": "a b"}, {"date": "a"}]'
    lines, code = explain_request(load(tmp_path / "shardgate.yaml"), "POST", "/check", [JSON], body)
    assert code == 0
    assert ("asked", "each shard, by one list of keys: GET /dates?id=a,b") in lines
    assert ("calls", f"at most {calls} to shards") in lines


@pytest.mark.usefixtures("no_sockets")
def test_it_names_the_priority_class_and_the_one_that_a_proxy_could_name(loaded: Loaded) -> None:
    classes = [
        {"name": "patches", "match": [{"operations": ["PATCH /vendors/{id}"]}]},
        {"name": "gold", "match": [{"header": {"X-Tier": ["gold"]}}]},
        {"name": "others"},
    ]
    config = {**CONFIG, "clients": {"classes": classes}, "trusted_proxies": ["10.0.0.1"]}
    loaded.file.write_text(yaml.safe_dump(config))
    loaded = load(loaded.file)

    def said(method: str, *headers: str) -> list[str]:
        return [
            text
            for title, text in explain_request(loaded, method, "/vendors/acme", [*headers], b"")[0]
            if title == "class"
        ]

    assert said("PATCH") == ["patches (1 of 3; under overload the last is refused first)"]
    assert said("GET") == ["others (3 of 3; under overload the last is refused first)"]
    assert said("GET", "X-Tier: gold") == [
        "others (3 of 3; under overload the last is refused first)",
        "gold, where a trusted proxy has sent these header fields",
    ]
