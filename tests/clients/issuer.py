"""Who gives tokens: keys of its own, and the JWKS that it publishes."""

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shardgate.net.clock import wall

SECRET = "a-secret-of-these-tests-that-is-long-enough"

RULES: dict[str, Any] = {
    "locators": {"vendor": [{"kind": "prefix", "shards": {"n": "north", "s": "south"}}]},
    "rules": {
        "GET /health": {"rule": "any"},
        "GET /vendors/{id}": {"rule": "one", "key": "path.id", "locate": "vendor"},
        "POST /events": {"rule": "one", "key": ["body.vendor", "claim.vendor"], "locate": "vendor"},
        "GET /events": {
            "rule": "gather",
            "merge": {"kind": "list", "dialect": {"kind": "offset"}, "keys": {"id": "text"}},
            "prune": {"claim.vendor": "vendor", "vendor": "vendor"},
        },
    },
}


class Issuer:
    """One that signs by RSA or elliptic curves, or by a secret that it shares with those who verify."""

    def __init__(self, kid: str = "k1", algorithm: str = "RS256", secret: str = SECRET) -> None:
        self.kid, self.algorithm = kid, algorithm
        if algorithm.startswith("HS"):
            self.key: Any = secret
        elif algorithm.startswith("ES"):
            self.key = ec.generate_private_key(ec.SECP256R1())
        else:
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for what is said; a claim of None is left out."""
        said = {"sub": "somebody", "exp": int(wall()) + 3600, **claims}
        said = {name: value for name, value in said.items() if value is not None or name == "vendor"}
        return jwt.encode(said, self.key, algorithm=self.algorithm, headers={"kid": self.kid, **(header or {})})

    @property
    def jwk(self) -> dict[str, Any]:
        """Its public key."""
        described = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.key.public_key(), as_dict=True)
        return {**described, "kid": self.kid, "use": "sig"}

    @property
    def pem(self) -> bytes:
        """The same, as text that anybody may have."""
        public: bytes = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return public


def jwks(*issuers: Issuer) -> str:
    """The keys of several, as they are published."""
    return json.dumps({"keys": [each.jwk for each in issuers]})


def bearer(token: str) -> dict[str, str]:
    """The header that carries it."""
    return {"Authorization": f"Bearer {token}"}
