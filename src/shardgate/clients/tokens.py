"""Access tokens (RFC 6750, RFC 7519): whose a request is, by a signature that was verified.

Holds: a token that was verified once is remembered by its exact text until it ends, in bounded memory, and no longer
than the keys are in force that it was verified with.
Never: tells what a token says before it is verified; never puts a token, or a part of it, into an error.
Hot path: `caller` costs one look-up for a token that was seen.
"""

import re
from importlib import import_module
from typing import Any

import msgspec

from shardgate.clients.keys import Key, KeyRing
from shardgate.core.clients.claims import Caller, judge
from shardgate.core.clients.terms import TokenTerms
from shardgate.core.errors import AmbiguousKeyError, InvalidTokenError, KeysMissingError
from shardgate.core.http import Request
from shardgate.core.limits import TOKENS_REMEMBERED_MAX

# RFC 7515 section 3.1: three parts in base64url.
_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NO_TOKEN = "Bearer"  # noqa: S105 - RFC 6750 section 3.1: who has sent no token is told no error


class UnseenKeyError(InvalidTokenError):
    """The token names a key that is not here; it may have been made a moment ago."""


class Tokens:
    """Verifies, and remembers."""

    __slots__ = ("_keys", "_remembered", "_ring", "_terms", "_verifier")

    def __init__(self, ring: KeyRing, terms: TokenTerms) -> None:
        self._ring = ring
        self._terms = terms
        self._keys = ring.keys
        self._remembered: dict[bytes, Caller] = {}
        self._verifier: Any = import_module("jwt").PyJWS()

    def caller(self, request: Request, at: float) -> Caller:
        """Who sends the request. Raises InvalidTokenError, AmbiguousKeyError, KeysMissingError."""
        fields = request.fields
        value = fields.values.get(b"authorization", b"")
        if self._keys is not self._ring.keys:
            self._keys = self._ring.keys
            self._remembered.clear()
        found = self._remembered.get(value)
        if found is not None:
            if found.until > at:
                return found
            del self._remembered[value]
            raise InvalidTokenError("the access token has expired")
        if b"authorization" in fields.repeated:
            raise AmbiguousKeyError("the header 'Authorization' stands twice")
        return self._remember(value, self._verified(_bearer(value), at))

    def _remember(self, value: bytes, caller: Caller) -> Caller:
        if len(self._remembered) >= TOKENS_REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[value] = caller
        return caller

    def _verified(self, token: bytes, at: float) -> Caller:
        if not self._keys:
            raise KeysMissingError("the keys that tokens are verified with are not here yet")
        if _COMPACT.fullmatch(token) is None:
            raise _refused()
        judged = judge(self._claims(token), self._terms, at)
        if isinstance(judged, str):
            raise InvalidTokenError(judged)
        return judged

    def _claims(self, token: bytes) -> dict[str, Any]:
        """What it says, once its signature is verified."""
        jwt = import_module("jwt")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _refused() from None
        if "crit" in header:  # RFC 7515 section 4.1.11: we know no extension
            raise _refused()
        for key in self._candidates(header):
            try:
                payload = self._verifier.decode(token, key=key.made, algorithms=[key.algorithm])
                return msgspec.json.decode(payload, type=dict[str, Any])
            except (jwt.PyJWTError, ValueError, RecursionError):
                continue
        raise _refused()

    def _candidates(self, header: dict[str, Any]) -> list[Key]:
        """The keys for the algorithm that the token says it is signed by, if it is one of ours."""
        kid = header.get("kid")
        keys = [key for key in self._keys if key.algorithm == header.get("alg")]
        named = [key for key in keys if kid is None or key.kid is None or key.kid == kid]
        if keys and not named:
            raise UnseenKeyError("the access token is not valid")
        return named


def _bearer(value: bytes) -> bytes:
    scheme, _, token = value.partition(b" ")
    token = token.strip()
    if scheme.lower() != b"bearer" or not token:
        error = InvalidTokenError("an access token is needed: Authorization: Bearer …")
        error.challenge = _NO_TOKEN
        raise error
    return token


def _refused() -> InvalidTokenError:
    # From no cause: a library's words may have a part of the token in them.
    return InvalidTokenError("the access token is not valid")
