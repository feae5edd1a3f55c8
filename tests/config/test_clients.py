"""What is wrong in `clients` is told before anything is served, and names no key."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from shardgate.config.load import ConfigError, load
from shardgate.core.clients.load import ClientBounds
from shardgate.process.preflight import read
from tests.clients.issuer import RULES, SECRET, Issuer, jwks

SHARDS = {"north": "http://127.0.0.1:1", "south": "http://127.0.0.1:2"}


def mistakes(folder: Path, clients: dict[str, Any] | None, **more: Any) -> str:
    config = {"shards": SHARDS, **RULES, **({"clients": clients} if clients is not None else {}), **more}
    (folder / "shardgate.yaml").write_text(yaml.safe_dump(config))
    try:
        read(folder / "shardgate.yaml")
    except ConfigError as error:
        return str(error)
    return ""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    issuer = Issuer()
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "short").write_text("hunter2")
    (tmp_path / "key.pem").write_bytes(issuer.pem)
    (tmp_path / "keys.json").write_text(jwks(issuer))
    (tmp_path / "secrets.json").write_text('{"keys": [{"kty": "oct", "k": "aHVudGVyMg"}]}')
    (tmp_path / "broken.json").write_text("hunter2")
    return tmp_path


def test_a_right_one(files: Path) -> None:
    jwt = {"algorithms": ["RS256", "PS256"], "jwks_file": "keys.json", "audience": ["a", "b"], "issuer": "i"}
    clients = {"jwt": jwt, "open": ["GET /health"], "quota": {"calls": 9, "window": "day", "headers": True}}
    assert mistakes(files, clients, store="store.db") == ""


def test_a_rule_reads_a_claim_only_where_tokens_are_verified(files: Path) -> None:
    said = mistakes(files, None)
    assert "rules.POST /events: it reads 'claim.vendor', and no token is verified here" in said
    assert "rules.GET /events: it reads 'claim.vendor', and no token is verified here" in said
    assert "add `clients: {jwt: …}`" in said
    assert "idempotency.client: it reads 'claim.sub'" in mistakes(files, None, idempotency={"client": ["claim.sub"]})
    cursors = {"secret_file": "secret", "client": ["X-Api-Key", "claim.sub"]}
    assert "cursors.client: it reads 'claim.sub'" in mistakes(files, None, cursors=cursors)


@pytest.mark.parametrize(
    ("jwt", "said"),
    [
        ({"algorithms": ["HS256"]}, "the keys must stand in one place, and 0 are named"),
        ({"algorithms": ["HS256"], "key_file": "secret", "key_env": "X"}, "and 2 are named"),
        ({"algorithms": []}, "clients.jwt.algorithms"),
        ({"algorithms": ["none"], "key_file": "secret"}, "'none' is no algorithm that tokens are verified by"),
        ({"algorithms": ["RS256", "HS256"], "key_file": "key.pem"}, "a public key would be taken for a secret"),
        ({"algorithms": ["HS256"], "key_file": "key.pem"}, "a public key where a secret is needed"),
        ({"algorithms": ["HS256"], "key_file": "short"}, "a secret, one a line, must have at least 32 bytes"),
        ({"algorithms": ["HS256"], "jwks_file": "secrets.json"}, "the secret with kid None has fewer than 32 bytes"),
        ({"algorithms": ["HS256"], "jwks_file": "keys.json"}, "it contains no key for HS256"),
        ({"algorithms": ["ES256"], "jwks_file": "keys.json"}, "it contains no key for ES256"),
        ({"algorithms": ["ES256"], "key_file": "key.pem"}, "it is not a public key for ES256 in PEM"),
        ({"algorithms": ["RS256"], "key_file": "secret"}, "it is not a public key for RS256 in PEM"),
        ({"algorithms": ["RS256"], "jwks_file": "broken.json"}, "it is not a JSON object"),
        ({"algorithms": ["RS256"], "jwks_file": "nowhere.json"}, "nowhere.json: No such file"),
        ({"algorithms": ["HS256"], "key_env": "SHARDGATE_NO_SUCH_KEY"}, "it contains no key"),
        ({"algorithms": ["RS256"], "jwks_url": "http://issuer.example/keys"}, "and sign tokens"),
        ({"algorithms": ["HS256"], "jwks_url": "https://issuer.example/keys"}, "a secret is not fetched from a URL"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_keys_that_cannot_be_used(files: Path, jwt: dict[str, Any], said: str) -> None:
    told = mistakes(files, {"jwt": jwt})
    assert said in told
    assert "hunter2" not in told
    assert SECRET not in told


def test_a_private_key_has_no_place_here(files: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form

    private = Issuer().key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    (files / "private.pem").write_bytes(private)
    assert "it is a private key" in mistakes(files, {"jwt": {"algorithms": ["RS256"], "key_file": "private.pem"}})


@pytest.mark.parametrize(
    ("clients", "said"),
    [
        ({"binding": ["vandor"]}, "clients.binding[0]: no rule reads the claim 'vandor'"),
        ({"open": ["GET /helth"]}, "clients.open[0]: 'GET /helth' is no operation"),
        ({"quota": {"calls": 5}}, "there is no store"),
        ({"quota": {"calls": 0}}, "clients.quota.calls"),
        ({"quota": {"calls": 5, "window": "week"}}, "clients.quota.window"),
        ({"refused": {"status": 200}}, "clients.refused.status"),
        ({"refused": {"status": 401, "fields": {"X-A": "a\r\nB: c"}}}, "is no field of a header"),
        ({"refused": {"status": 401, "under": {"octo": {"status": 400}}}}, "'octo' is no beginning of a path"),
        ({"unverified": "maybe"}, "clients.unverified"),
    ],
    ids=str,
)
def test_other_mistakes(files: Path, clients: dict[str, Any], said: str) -> None:
    assert said in mistakes(files, {"jwt": {"algorithms": ["HS256"], "key_file": "secret"}, **clients})


@pytest.mark.parametrize(
    ("clients", "said"),
    [
        ({"bounds": {"by": "token"}}, "clients.bounds.by: it reads 'token', and no token is verified here"),
        ({"bounds": {"by": "claim.vendor"}}, "it reads 'claim.vendor', and no token is verified here"),
        ({"bounds": {"by": "claim."}}, "'claim.' tells no clients apart"),
        ({"bounds": {"by": "cookie"}}, "take `address`, `token`, or a claim, as `claim.vendor`"),
        ({"bounds": {"burst": 5}}, "clients.bounds.burst: there is no rate"),
        ({"bounds": {"requests_max": 0}}, "clients.bounds.requests_max"),
        ({"open": ["GET /health"]}, "clients.open: it is about verified tokens, and no token is verified here"),
        ({"quota": {"calls": 5}}, "clients.quota: it is about verified tokens"),
    ],
    ids=str,
)
def test_bounds_without_tokens(files: Path, clients: dict[str, Any], said: str) -> None:
    assert said in mistakes(files, clients)


def test_a_client_may_take_half_of_what_the_gateway_has_unless_it_is_said(tmp_path: Path) -> None:
    config: dict[str, Any] = {"shards": {"a": "http://127.0.0.1:1"}, "rules": {"GET /a": {"rule": "any"}}}
    file = tmp_path / "shardgate.yaml"
    file.write_text(yaml.safe_dump(config))
    assert load(file).bounds == ClientBounds(8_000, 5_000, 5_000)
    config["clients"] = {"bounds": {"connections_max": 3, "uploads_max": 4, "rate_per_s": 2.5}}
    config["limits"] = {"requests_in_flight_max": 1}
    file.write_text(yaml.safe_dump(config))
    assert load(file).bounds == ClientBounds(3, 1, 4, rate_per_s=2.5, burst=5)


def test_the_client_of_http_basic_is_named_in_one_of_two_ways(files: Path) -> None:
    rules = {"GET /a": {"rule": "one", "key": "basic.id", "locate": "vendor"}}
    assert "write `basic.username` or `basic.client_id`" in mistakes(files, None, rules=rules)
