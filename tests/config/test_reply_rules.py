"""Mistakes in what rules say of merged replies: their validators, their cookies, their HEAD."""

from pathlib import Path
from typing import Any

import pytest

from shardgate.config.load import load
from tests.config.test_change_rules import mistakes, write

ENVELOPE = {"kind": "list", "dialect": {"kind": "envelope"}, "keys": {"id": "text"}}
LIST = {**ENVELOPE, "dialect": {"kind": "offset", "count_header": "X-Total"}}
CURSOR = {**ENVELOPE, "dialect": {"kind": "cursor", "limit_default": 10}}
GATHER = {"rule": "gather", "merge": LIST}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"head": "asked", "merge": ENVELOPE}, "head: one list, sorted by id"),
        ({"head": "asked", "merge": {"kind": "count", "member": "n"}}, "head: the sum of the counts in n"),
        ({"head": "asked", "merge": {**LIST, "dedupe": {"by": "id"}}}, "head: one list, sorted by id"),
        ({"head": "ask"}, "head: unknown word 'ask'"),
        ({"validators": {"etag": "newest"}}, "validators.etag: unknown word 'newest'"),
        ({"validators": {"need": "any"}}, "validators.need: unknown field `need`"),
        ({"validators": {"etag": "latest"}, "merge": CURSOR}, "validators: its cursors expire"),
    ],
)
def test_l11_check_refuses_what_cannot_be_served(tmp_path: Path, rule: dict[str, Any], said: str) -> None:
    (tmp_path / "secret").write_text("s" * 40)
    (tmp_path / "secret").chmod(0o600)
    found = mistakes(tmp_path, {"GET /x": {**GATHER, **rule}}, cursors={"secret_file": "secret"})
    assert any(f"rules.GET /x.{said}" in each for each in found), found


SESSION = {"key": "cookie.sid", "locate": "session"}
CHAIN = [{"kind": "learned"}, {"kind": "probe", "path": "/me", "by_headers": True}]


@pytest.mark.parametrize(
    ("credential", "probe", "said"),
    [
        ({"key": "cookie."}, {}, "rules.GET /x.credential.key: 'cookie.' names nothing"),
        ({"key": "cookie.a b"}, {}, "rules.GET /x.credential.key: 'a b' is no name of a cookie"),
        ({"key": "bearer.sub"}, {}, "rules.GET /x.credential.key: 'bearer.sub' names nothing"),
        ({"key": "query.sid"}, {}, "rules.GET /x.credential.key: 'query.sid' is in no header"),
        ({"locate": "sessions"}, {}, "rules.GET /x.credential.locate: no locator is named 'sessions'"),
        ({"not_here": [200]}, {}, "rules.GET /x.credential.not_here: 200 is no status"),
        ({}, {"path": "/me/{key}"}, "locators.session[1].path: '/me/{key}' names a key"),
        ({}, {"path": "me"}, "locators.session[1].path: "),
        ({}, {"by_headers": False}, "locators.session[1].path: '/me' is no path with a key in it"),
    ],
)
def test_r12_check_refuses_what_cannot_be_served(
    tmp_path: Path, credential: dict[str, Any], probe: dict[str, Any], said: str
) -> None:
    rule = {**GATHER, "credential": {**SESSION, **credential}}
    found = mistakes(tmp_path, {"GET /x": rule}, locators={"session": [CHAIN[0], {**CHAIN[1], **probe}]})
    assert any(said in each for each in found), found


def test_r12_what_a_head_says_has_a_name(tmp_path: Path) -> None:
    rule = {"rule": "one", "key": "body.user", "locate": "session", "learn": {"session": "set-cookie."}}
    found = mistakes(tmp_path, {"POST /x": rule}, locators={"session": [{"kind": "hash"}]})
    assert any("learn.session: 'set-cookie.' names nothing" in each for each in found), found


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("GET /x", {**GATHER, "head": "asked", "validators": {"etag": "latest", "needs": "any"}}),
        ("GET /x", {"rule": "gather", "head": "asked", "merge": {"kind": "count", "header": "X-Total"}}),
        ("HEAD /x", {"rule": "gather", "merge": ENVELOPE}),
    ],
)
def test_l11_what_can_be_served_is_right(tmp_path: Path, operation: str, rule: dict[str, Any]) -> None:
    assert len(load(write(tmp_path, {operation: rule})).routes.routes) == 1
