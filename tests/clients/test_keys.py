"""The key ring: where keys come from, when they are fetched, and what stays when new ones are wrong."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shardgate.clients.keys import FETCH_PAUSE_S, KeyRing, KeysError, VerificationKey
from shardgate.core.clients.terms import KeySource
from tests.clients.issuer import SECRET, Issuer, jwks
from tests.cluster import Asked, reply, running_shard


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def kids(ring: KeyRing) -> list[str | None]:
    return [key.kid for key in ring.keys]


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Authority:
    """Publishes the key of an issuer, or answers with `broken`."""

    def __init__(self) -> None:
        self.issuer = Issuer("old")
        self.broken = b""
        self.asked = 0
        self.url = ""

    def __call__(self, _: Asked) -> bytes:
        self.asked += 1
        return self.broken or reply(jwks(self.issuer))


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    authority = Authority()
    async with running_shard(authority) as shard:
        authority.url = f"{shard.url}/keys"
        yield authority


@pytest.fixture
def ring(authority: Authority, clock: Clock) -> KeyRing:
    """A ring of the keys that the authority publishes."""
    return KeyRing(KeySource("jwks_url", authority.url, 60.0), ("RS256",), clock)


def test_secrets_are_read_one_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_OF_A_TEST", f"{SECRET}\n\n {SECRET[::-1]} \n")
    ring = KeyRing(KeySource("key_env", "SECRETS_OF_A_TEST", 60.0), ("HS256", "HS512"))
    ring.load()
    assert [key.algorithm for key in ring.keys] == ["HS256", "HS512"] * 2


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    ring = KeyRing(KeySource("key_file", str(tmp_path / "secret"), 60.0), ("HS256",))
    ring.load()
    assert isinstance(ring.keys[0], VerificationKey)
    assert SECRET not in repr(ring.keys)


def test_a_key_for_something_else_is_left_out(tmp_path: Path) -> None:
    """RFC 7517 sections 4.2 to 4.4."""
    good, other = Issuer("good"), Issuer("other")
    listed = [{**good.jwk}, {**other.jwk, "use": "enc"}, {**other.jwk, "alg": "RS512"}, {**other.jwk, "key_ops": []}]
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [*listed, "no key"]}))
    ring = KeyRing(KeySource("jwks_file", str(tmp_path / "keys.json"), 60.0), ("RS256",))
    ring.load()
    assert kids(ring) == ["good"]


@pytest.mark.parametrize("text", ["", '{"keys": []}', "[]", "\x00", '{"keys":' + "[" * 100_000], ids=range(5))
def test_a_file_that_is_replaced_by_a_wrong_one_changes_nothing(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(jwks(Issuer("old")))
    ring = KeyRing(KeySource("jwks_file", str(file), 60.0), ("RS256",))
    ring.load()
    file.write_text(text)
    ring.reload()
    assert kids(ring) == ["old"]
    assert "the old keys stay in force" in caplog.text
    file.unlink()
    ring.reload()
    assert kids(ring) == ["old"]
    file.write_text(jwks(Issuer("new")))
    ring.reload()
    assert kids(ring) == ["new"]


def test_a_file_that_was_not_replaced_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(jwks(Issuer()))
    ring = KeyRing(KeySource("jwks_file", str(file), 60.0), ("RS256",))
    ring.load()
    before = ring.keys
    ring.reload()
    assert ring.keys is before


async def test_keys_are_fetched_again_only_after_a_pause(ring: KeyRing, clock: Clock) -> None:
    assert ring.may_refresh
    await ring.refresh()
    assert kids(ring) == ["old"]
    assert not ring.may_refresh
    clock.at += FETCH_PAUSE_S - 0.1
    assert not ring.may_refresh
    clock.at += 0.1
    assert ring.may_refresh


async def test_those_who_ask_at_once_share_one_fetch(ring: KeyRing, authority: Authority) -> None:
    await asyncio.gather(*(ring.refresh() for _ in range(5)))
    assert (kids(ring), authority.asked) == (["old"], 1)


async def test_one_who_leaves_does_not_end_the_fetch_of_the_others(ring: KeyRing) -> None:
    leaving, staying = (asyncio.ensure_future(ring.refresh()) for _ in range(2))
    await asyncio.wait([leaving], timeout=0)
    leaving.cancel()
    await staying
    assert kids(ring) == ["old"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (reply("no", status="500 Internal Server Error"), "Internal Server Error"),
        (reply(status="302 Found", fields="Location: https://evil.example/keys\r\n"), "Found"),
        (reply('{"keys": []}'), "it contains no key for RS256"),
        (b"no HTTP at all\r\n\r\n", "not valid HTTP"),
    ],
    ids=["error", "redirect", "empty", "not HTTP"],
)
async def test_a_fetch_that_fails_leaves_the_keys_and_says_why(
    ring: KeyRing, authority: Authority, said: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    await ring.refresh()
    authority.broken = said
    with caplog.at_level(logging.ERROR):
        await ring.refresh()
    assert kids(ring) == ["old"]
    assert why in caplog.text


async def test_keys_that_did_not_change_are_not_replaced(ring: KeyRing, authority: Authority) -> None:
    """Tokens that were verified with them stay remembered."""
    await ring.refresh()
    before: Any = ring.keys
    await ring.refresh()
    assert authority.asked == 2
    assert ring.keys is before


def test_a_place_without_keys_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="No such file"):
        KeyRing(KeySource("key_file", str(tmp_path / "nowhere"), 60.0), ("HS256",)).load()
