"""`explain` says what guards the calls of a request: the settings of the shards, and the rule's own words."""

from collections.abc import Sequence
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
SEARCH = {"rule": "gather", "merge": {"kind": "numbers", "sum": ["n"], "posted": True}}
GATHER = {"rule": "gather", "merge": {"kind": "union"}}


def said(
    folder: Path, method: str, target: str, rule: dict[str, Any], *, headers: Sequence[str] = (), **config: Any
) -> list[tuple[str, str]]:
    path = target if target == "/list" else "/v/{id}"
    (folder / "shardgate.yaml").write_text(yaml.safe_dump({**CONFIG, **config, "rules": {f"{method} {path}": rule}}))
    lines, code = explain_request(load(folder / "shardgate.yaml"), method, target, [*headers], b"")
    assert code == 0
    return [(title, text) for title, text in lines if title in {"timeouts", "guards", "deadline"}]


def test_a_read_of_a_shard_with_replicas(tmp_path: Path) -> None:
    assert said(tmp_path, "GET", "/v/n-1", ONE) == [
        ("timeouts", "30 s until the reply begins, 20 s of them for a shard's first byte"),
        (
            "guards",
            "north: 2 replicas, the better of two by chance; sent to up to 1 more on a failure, 502, 503, 504"
            " (for 20 of 100 calls and 3 a second); hedged when later than the 95th percentile and 0.01 s"
            " (for 5 of 100 reads); 5 failures in a row leave a replica out for 5 s or longer;"
            " each is asked GET /readyz every 3 s",
        ),
    ]


def test_a_shard_with_one_address_has_no_such_guards(tmp_path: Path) -> None:
    assert [title for title, _ in said(tmp_path, "GET", "/v/s-1", ONE)] == ["timeouts"]


def test_a_shard_with_one_address_says_its_health_check_and_its_breaker(tmp_path: Path) -> None:
    # Found: the health check of a shard with one address was said nowhere, and not made.
    south: dict[str, Any] = {"url": "http://127.0.0.1:7003/app", "health": {"path": "/readyz"}}
    shards = {**CONFIG["shards"], "south": south}
    assert said(tmp_path, "GET", "/v/s-1", ONE, shards=shards)[1:] == [
        ("guards", "south: it is asked GET /app/readyz every 2 s")
    ]
    south["guards"] = {"panic_percent": 0, "failures_max": 3}
    assert said(tmp_path, "GET", "/v/s-1", ONE, shards=shards)[1:] == [
        (
            "guards",
            "south: one instance; 3 failures in a row leave a replica out for 5 s or longer; calls are refused while"
            " it is left out; it is asked GET /app/readyz every 2 s",
        )
    ]


def test_a_list_says_them_of_each_shard_that_it_asks(tmp_path: Path) -> None:
    [_, guards] = said(tmp_path, "GET", "/list", GATHER)
    assert guards[1].startswith("north: ")


@pytest.mark.parametrize(
    ("method", "words", "told"),
    [
        (
            "POST",
            {},
            "sent to up to 1 more where nothing of it was sent (for 20 of 100 calls and 3 a second); 5 failures",
        ),
        ("DELETE", {"retry": "idempotent"}, "sent to up to 1 more on a failure, 502, 503, 504"),
        (
            "GET",
            {"retry": "unsent"},
            "sent to up to 1 more where nothing of it was sent (for 20 of 100 calls and 3 a second); never",
        ),
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


def north(**more: Any) -> dict[str, Any]:
    """The configuration in which north differs."""
    return {"shards": {**CONFIG["shards"], "north": {**CONFIG["shards"]["north"], **more}}}


def test_a_change_goes_to_no_replica_that_only_follows(tmp_path: Path) -> None:
    follower = {"url": "http://127.0.0.1:7002", "write": False}
    replicas = north(replicas=["http://127.0.0.1:7001", follower])
    [_, guards] = said(tmp_path, "POST", "/v/n-1", ONE, **replicas)
    assert "; never sent to a second replica; " in guards[1]
    [_, guards] = said(tmp_path, "GET", "/v/n-1", ONE, **replicas)
    assert "sent to up to 1 more on a failure" in guards[1]


def test_a_list_that_is_asked_for_by_post_is_a_read(tmp_path: Path) -> None:
    [timeouts, guards] = said(tmp_path, "POST", "/list", SEARCH)
    assert "sent to up to 1 more on a failure" in guards[1]
    assert "hedged when later" in guards[1]
    assert (
        timeouts[1]
        == "30 s until a shard's reply is whole, or is long and passes on, 20 s of them for a shard's first byte"
    )


def test_a_change_with_an_idempotency_key_is_not_sent_again_by_the_rules_word(tmp_path: Path) -> None:
    rule = {**ONE, "retry": "idempotent"}
    [_, guards] = said(tmp_path, "PUT", "/v/n-1", rule, headers=["Idempotency-Key: a"], store="store.db")
    assert "where nothing of it was sent" in guards[1]


@pytest.mark.parametrize(
    ("percent", "per_s", "told"),
    [
        (20, 0, "(for 20 of 100 calls)"),
        (0, 3, "(for 3 a second)"),
        (0, 0, "never sent to a second replica"),
    ],
)
def test_how_many_calls_may_be_sent_again(percent: int, per_s: int, told: str, tmp_path: Path) -> None:
    budget = {"retry_percent": percent, "retries_per_s": per_s}
    [_, guards] = said(tmp_path, "GET", "/v/n-1", ONE, **north(guards=budget))
    assert told in guards[1]


def test_a_health_check_has_the_base_path(tmp_path: Path) -> None:
    replicas = ["http://127.0.0.1:7001/app", "http://127.0.0.1:7002/app"]
    [_, guards] = said(tmp_path, "GET", "/v/n-1", ONE, **north(replicas=replicas))
    assert "each is asked GET /app/readyz every 3 s" in guards[1]


@pytest.mark.parametrize(
    ("rule", "header", "told"),
    [
        ({}, None, []),
        ({"deadline_s": 6}, None, ["6 s: then 504 (SG2003)"]),
        ({"deadline_s": 6}, "X-Ms", ["6 s, or what `X-Ms` of the client says, where that is less: then 504 (SG2003)"]),
        ({}, "X-Ms", ["what `X-Ms` of the client says: then 504 (SG2003)"]),
    ],
)
def test_a_client_says_a_deadline_only_where_it_is_read(
    rule: dict[str, Any], header: str | None, told: list[str], tmp_path: Path
) -> None:
    lines = said(tmp_path, "GET", "/v/s-1", {**ONE, **rule}, deadline_header=header)
    assert [text for title, text in lines if title == "deadline"] == told


def test_guards_that_are_switched_off(tmp_path: Path) -> None:
    [_, guards] = said(tmp_path, "GET", "/v/n-1", ONE, **north(guards={"tries_max": 1, "hedge_percent": 0}))
    assert "never sent to a second replica; never hedged" in guards[1]
