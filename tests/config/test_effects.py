"""What is written and would never have an effect is a mistake, with what to write instead."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, Loaded, load

ONE = "http://127.0.0.1:1"
TWO = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
OTHERS = "the shard has one instance: there is no other one to ask → remove it, or name several `replicas`"
ASKED = "the only instance of a shard is asked in any case → write `panic_percent: 0`, so that the shard refuses"


def loaded(folder: Path, north: Any, environment: dict[str, str] | None = None, **more: Any) -> Loaded:
    config = {
        "shards": {"north": north},
        "locators": {"vendor": [{"kind": "hash"}]},
        "rules": {"GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"}},
        **more,
    }
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(config))
    return load(folder / "shardgate.yaml", environment or {})


def mistakes(folder: Path, north: Any, environment: dict[str, str] | None = None, **more: Any) -> list[str]:
    try:
        loaded(folder, north, environment, **more)
    except ConfigError as error:
        return [f"{each.path.partition(': ')[2]}: {each.problem} → {each.cure}" for each in error.mistakes]
    return []


def test_a_shard_with_one_address_has_its_health_checks(tmp_path: Path) -> None:
    # Found: `health` of a shard with one `url` was read, and nobody was ever asked.
    north = loaded(tmp_path, {"url": ONE, "health": {"path": "/readyz"}}).shards["north"]
    assert (len(north.replicas), north.health is not None) == (1, True)
    assert loaded(tmp_path, ONE).shards["north"].replicas == (), "nothing guards its calls, and nothing costs more"


@pytest.mark.parametrize("shard", [{"url": ONE}, {"replicas": [ONE]}])
@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("retry_percent", 10, OTHERS),
        ("retries_per_s", 1, OTHERS),
        ("tries_max", 2, OTHERS),
        ("retry_on", [503], OTHERS),
        ("hedge_percent", 5, OTHERS),
        ("hedge_after_s", 1, OTHERS),
        ("own_changes_s", 1, OTHERS),
        ("slow_start_s", 5, OTHERS),
        ("failures_max", 3, ASKED),
        ("left_out_s", 3, ASKED),
        ("left_out_s_max", 30, ASKED),
        ("panic_percent", 50, ASKED),
    ],
)
def test_a_guard_of_a_shard_with_one_instance_is_refused_where_it_does_nothing(
    tmp_path: Path, shard: dict[str, Any], field: str, value: Any, said: str
) -> None:
    found = mistakes(tmp_path, {**shard, "guards": {field: value}})
    [told] = found
    assert told.startswith(f"shards.north.guards.{field}: {said}")


def test_a_shard_with_one_instance_may_have_a_breaker(tmp_path: Path) -> None:
    guards = {"panic_percent": 0, "failures_max": 3, "left_out_s": 1, "left_out_s_max": 30}
    assert mistakes(tmp_path, {"url": ONE, "guards": guards}) == []
    assert len(loaded(tmp_path, {"url": ONE, "guards": guards}).shards["north"].replicas) == 1


@pytest.mark.parametrize("field", ["weight", "zone"])
def test_one_address_has_neither_weight_nor_zone(tmp_path: Path, field: str) -> None:
    value = 2 if field == "weight" else "a"
    [found] = mistakes(tmp_path, {"url": ONE, field: value}, zone="a")
    assert found.startswith(f"shards.north.{field}: unknown field `{field}`")
    [found] = mistakes(tmp_path, {"replicas": [{"url": ONE, field: value}]}, zone="a")
    assert found.startswith(f"shards.north.replicas[0].{field}: the shard has one replica, which gets all calls")


def test_zones_may_be_named_where_that_of_the_gateway_is_not_known(tmp_path: Path) -> None:
    """It is a variable of the machine: a configuration is checked elsewhere, too."""
    replicas = [TWO[0], {"url": TWO[1], "zone": "b"}]
    assert mistakes(tmp_path, {"replicas": replicas}) == []
    assert mistakes(tmp_path, {"replicas": replicas}, {"SHARDGATE_ZONE": "a"}) == []


@pytest.mark.parametrize(
    ("guards", "said"),
    [
        ({"own_changes_s": 3}, "own_changes_s: all of its replicas take changes → remove it, or mark"),
        ({"hedge_percent": 0, "hedge_after_s": 1}, "hedge_after_s: `hedge_percent: 0` says that nothing is hedged"),
        ({"tries_max": 1, "retry_percent": 10}, "retry_percent: with `tries_max: 1` nothing is retried → remove"),
        ({"tries_max": 1, "retries_per_s": 1}, "retries_per_s: with `tries_max: 1` nothing is retried"),
        ({"tries_max": 1, "retry_on": [503]}, "retry_on: with `tries_max: 1` nothing is retried"),
        (
            {"retry_percent": 0, "retries_per_s": 0, "tries_max": 2},
            "tries_max: with `retry_percent: 0` and `retries_per_s: 0` nothing is retried",
        ),
        ({"left_out_s": 90}, "left_out_s: 90 s is longer than `left_out_s_max` → write at most 60, or a longer"),
    ],
)
def test_guards_that_contradict_one_another_are_refused(tmp_path: Path, guards: dict[str, Any], said: str) -> None:
    [found] = mistakes(tmp_path, {"replicas": TWO, "guards": guards})
    assert found.startswith(f"shards.north.guards.{said}")


@pytest.mark.parametrize(
    "guards",
    [
        {"retry_percent": 0, "retries_per_s": 0},
        {"tries_max": 1, "retry_percent": 0},
        {"hedge_percent": 0},
        {"left_out_s": 90, "left_out_s_max": 90},
        {"slow_start_s": 0, "panic_percent": 0},
    ],
)
def test_guards_that_take_something_away_are_read(tmp_path: Path, guards: dict[str, Any]) -> None:
    assert mistakes(tmp_path, {"replicas": TWO, "guards": guards}) == []


def test_replicas_that_follow_make_a_clients_own_changes_matter(tmp_path: Path) -> None:
    replicas = [TWO[0], {"url": TWO[1], "write": False}]
    assert mistakes(tmp_path, {"replicas": replicas, "guards": {"own_changes_s": 3}}) == []


def test_a_key_needs_its_certificate(tmp_path: Path) -> None:
    [found] = mistakes(tmp_path, {"url": "https://north.test", "key": "north.key"})
    assert found.startswith(
        "shards.north.key: there is no certificate that this is the key of → name the `certificate`"
    )


def test_a_resolver_needs_a_shard_that_dns_knows(tmp_path: Path) -> None:
    resolver = {"servers": ["10.0.0.2"]}
    [found] = mistakes(tmp_path, ONE, resolver=resolver)
    assert found.startswith("resolver: no shard's replicas are found by DNS: nobody is asked → remove it")
    assert mistakes(tmp_path, {"replicas": {"dns": "http://north.test:80"}}, resolver=resolver) == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ({"hedge": 2}, "hedge: no shard has a second replica that a read could go to → remove it, or give a shard"),
        ({"breaker": 3}, "breaker: no shard has a replica that could be left out → remove it, or give a shard"),
    ],
)
def test_a_rule_says_nothing_of_replicas_that_no_shard_has(tmp_path: Path, word: dict[str, Any], said: str) -> None:
    rules = {"GET /a": {"rule": "any", **word}}
    [found] = mistakes(tmp_path, ONE, rules=rules)
    assert found.startswith(f"rules.GET /a.{said}")
    assert mistakes(tmp_path, {"replicas": TWO}, rules=rules) == []


def test_a_rule_hedges_nothing_where_no_shard_does(tmp_path: Path) -> None:
    rules = {"GET /a": {"rule": "any", "hedge": 2}}
    [found] = mistakes(tmp_path, {"replicas": TWO, "guards": {"hedge_percent": 0}}, rules=rules)
    assert found.startswith("rules.GET /a.hedge: no shard has a second replica")


def test_words_that_come_true_by_themselves_are_read(tmp_path: Path) -> None:
    rules = {"GET /a": {"rule": "any", "hedge": "never", "breaker": "never", "retry": "unsent"}}
    assert mistakes(tmp_path, ONE, rules=rules) == []


def test_a_breaker_of_one_address_counts_what_a_rule_says(tmp_path: Path) -> None:
    rules = {"GET /a": {"rule": "any", "breaker": 3}}
    assert mistakes(tmp_path, {"url": ONE, "guards": {"panic_percent": 0}}, rules=rules) == []


def test_a_file_for_several_replicas_serves_with_one_that_a_variable_names(tmp_path: Path) -> None:
    # The same file is for production, with several, and for a machine of a developer.
    shard = {"replicas": TWO, "guards": {"hedge_percent": 5}}
    one = {"SHARDGATE_SHARD_NORTH_URL": "http://127.0.0.1:9"}
    rules = {"GET /a": {"rule": "any", "hedge": 2}}
    assert mistakes(tmp_path, shard, one, rules=rules) == []
