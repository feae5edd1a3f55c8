"""Mistakes in the rules of changes: what would leave something half done is found before it is served."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from shardgate.cli.main import app
from shardgate.config.load import ConfigError, load
from shardgate.store.sqlite import SqliteStore

UNDO = {"method": "DELETE", "path": "/things/{id}"}
DIVIDE = {"rule": "divide", "key": "d", "locate": "thing"}
PLACE = {"rule": "place", "space": "things"}
GOOD = {
    "POST /things": {"rule": "every", "check": "/things/{id}", "undo": UNDO},
    "DELETE /things/{id}": {"rule": "every", "mode": "eventual"},
    "POST /check": DIVIDE,
    "POST /orders": {**DIVIDE, "mode": "all_or_none", "repeat": True, "undo": UNDO},
    "POST /vendors": PLACE,
    "GET /things/{id}": {"rule": "any"},
}


def write(folder: Path, rules: dict[str, Any], **more: Any) -> Path:
    SqliteStore(folder / "store.db").close()
    config = {
        "shards": {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"},
        "directory": "store.db",
        "locators": {"thing": [{"kind": "learned"}, {"kind": "probe", "path": "/things/{key}"}]},
        "rules": rules,
    }
    file = folder / "shardgate.yaml"
    file.write_text(yaml.safe_dump({**config, **more}))
    return file


def mistakes(folder: Path, rules: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(write(folder, rules, **more))
    return [f"{mistake.path.partition(': ')[2]}: {mistake.problem}" for mistake in raised.value.mistakes]


def test_what_can_be_ended_in_every_case_is_right(tmp_path: Path) -> None:
    assert len(load(write(tmp_path, GOOD)).routes.routes) == len(GOOD)


@pytest.mark.parametrize(
    ("name", "rule", "said"),
    [
        ("POST /x", {"rule": "every", "check": "/x/{id}"}, "undo: `strict` must be able to take the change back"),
        ("POST /x", {"rule": "every", "undo": UNDO}, "check: after a lost reply nobody could say whether it was made"),
        ("GET /x", {"rule": "every", "repeat": True, "undo": UNDO}, "rule: `every` changes, and GET does not"),
        ("POST /x", {"rule": "every", "mode": "soon"}, "mode: unknown word 'soon'"),
        ("POST /x", {**DIVIDE, "mode": "all_or_none", "repeat": True}, "undo: all or none needs a way back"),
        (
            "POST /x",
            {**DIVIDE, "mode": "all_or_none", "undo": UNDO},
            "check: after a lost reply nobody could say whether",
        ),
        ("POST /x", {**DIVIDE, "whole_key": "body.v"}, "whole_key: `whole_key` and `whole_locate` go together"),
        ("POST /x", {**DIVIDE, "locate": "none"}, "locate: no locator is named 'none'"),
        ("POST /x", {**PLACE, "check": "/x/{key}"}, "check: a tenant without a name cannot be looked for"),
        ("POST /x", {**PLACE, "pinned": {"PT": "lisbon"}}, "pinned: no shard is named 'lisbon'"),
        (
            "POST /x",
            {**PLACE, "policy": {"kind": "weighted", "weights": {"north": 0, "south": 0}}},
            "policy.weights: no shard has a weight, so that none gets a tenant",
        ),
        (
            "POST /x",
            {**PLACE, "policy": {"kind": "least_data", "path": "/x"}},
            "policy: it does not say where the number",
        ),
        ("POST /x", {**PLACE, "policy": {"kind": "best"}}, "policy.kind: unknown word 'best'"),
        ("POST /x", {**PLACE, "assign": {"id": "number"}}, "assign"),
        ("POST /x", {**PLACE, "pinned_by": "body"}, "pinned_by: 'body' names nothing"),
        ("POST /x/{id}", {"rule": "any", "idempotency": {"key": "path.id"}}, "idempotency.key: "),
        ("POST /x", {"rule": "any", "idempotency": {"name": "body.n"}}, "idempotency.name: only `one` sends a request"),
        ("GET /x", {"rule": "any", "idempotency": {"required": True}}, "idempotency: GET needs no key"),
    ],
)
def test_what_would_be_left_half_done_is_a_mistake(tmp_path: Path, name: str, rule: dict[str, Any], said: str) -> None:
    found = mistakes(tmp_path, {**GOOD, name: rule})
    assert len(found) == 1
    assert said in found[0]


def test_what_is_written_down_needs_a_store_and_what_is_placed_the_directory(tmp_path: Path) -> None:
    found = mistakes(tmp_path, GOOD, directory=None)
    assert len([line for line in found if "there is no store" in line]) == 4
    assert "rules.POST /vendors: the directory records a new tenant, in the same store" in found
    assert len(mistakes(tmp_path, GOOD, store="other.db")) == 1


def test_a_header_that_overrides_the_method_must_be_one_that_is_known(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, GOOD, method_override_header="X-Verb")
    assert "'X-Verb' is not known" in found


@pytest.mark.parametrize(
    ("method", "url", "body", "said"),
    [
        ("POST", "/things", "{}", "every: all shards, journaled; all, or taken back"),
        ("DELETE", "/things/1", "", "every: all shards, journaled; a shard that is down gets it later"),
        ("POST", "/vendors", "{}", "place: a new tenant of things, by least_tenants"),
        ("POST", "/check", '[{"d":"a"}]', "d 'a': all are asked who has it"),
    ],
)
def test_explain_tells_what_would_be_done(tmp_path: Path, method: str, url: str, body: str, said: str) -> None:
    words = ["explain", method, url, "-d", body, "-c", str(write(tmp_path, GOOD))]
    assert said in CliRunner().invoke(app, words).output


def test_routes_lists_the_rules_of_changes(tmp_path: Path) -> None:
    output = CliRunner().invoke(app, ["routes", "-c", str(write(tmp_path, GOOD))]).output
    assert "divide: each of the items to the owner of d, all_or_none" in output
