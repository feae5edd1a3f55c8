"""A gateway that verifies tokens by the keys of an issuer, which may turn hostile."""

import asyncio
import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from proof.hostile.asking import request
from proof.hostile.shards import Asked, Behaviour, Shard, reply
from proof.hostile.stage import Stage

KID = "good"
EXPIRES_AT = 4_000_000_000
REFRESH_S = 1
"""How often the gateway fetches the keys."""


class TokenStage(Stage):
    """A stage with an issuer; its shards are those of the others."""

    def __init__(self, folder: Path, rules: dict[str, Any], seed: int) -> None:
        self.issuer = Shard("issuer")
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        """A key that nobody has published."""
        super().__init__(folder, rules, {}, seed)
        self.good = f"Authorization: Bearer {self.signed({'sub': 'good', 'thing': 'n-1'})}"
        self.others = request("GET", "/things/n-00001", self.good)
        self.warm = [request("GET", target, self.good) for target in ("/any", "/claimed", "/list?limit=5")]

    async def __aenter__(self) -> Self:
        await self.issuer.start()
        self.issuer.behaviour = self.publish
        keys = {"algorithms": ["RS256"], "jwks_url": f"{self.issuer.url}/jwks", "refresh_s": REFRESH_S}
        self.more = {"clients": {"jwt": keys, "quota": {"calls": 2**40}}}
        return await super().__aenter__()

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        self.issuer.stop()

    def signed(self, claims: Any, *, key: rsa.RSAPrivateKey | None = None, kid: str = KID) -> str:
        """A token that does not expire soon, unless its claims say so; claims in bytes are signed as they are."""
        payload = claims if isinstance(claims, bytes) else json.dumps({"exp": EXPIRES_AT, **claims}).encode()
        return str(jwt.PyJWS().encode(payload, key or self.key, algorithm="RS256", headers={"kid": kid}))

    def jwk(self, key: rsa.RSAPrivateKey | None = None, kid: str = KID) -> dict[str, Any]:
        """The public key as it is published."""
        numbers = (key or self.key).public_key().public_numbers()
        return {"kty": "RSA", "kid": kid, "alg": "RS256", "n": number64(numbers.n), "e": number64(numbers.e)}

    async def publish(self, _: Asked, writer: asyncio.StreamWriter) -> None:
        """What a good issuer says."""
        writer.write(reply({"keys": [self.jwk()]}, fields="Connection: close\r\n"))
        await writer.drain()
        raise ConnectionError

    async def fetched(self, behaviour: Behaviour, times: int, within_s: float) -> None:
        """Let the issuer answer so until the gateway has asked that often, and then well again."""
        asked = self.issuer.calls
        self.issuer.behaviour = behaviour
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.issuer.calls < asked + times:  # noqa: ASYNC110 - a counter of a connection's own task
                    await asyncio.sleep(0.05)
                await asyncio.sleep(0.3)


def number64(number: int) -> str:
    """RFC 7518 section 6.3.1.1."""
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
