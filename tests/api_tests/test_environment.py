"""Tokens come from variables; a token says its scopes, whoever signed it."""

import base64
import json
from pathlib import Path

import pytest

from api_tests.environment import FRESH, NARROW, WHOLE, MissingTokenError, Tokens, scopes_of, tokens
from api_tests.tokens import TokenError, resolved


def token(scope: str) -> str:
    return f"x.{base64.urlsafe_b64encode(json.dumps({'scope': scope}).encode()).decode().rstrip('=')}.y"


def test_a_token_that_lacks_the_scope_is_chosen() -> None:
    known = Tokens("w", None, (token("read"), token("write")), None, None)
    assert known.lacking((frozenset({"read"}),)) == token("write")
    assert known.lacking((frozenset({"read"}), frozenset({"write"}))) is None
    assert scopes_of("no token") == frozenset()


def test_the_token_that_every_run_needs_is_named() -> None:
    with pytest.raises(MissingTokenError, match="API_TOKEN"):
        tokens({})
    assert tokens({WHOLE: "w", NARROW: "a b", FRESH: "me:secret"}) == Tokens(
        "w", None, ("a", "b"), None, ("me", "secret")
    )


@pytest.mark.parametrize("wrong", ["king=a:b", "whole=a", "whole", "whole=a:"])
def test_a_role_that_nobody_knows_is_refused_without_telling_the_secret(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="role=id:secret"):
        resolved(wrong, "http://127.0.0.1:1", tmp_path / "tokens.json")


def test_a_client_for_the_token_tests_is_not_asked_a_token_for(tmp_path: Path) -> None:
    assert resolved("fresh=me:secret", "http://127.0.0.1:1", tmp_path / "t.json") == {FRESH: "me:secret"}
