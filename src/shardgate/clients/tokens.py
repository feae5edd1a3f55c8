"""Verifies access tokens (RFC 6750, RFC 7519) and tells which client sends a request.

Holds: a verified token is remembered by its exact text, in bounded memory, until it expires or the keys change.
Never: uses a claim before the signature is verified; never puts a token, or a part of one, into an error.
Hot path: `caller` costs one look-up for a token that was seen before.
"""

import re
from importlib import import_module
from typing import Any

import msgspec

from shardgate.clients.keys import KeyRing, VerificationKey
from shardgate.core.clients.claims import Caller, judge
from shardgate.core.clients.terms import TokenTerms
from shardgate.core.eldest import drop_oldest
from shardgate.core.errors import AmbiguousKeyError, InvalidTokenError, KeysMissingError
from shardgate.core.http import Request
from shardgate.core.limits import TOKENS_REMEMBERED_MAX

# RFC 7515 section 3.1: three parts in base64url.
_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_NO_TOKEN = "Bearer"  # noqa: S105 - RFC 6750 section 3.1: no error code for a request without a token


class UnseenKeyError(InvalidTokenError):
    """The token names a key that the gateway does not have; the issuer may have made it a moment ago."""


class Tokens:
    """The tokens of one worker: verifies new ones, remembers verified ones."""

    __slots__ = ("_keys", "_remembered", "_ring", "_terms", "_verifier")

    def __init__(self, ring: KeyRing, terms: TokenTerms) -> None:
        self._ring = ring
        self._terms = terms
        self._keys = ring.keys
        self._remembered: dict[bytes, Caller] = {}
        self._verifier: Any = import_module("jwt").PyJWS()

    def caller(self, request: Request, at: float) -> Caller:
        """The client that sends a request, `at` seconds since 1970.

        Raises InvalidTokenError, AmbiguousKeyError, KeysMissingError.
        """
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
            raise AmbiguousKeyError("the request has more than one header 'Authorization'")
        return self._remember(value, self._verified(_bearer(value), at))

    def remembers(self, request: Request) -> bool:
        """Whether its token was verified before: to ask for its caller costs one look-up."""
        return self._keys is self._ring.keys and request.fields.values.get(b"authorization", b"") in self._remembered

    def _remember(self, value: bytes, caller: Caller) -> Caller:
        if len(self._remembered) >= TOKENS_REMEMBERED_MAX:
            drop_oldest(self._remembered)
        self._remembered[value] = caller
        return caller

    def _verified(self, token: bytes, at: float) -> Caller:
        if not self._keys:
            raise KeysMissingError("the gateway could not fetch the keys that verify tokens yet")
        if _COMPACT.fullmatch(token) is None:
            raise _refused()
        judged = judge(self._claims(token), self._terms, at)
        if isinstance(judged, str):
            raise InvalidTokenError(judged)
        return judged

    def _claims(self, token: bytes) -> dict[str, Any]:
        """The claims of a token, after its signature was verified."""
        jwt = import_module("jwt")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _refused() from None
        if "crit" in header:  # RFC 7515 section 4.1.11: the gateway supports no extension
            raise _refused()
        for key in self._candidates(header):
            try:
                payload = self._verifier.decode(token, key=key.made, algorithms=[key.algorithm])
                return msgspec.json.decode(payload, type=dict[str, Any])
            except (jwt.PyJWTError, ValueError, RecursionError, msgspec.DecodeError):
                continue  # the last one: also a number of thousands of digits
        raise _refused()

    def _candidates(self, header: dict[str, Any]) -> list[VerificationKey]:
        """The keys that may have signed: those of the token's algorithm, and of its `kid` where both name one."""
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
        error = InvalidTokenError("the request needs an access token: Authorization: Bearer …")
        error.challenge = _NO_TOKEN
        raise error
    return token


def _refused() -> InvalidTokenError:
    # Raised without a cause: a library's message may contain a part of the token.
    return InvalidTokenError("the access token is not valid")
