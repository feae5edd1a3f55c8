"""What the configuration says of clients, as it is used: how tokens are judged, what a quota allows, how both refuse.

Never: holds a key; where keys are is said, and whoever verifies reads them.
"""

from typing import Literal

import msgspec

from shardgate.core.clients.period import Window
from shardgate.core.errors import ShardgateError, Words

SECRET_BYTES_MIN = 32
"""RFC 7518 section 3.2: a key of HS256 has at least the size of its hash."""

FAMILIES = {
    "HS256": "oct",
    "HS384": "oct",
    "HS512": "oct",
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
}
"""Algorithm → the kind of key that it is made with (RFC 7518 section 6.1)."""


KeyPlace = Literal["key_env", "key_file", "jwks_file", "jwks_url"]


class KeySource(msgspec.Struct, frozen=True):
    """Where the keys are."""

    kind: KeyPlace
    place: str
    """A name, an absolute path or a URL."""
    refresh_s: float


class TokenTerms(msgspec.Struct, frozen=True):
    """What makes a token good."""

    algorithms: tuple[str, ...]
    source: KeySource
    issuer: str | None
    audience: tuple[str, ...]
    leeway_s: float
    client: str
    """The claim that says who the client is."""


class Wording(msgspec.Struct, frozen=True):
    """How the application says a refusal, below which paths; the longest that fits is taken."""

    under: tuple[tuple[str, Words], ...] = ()

    def say(self, error: ShardgateError, path: str) -> ShardgateError:
        """The same error, in the words for this path."""
        for prefix, words in self.under:
            if path.startswith(prefix):
                error.words = words
                break
        return error


class QuotaTerms(msgspec.Struct, frozen=True):
    """How many calls a client may make."""

    calls: int
    window: Window
    headers: bool
    flush_s: float
    spent: Wording


class ClientTerms(msgspec.Struct, frozen=True):
    """All of it."""

    tokens: TokenTerms
    passes: bool
    """A request without a good token goes on, as nobody's: the application refuses it."""
    refused: Wording
    open: frozenset[str]
    """`POST /oauth/token`: operations that need no token, and that are not counted."""
    quota: QuotaTerms | None
