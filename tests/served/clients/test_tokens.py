"""Tokens: a bad one is refused before any shard is asked; a good one reaches the shard."""

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from shardgate.clients import keys
from shardgate.net.clock import wall
from tests.clients.issuer import RULES, SECRET, Issuer, bearer, jwks
from tests.cluster import Asked, Gateway, Shard, leave, reply
from tests.waiting import delivered, until


class World:
    """Two shards, and a gateway that verifies."""

    gateway: Gateway
    shards: dict[str, Shard]

    def asked(self) -> int:
        """How many calls shards got since the last look."""
        count = sum(len(shard.asked) for shard in self.shards.values())
        for shard in self.shards.values():
            shard.asked.clear()
        return count

    async def status(self, token: str, path: str = "/vendors/n-1") -> int:
        return (await self.gateway.get(path, headers=bearer(token))).status_code


@pytest.fixture
def start(start_shard: Any, start_gateway: Any) -> Any:
    async def start(how: dict[str, Any], **clients: Any) -> World:
        world = World()
        world.shards = {name: await start_shard() for name in ("north", "south")}
        config = {"shards": {name: shard.url for name, shard in world.shards.items()}, **RULES}
        world.gateway = await start_gateway({**config, "clients": {"jwt": how, **clients}})
        return world

    return start


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def made_by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes = b"") -> str:
    """A token as an attacker writes it; a library refuses to."""
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest() if secret else b"x"
    return f"{signed}.{encoded(signature)}"


PAST, FUTURE = 1_000_000_000, 4_000_000_000
GOOD = {"iss": "https://issuer.example", "aud": "bookings"}


@pytest.fixture
async def by_jwks(start: Any, tmp_path: Path) -> Any:
    issuer = Issuer()
    (tmp_path / "keys.json").write_text(jwks(issuer))
    world = await start(
        {"algorithms": ["RS256"], "jwks_file": "keys.json", "issuer": GOOD["iss"], "audience": "bookings"}
    )
    return world, issuer


async def test_a_good_token_reaches_the_shard_as_it_came(by_jwks: Any) -> None:
    world, issuer = by_jwks
    token = issuer.token(**GOOD, nbf=PAST)
    for _ in range(2):
        assert await world.status(token) == 200
    assert world.shards["north"].asked[1].field("authorization") == [f"Bearer {token}"]


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": PAST},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": FUTURE},
        {"nbf": "soon"},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["a", "b"]},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
    ],
    ids=str,
)
async def test_a_token_that_is_over_or_for_somebody_else_is_refused(by_jwks: Any, claims: dict[str, Any]) -> None:
    world, issuer = by_jwks
    said = {**GOOD, **claims}
    payload = json.dumps({"sub": "a", "exp": FUTURE, **said}).encode()
    token = jwt.PyJWS().encode(payload, issuer.key, algorithm="RS256", headers={"kid": issuer.kid})
    answer = await world.gateway.get("/vendors/n-1", headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "SG1022")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert world.asked() == 0


async def test_a_forged_token_is_refused_however_it_is_signed(by_jwks: Any) -> None:
    world, issuer = by_jwks
    claims = {"sub": "a", "exp": FUTURE, **GOOD}
    head, body, signature = issuer.token(**GOOD).split(".")
    forged = {
        "of another with the same kid": Issuer().token(**GOOD),
        "alg none": made_by_hand({"alg": "none"}, claims).rpartition(".")[0] + ".",
        "alg none, with a signature": made_by_hand({"alg": "none", "kid": "k1"}, claims),
        "by the public key as a secret": made_by_hand({"alg": "HS256", "kid": "k1"}, claims, issuer.pem),
        "the same without a kid": made_by_hand({"alg": "HS256"}, claims, issuer.pem),
        "by the public key without its last line feed": made_by_hand({"alg": "HS256"}, claims, issuer.pem.strip()),
        "by the text of the JWK": made_by_hand({"alg": "HS256"}, claims, json.dumps(issuer.jwk).encode()),
        "by another algorithm of its kind": made_by_hand({"alg": "RS512", "kid": "k1"}, claims),
        "changed": f"{head}.{encoded(json.dumps({**claims, 'sub': 'admin'}).encode())}.{signature}",
        "without its signature": f"{head}.{body}.",
        "with an extension that we do not know": Issuer.token(issuer, **GOOD, header={"crit": ["x"], "x": 1}),
        "with a key of its own": made_by_hand({"alg": "RS256", "jwk": Issuer().jwk}, claims),
        "with two dots more": f"{head}.{body}.{signature}.a.b",
        "no token at all": "canary",
    }
    assert {name: await world.status(token) for name, token in forged.items()} == dict.fromkeys(forged, 401)
    assert world.asked() == 0
    assert await world.status(issuer.token(**GOOD)) == 200


async def test_a_request_without_a_token_gets_a_challenge_without_an_error(by_jwks: Any) -> None:
    """RFC 6750 section 3.1."""
    world, _ = by_jwks
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"}, {"Authorization": "nonsense"}):
        answer = await world.gateway.get("/vendors/n-1", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert world.asked() == 0


async def test_a_request_with_two_tokens_is_refused(by_jwks: Any) -> None:
    """Servers take the first, the last, or both: one might let in what was not looked at here."""
    world, issuer = by_jwks
    pair = [("Authorization", f"Bearer {issuer.token(**GOOD)}"), ("Authorization", "Bearer x")]
    answer = await world.gateway.get("/vendors/n-1", headers=pair)
    assert (answer.status_code, answer.json()["code"], world.asked()) == (400, "SG1002", 0)


async def test_a_leeway_is_for_clocks_that_differ(start: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    world = await start({"algorithms": ["HS256"], "key_file": "secret", "leeway_s": 30})
    issuer = Issuer(algorithm="HS256")
    assert await world.status(issuer.token(exp=int(wall()) - 5, nbf=int(wall()) + 10)) == 200
    assert await world.status(issuer.token(exp=int(wall()) - 60)) == 401


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_a_public_key_in_pem(start: Any, tmp_path: Path, algorithm: str) -> None:
    issuer = Issuer(algorithm=algorithm)
    (tmp_path / "key.pem").write_bytes(issuer.pem)
    world = await start({"algorithms": [algorithm], "key_file": "key.pem"})
    assert await world.status(issuer.token()) == 200
    assert await world.status(made_by_hand({"alg": "HS256"}, {"sub": "a", "exp": FUTURE}, issuer.pem)) == 401


async def test_of_several_secrets_each_is_good(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = "the-secret-before-this-one-was-long-enough-too"
    monkeypatch.setenv("TOKEN_SECRETS", f"{SECRET}\n{before}")
    world = await start({"algorithms": ["HS256"], "key_env": "TOKEN_SECRETS"})
    for secret, status in ((SECRET, 200), (before, 200), ("somebody-elses-secret-that-is-long-enough", 401)):
        assert await world.status(Issuer(algorithm="HS256", secret=secret).token()) == status


async def test_a_new_key_at_the_url_is_fetched_when_a_token_names_it(
    start: Any, start_shard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FETCH_PAUSE_S", 0.0)
    old, new, published = Issuer("old"), Issuer("new"), []
    published[:] = [old]
    authority = await start_shard(lambda _asked: reply(jwks(*published)))
    world = await start({"algorithms": ["RS256"], "jwks_url": f"{authority.url}/jwks.json"})
    assert await world.status(old.token()) == 200
    published[:] = [new]
    assert await world.status(new.token()) == 200
    # Within the pause after a fetch, tokens of unknown keys cause no other.
    monkeypatch.setattr(keys, "FETCH_PAUSE_S", 3600.0)
    # A key that is gone is good no more, and that its token was seen changes nothing.
    assert await world.status(old.token()) == 401
    fetched = len(authority.asked)
    unknown = Issuer("unknown")
    assert [await world.status(unknown.token()) for _ in range(5)] == [401] * 5
    assert len(authority.asked) == fetched


@pytest.mark.parametrize(
    "answer",
    [
        reply("no", status="500 Internal Server Error"),
        reply(status="302 Found", fields="Location: https://evil.example/keys\r\n"),
        reply('{"keys": []}'),
        reply("[]"),
        reply("\x00"),
        reply(" " * (keys.JWKS_BYTES_MAX + 1)),
        b"no HTTP at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\nConnection: close\r\n\r\n{",
        b"",
    ],
    ids=lambda answer: str(answer[:40]),
)
async def test_keys_that_cannot_be_fetched_are_told_from_tokens_that_are_wrong(
    start: Any, start_shard: Any, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(keys, "_RETRY_S", 0.1)
    issuer, is_up = Issuer(), []
    authority = await start_shard(lambda _asked: reply(jwks(issuer)) if is_up else answer)
    world = await start({"algorithms": ["RS256"], "jwks_url": f"{authority.url}/jwks.json"})
    said = await world.gateway.get("/vendors/n-1", headers=bearer(issuer.token()))
    assert (said.status_code, said.json()["code"], said.headers["retry-after"]) == (503, "SG2012", "5")
    is_up.append(True)

    async def is_fetched() -> bool:
        return await world.status(issuer.token()) != 503

    await until(is_fetched)  # the gateway asks again by itself
    assert await world.status(issuer.token()) == 200


async def test_a_file_of_keys_that_is_replaced_is_read_anew_and_a_broken_one_is_not(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keys, "FILE_POLL_S", 0.05)
    old, new = Issuer("old"), Issuer("new")
    file = tmp_path / "keys.json"
    file.write_text(jwks(old))
    world = await start({"algorithms": ["RS256"], "jwks_file": "keys.json"})
    file.write_text('{"keys": []}')
    await until(lambda: "it contains no key for RS256; the old keys stay" in caplog.text)
    assert await world.status(old.token()) == 200
    file.write_text(jwks(old, new))

    async def is_read() -> bool:
        return await world.status(new.token()) == 200

    await until(is_read)
    assert await world.status(old.token()) == 200


async def test_the_application_refuses_in_its_own_words_where_it_is_said(start: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    refused = {"status": 401, "body": {"error_code": 40100}, "under": {"/vendors": {"status": 400, "body": "no"}}}
    world = await start({"algorithms": ["HS256"], "key_file": "secret"}, refused=refused, open=["GET /health"])
    answer = await world.gateway.get("/events")
    assert (answer.status_code, answer.text, answer.headers["www-authenticate"]) == (
        401,
        '{"error_code":40100}',
        "Bearer",
    )
    answer = await world.gateway.get("/vendors/n-1")
    assert (answer.status_code, answer.text) == (400, "no")
    assert world.asked() == 0
    assert (await world.gateway.get("/health")).status_code == 200


async def test_where_requests_pass_a_forged_claim_leads_nowhere(start: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    world = await start({"algorithms": ["HS256"], "key_file": "secret"}, unverified="pass")
    world.shards["north"].asked.clear()
    forged = made_by_hand({"alg": "HS256"}, {"sub": "a", "vendor": "n-1", "exp": FUTURE}, b"another")
    await world.gateway.get("/events", headers=bearer(forged))
    assert [len(shard.asked) for shard in world.shards.values()] == [1, 1]
    answer = await world.gateway.client.post("/events", headers=bearer(forged), json={})
    assert (answer.status_code, answer.json()["code"]) == (400, "SG1010")


async def test_claims_are_keys(start: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    world = await start({"algorithms": ["HS256"], "key_file": "secret"})
    issuer = Issuer(algorithm="HS256")

    async def taken(method: str, path: str, *, vendor: Any, **options: Any) -> list[str]:
        world.asked()
        headers = bearer(issuer.token(vendor=vendor))
        await world.gateway.client.request(method, path, headers=headers, **options)
        return [name for name, shard in world.shards.items() if shard.asked]

    assert await taken("GET", "/events", vendor="s-1") == ["south"]
    assert await taken("GET", "/events?limit=2", vendor="s-1") == ["south"]
    assert await taken("GET", "/events", vendor=["s-1", "s-2"]) == ["south"]
    assert await taken("GET", "/events", vendor=["s-1", "n-1"]) == ["north", "south"]
    assert await taken("GET", "/events", vendor=None) == ["north", "south"]
    assert await taken("GET", "/events", vendor="unknown") == ["north", "south"]
    assert await taken("GET", "/events", vendor={"a": 1}) == ["north", "south"]
    # What the request itself names comes before what the token says; the application judges whether it may.
    assert await taken("POST", "/events", vendor="s-1", json={}) == ["south"]
    assert await taken("POST", "/events", vendor="s-1", json={"vendor": "n-1"}) == ["north"]
    assert await taken("POST", "/events", vendor=None, json={}) == []
    assert await taken("POST", "/events", vendor=["s-1", "n-1"], json={}) == []


async def test_a_token_is_looked_at_before_the_body_is_read(by_jwks: Any) -> None:
    world, _ = by_jwks
    head = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
    answered = await world.gateway.raw(head)
    assert answered.startswith(b"HTTP/1.1 401 ")
    assert b"100 Continue" not in answered


async def test_a_body_that_comes_late_is_counted_once(start: Any, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    world = await start({"algorithms": ["HS256"], "key_file": "secret"})
    token = Issuer(algorithm="HS256").token(vendor="s-1")
    head = f"POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    answered = await world.gateway.raw(head.encode() + b"2\r\n{}\r\n0\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert world.shards["south"].asked[0].body == b"{}"


class Authority:
    """A shard that publishes keys. Once they are replaced, it answers only when it is let."""

    def __init__(self) -> None:
        self.issuer = Issuer("old")
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    def replace_keys(self) -> Issuer:
        """Publish the key of another issuer, and answer nobody until `answers` is set."""
        self.issuer = Issuer("new")
        self.answers.clear()
        return self.issuer

    async def __call__(self, _: Asked) -> bytes:
        self.asked += 1
        await self.answers.wait()
        return reply(jwks(self.issuer))


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_body_waits_for_the_key_that_its_token_names(
    start: Any, start_shard: Any, monkeypatch: pytest.MonkeyPatch, pieces: int
) -> None:
    monkeypatch.setattr(keys, "FETCH_PAUSE_S", 0.0)
    authority = Authority()
    url = (await start_shard(authority)).url
    world = await start({"algorithms": ["RS256"], "jwks_url": f"{url}/jwks.json"})
    new = authority.replace_keys()
    body = json.dumps({"vendor": "s-1", "text": "x" * 200_000}).encode()
    cut = len(body) // pieces
    head = f"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nAuthorization: Bearer "
    head += f"{new.token()}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    writer.write(head.encode())
    for number in range(pieces):
        writer.write(body[number * cut : None if number == pieces - 1 else (number + 1) * cut])
        await delivered(writer)
    await until(lambda: authority.asked == 2)
    authority.answers.set()
    assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
    writer.close()
    assert world.shards["south"].asked[0].body == body


async def test_a_client_that_leaves_while_keys_are_fetched_does_not_disturb_others(
    start: Any, start_shard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "FETCH_PAUSE_S", 0.0)
    authority = Authority()
    url = (await start_shard(authority)).url
    world = await start({"algorithms": ["RS256"], "jwks_url": f"{url}/jwks.json"})
    token = authority.replace_keys().token()
    _, writer = await asyncio.open_connection("127.0.0.1", world.gateway.port)
    writer.write(f"GET /vendors/n-1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    await until(lambda: authority.asked == 2)
    waiting = [asyncio.create_task(world.status(token)) for _ in range(3)]  # noqa: TID251
    await until(lambda: world.gateway.in_flight == 4)
    leave(writer)
    await until(lambda: world.gateway.in_flight == 3)
    authority.answers.set()
    assert [await each for each in waiting] == [200] * 3
    assert authority.asked == 2
    assert len(world.shards["north"].asked) == 3


async def test_a_claim_that_binds_keeps_a_client_from_other_tenants(
    start_shard: Any, start_gateway: Any, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    north, south = await start_shard(), await start_shard()
    issuer = Issuer(algorithm="HS256")
    key = {"rule": "one", "key": ["body.vendor", "claim.vendor"], "locate": "vendor"}
    gateway = await start_gateway(
        {
            "shards": {"north": north.url, "south": south.url},
            "locators": {"vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]},
            "rules": {"POST /orders": key, "GET /health": {"rule": "any"}},
            "clients": {
                "jwt": {"algorithms": ["HS256"], "key_file": "secret"},
                "binding": ["vendor"],
                "unverified": "pass",
                "open": ["GET /health"],
            },
        }
    )

    async def order(body: object, **claims: Any) -> tuple[int, str | None]:
        answer = await gateway.client.post("/orders", json=body, headers=bearer(issuer.token(**claims)))
        return answer.status_code, answer.json().get("code") if answer.content else None

    assert (await order({"vendor": "n-1"}, vendor="n-1"))[0] == 200
    assert (await order({}, vendor="n-1"))[0] == 200
    assert await order({"vendor": "s-1"}, vendor="n-1") == (403, "SG1029")
    assert await order({"vendor": "s-1"}) == (403, "SG1029")
    assert (await gateway.client.post("/orders", json={"vendor": "s-1"})).status_code == 403
    assert (await gateway.get("/health")).status_code == 200
    assert all(asked.line == "GET /health HTTP/1.1" for asked in south.asked)
