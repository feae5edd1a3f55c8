"""Ranks: a token decides before its request is taken on, and bad tokens are not verified without end."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.clients import ranks as module
from shardgate.clients.callers import callers_for
from shardgate.clients.ranks import BAD_TOKENS_MAX, Ranks
from shardgate.config.load import load
from shardgate.core.clients.classes import Classes
from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.core.wire.request_head import RequestHeadParser
from tests.clients.issuer import RULES, SECRET, Issuer
from tests.net.screenplay import Clock

ISSUER = Issuer(algorithm="HS256")
CLASSES = [{"name": "gold", "match": [{"claim": {"tier": ["gold"]}}]}, {"name": "others"}]


class Client:
    """A connection, as far as ranks know it."""

    is_proxied = False

    def __init__(self, peer: str) -> None:
        self.peer = peer


def request(token: str = "") -> Request:
    line = f"Authorization: Bearer {token}\r\n" if token else ""
    return RequestHeadParser().parse(f"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\n{line}".encode())


class World:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **clients: Any) -> None:
        (folder / "secret").write_text(SECRET)
        jwt = {"algorithms": ["HS256"], "key_file": "secret"}
        file = folder / "shardgate.yaml"
        shards = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}
        file.write_text(
            yaml.safe_dump({"shards": shards, **RULES, "clients": {"jwt": jwt, "classes": CLASSES, **clients}})
        )
        loaded = load(file)
        self.clock = Clock()
        monkeypatch.setattr(module, "now", self.clock)
        self.callers = callers_for(loaded.clients, loaded.routes, None, None)
        self.ranks = Ranks(Classes(loaded.classes, loaded.routes.named), self.callers)
        self.routes: dict[str, Route] = {route.operation: route for route in loaded.routes.routes}

    def name(self, asked: Request, peer: str = "192.0.2.1", operation: str = "GET /vendors/{id}") -> str:
        rank = self.ranks.rank_of(asked, self.routes[operation], Client(peer))  # type: ignore[arg-type]
        return self.ranks.classes.names[rank]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_a_claim_counts_before_its_request_is_taken_on_and_only_where_the_token_is_good(world: World) -> None:
    good = ISSUER.token(tier="gold")
    head, payload, signature = good.split(".")
    forged = Issuer(algorithm="HS256", secret="another-secret-of-enough-characters-32").token(tier="gold")
    assert world.name(request(good)) == "gold"
    assert world.name(request(ISSUER.token(tier="silver"))) == "others"
    assert world.name(request(forged)) == "others"
    assert world.name(request(ISSUER.token(tier="gold", exp=1))) == "others"
    assert world.name(request(f"{head}.{payload}.{signature[::-1]}")) == "others"
    assert world.name(request()) == "others"


def test_where_an_operation_needs_no_token_none_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, open=["GET /health"])
    assert world.name(request(ISSUER.token(tier="gold")), operation="GET /health") == "others"


def test_who_sends_bad_tokens_has_no_more_of_them_verified_for_a_moment_and_others_do(world: World) -> None:
    for number in range(BAD_TOKENS_MAX):
        world.name(request(f"a.b.{number}"))
    seen, unseen = ISSUER.token(tier="gold", jti="1"), ISSUER.token(tier="gold", jti="2")
    assert world.name(request(seen), peer="192.0.2.2") == "gold"
    assert world.name(request(seen)) == "gold", "it was verified before"
    assert world.name(request(unseen)) == "others"
    world.clock.at += module.MOMENT_S
    assert world.name(request(unseen)) == "gold"
