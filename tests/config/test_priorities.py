"""What is wrong in `clients.classes` is told before anything is served."""

from pathlib import Path
from typing import Any

import pytest

from shardgate.config.load import load
from shardgate.core.clients.classes import CLASSES_MAX
from tests.clients.issuer import SECRET
from tests.config.test_clients import mistakes

JWT = {"algorithms": ["HS256"], "key_file": "secret"}
OTHERS = {"name": "others"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET)
    return tmp_path


def told(folder: Path, *classes: dict[str, Any], **more: Any) -> str:
    return mistakes(folder, {"jwt": JWT, "classes": [*classes]}, **more)


def test_right_ones_are_read_in_their_order(folder: Path) -> None:
    gold = {"name": "gold", "match": [{"claim": {"tier": ["gold"]}}, {"header": {"X-Tier": ["gold"]}}]}
    bulk = {"name": "bulk", "match": [{"operations": ["ANY /vendors/**", "GET|POST /events"]}]}
    assert told(folder, gold, OTHERS, bulk, trusted_proxies=["10.0.0.0/8"]) == ""
    loaded = load(folder / "shardgate.yaml")
    assert loaded.class_names == ["gold", "others", "bulk"]
    assert loaded.classes[2].matches[0].operations == frozenset({"GET /vendors/{id}", "GET /events", "POST /events"})


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ({}, "clients.classes[0].match[0]: it says nothing"),
        ({"header": {"X-Tier": ["gold"]}}, "there is no trusted proxy, and so no header field counts"),
        ({"claim": {"tier": []}}, "a value is empty, or there is none"),
        ({"header": {"X_Tier": ["gold"]}, "header_from": "anyone"}, "'X_Tier' is no header field's name"),
        ({"header": {"X-Tier": ["gölden"]}, "header_from": "anyone"}, "is no header field's value"),
        ({"operations": ["GET /nothing"]}, "'GET /nothing' is no operation"),
        ({"operations": ["ANY /nothing/**"]}, "'ANY /nothing/**' is no operation"),
        ({"operations": ["GET /events"], "header_from": "anyone"}, "there is no `header`"),
        ({"clain": {"tier": ["gold"]}}, "clients.classes[0].match[0]"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_nobody_could_match_is_a_mistake(folder: Path, match: dict[str, Any], said: str) -> None:
    assert said in told(folder, {"name": "gold", "match": [match]}, OTHERS)


def test_a_claim_needs_verified_tokens(folder: Path) -> None:
    gold = {"name": "gold", "match": [{"claim": {"tier": ["gold"]}}]}
    said = mistakes(folder, {"classes": [gold, OTHERS]})
    assert "clients.classes[0].match[0].claim: no token is verified here, and so no claim counts" in said


def test_one_class_has_what_no_other_one_has(folder: Path) -> None:
    gold = {"name": "gold", "match": [{"claim": {"tier": ["gold"]}}]}
    assert "no class has what no other one has" in told(folder, gold, {**gold, "name": "silver"})
    assert "2 classes have no `match`" in told(folder, OTHERS, {"name": "rest"})
    assert "there is another class 'others'" in told(folder, {**gold, "name": "others"}, OTHERS)
    assert "there is only one" in told(folder, OTHERS)
    many = [{**gold, "name": f"c{number}"} for number in range(CLASSES_MAX)]
    assert f"there are {CLASSES_MAX + 1}" in told(folder, *many, OTHERS)
    assert "clients.classes[0].name" in told(folder, {**gold, "name": "Gold!"}, OTHERS)
