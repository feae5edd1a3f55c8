"""Callers: which requests are admitted, and which are counted."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.clients.callers import Callers, callers_for
from shardgate.config.load import load
from shardgate.core.errors import InvalidTokenError
from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.core.wire.request_head import RequestHeadParser
from tests.clients.issuer import RULES, SECRET, Issuer

SHARDS = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}


class Client:
    """A connection, as far as callers know it."""

    def __init__(self) -> None:
        self.lines = b""

    def annotate(self, lines: bytes) -> None:
        self.lines += lines


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Make the callers of a configuration, and its routes by operation."""

    def start(**clients: Any) -> tuple[Callers, dict[str, Route]]:
        (tmp_path / "secret").write_text(SECRET)
        file = tmp_path / "shardgate.yaml"
        jwt = {"algorithms": ["HS256"], "key_file": "secret"}
        file.write_text(yaml.safe_dump({"shards": SHARDS, **RULES, "clients": {"jwt": jwt, **clients}}))
        loaded = load(file)
        callers = callers_for(loaded.clients, loaded.routes, None, None)
        assert callers is not None
        return callers, {route.operation: route for route in loaded.routes.routes}

    return start


def request(token: str = "") -> Request:
    line = f"Authorization: Bearer {token}\r\n" if token else ""
    return RequestHeadParser().parse(f"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n{line}".encode())


def admit(callers: Callers, asked: Request, route: Route) -> bool:
    return callers.admit(asked, route, Client(), lambda: None)  # type: ignore[arg-type]


def test_a_good_token_gives_the_request_its_claims(start: Any) -> None:
    callers, routes = start()
    asked = request(Issuer(algorithm="HS256").token(sub="one", vendor="n-1"))
    assert admit(callers, asked, routes["GET /vendors/{id}"])
    assert asked.claims["vendor"] == "n-1"


def test_an_open_operation_needs_no_token(start: Any) -> None:
    callers, routes = start(open=["GET /health"])
    asked = request()
    assert admit(callers, asked, routes["GET /health"])
    assert asked.claims is None
    with pytest.raises(InvalidTokenError):
        admit(callers, asked, routes["GET /vendors/{id}"])


def test_where_unverified_requests_pass_they_have_no_claims(start: Any) -> None:
    callers, routes = start(unverified="pass")
    asked = request("forged")
    assert admit(callers, asked, routes["GET /vendors/{id}"])
    assert asked.claims is None


def test_a_request_that_is_only_explained_is_verified(start: Any) -> None:
    callers, routes = start()
    with pytest.raises(InvalidTokenError):
        callers.identify(request(), routes["GET /vendors/{id}"])
    asked = request(Issuer(algorithm="HS256").token(vendor="s-1"))
    callers.identify(asked, routes["GET /vendors/{id}"])
    assert asked.claims["vendor"] == "s-1"


def test_without_clients_there_are_no_callers() -> None:
    assert callers_for(None, None, None, None) is None  # type: ignore[arg-type]
