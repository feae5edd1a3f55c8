"""`explain` says what guards the calls of a request: the settings of the shards, and the rule's own words."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import load
from shardgate.process.explain import explain_request

CONFIG: dict[str, Any] = {
    "listen": "127.0.0.1:0",
    "shards": {
        "north": {
            "replicas": ["http://127.0.0.1:7001", "http://127.0.0.1:7002"],
            "health": {"path": "/readyz", "interval_s": 3},
        },
        "south": "http://127.0.0.1:7003",
    },
    "locators": {"v": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]},
}
ONE = {"rule": "one", "key": "path.id", "locate": "v"}
GATHER = {"rule": "gather", "merge": {"kind": "union"}}


def said(folder: Path, method: str, target: str, rule: dict[str, Any], **config: Any) -> list[tuple[str, str]]:
    path = target if target == "/list" else "/v/{id}"
    (folder / "shardgate.yaml").write_text(yaml.safe_dump({**CONFIG, **config, "rules": {f"{method} {path}": rule}}))
    lines, code = explain_request(load(folder / "shardgate.yaml"), method, target, [], b"")
    assert code == 0
    return [(title, text) for title, text in lines if title in {"timeouts", "guards"}]


def test_a_read_of_a_shard_with_replicas(tmp_path: Path) -> None:
    assert said(tmp_path, "GET", "/v/n-1", ONE) == [
        ("timeouts", "30 s until the reply begins, 20 s of them for a shard's first byte"),
        (
            "guards",
            "north: 2 replicas, the better of two by chance; sent to up to 2 more on a failure, 502, 503, 504"
            " (for 20 of 100 calls); hedged when later than the 95th percentile and 0.01 s (for 5 of 100 reads);"
            " 5 failures in a row leave a replica out for 5 s or longer; each is asked GET /readyz every 3 s",
        ),
    ]


def test_a_shard_with_one_address_has_no_such_guards(tmp_path: Path) -> None:
    assert [title for title, _ in said(tmp_path, "GET", "/v/s-1", ONE)] == ["timeouts"]


def test_a_list_says_them_of_each_shard_that_it_asks(tmp_path: Path) -> None:
    [_, guards] = said(tmp_path, "GET", "/list", GATHER)
    assert guards[1].startswith("north: ")


@pytest.mark.parametrize(
    ("method", "words", "told"),
    [
        ("POST", {}, "sent to up to 2 more where nothing of it was sent; 5 failures"),
        ("DELETE", {"retry": "idempotent"}, "sent to up to 2 more on a failure, 502, 503, 504"),
        ("GET", {"retry": "unsent"}, "sent to up to 2 more where nothing of it was sent; never hedged"),
        ("GET", {"hedge": "never"}, "; never hedged; 5 failures"),
        ("GET", {"hedge": 2}, "the 95th percentile and 2 s"),
        ("GET", {"breaker": "never"}, "its failures leave no replica out"),
        ("GET", {"breaker": 2}, "2 failures in a row"),
    ],
)
def test_the_rules_own_words_come_first(method: str, words: dict[str, Any], told: str, tmp_path: Path) -> None:
    [_, guards] = said(tmp_path, method, "/v/n-1", {**ONE, **words})
    assert told in guards[1]


def test_the_timeouts_of_the_configuration(tmp_path: Path) -> None:
    [timeouts] = said(tmp_path, "GET", "/v/s-1", ONE, timeouts={"request_timeout_s": 8})
    assert timeouts[1] == "8 s until the reply begins, 8 s of them for a shard's first byte"


def test_guards_that_are_switched_off(tmp_path: Path) -> None:
    north = {**CONFIG["shards"]["north"], "guards": {"tries_max": 1, "hedge_percent": 0}}
    [_, guards] = said(tmp_path, "GET", "/v/n-1", ONE, shards={**CONFIG["shards"], "north": north})
    assert "never sent to a second replica; never hedged" in guards[1]
