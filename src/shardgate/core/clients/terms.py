"""The configuration of clients, as values: how tokens are judged, what a quota allows, how both refuse.

Never: holds a key, but where the keys are.
"""

from collections.abc import Mapping
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
"""Algorithm → the type of its keys (RFC 7518 section 6.1)."""


KeyPlace = Literal["key_env", "key_file", "jwks_file", "jwks_url"]


class KeySource(msgspec.Struct, frozen=True):
    """Where the keys are that tokens are verified with."""

    kind: KeyPlace
    place: str
    """The name of an environment variable, an absolute path, or a URL."""
    refresh_s: float
    """The keys are read again after so long."""


class TokenTerms(msgspec.Struct, frozen=True):
    """Which tokens are accepted."""

    algorithms: tuple[str, ...]
    source: KeySource
    issuer: str | None
    audience: tuple[str, ...]
    leeway_s: float
    client: str
    """The claim that says who the client is."""


class Wording(msgspec.Struct, frozen=True):
    """How the application words a refusal, below certain paths."""

    under: tuple[tuple[str, Words], ...] = ()
    """The beginning of a path, and the words below it; the longest beginnings stand first."""

    def say(self, error: ShardgateError, path: str) -> ShardgateError:
        """The same error, worded as the application words it below this path."""
        for prefix, words in self.under:
            if path.startswith(prefix):
                error.words = words
                break
        return error


class QuotaTerms(msgspec.Struct, frozen=True):
    """How many calls a client may make in a period."""

    calls: int
    window: Window
    headers: bool
    flush_s: float
    spent: Wording


class ClientTerms(msgspec.Struct, frozen=True):
    """The configuration of clients."""

    tokens: TokenTerms
    passes: bool
    """A request without an accepted token is sent on without a client, for the application to refuse."""
    refused: Wording
    open: frozenset[str]
    """Operations that need no token and are not counted: `POST /oauth/token`."""
    quota: QuotaTerms | None
    binding: frozenset[str] = frozenset()
    """Claims that bind a client to the keys in them."""
    operators: Mapping[str, tuple[str, ...]] = {}
    """Claim → the values that make a client an operator; empty: nobody is."""
