"""Reads the keys that verify tokens: from the environment, a file, or a JWKS (RFC 7517) in a file or at a URL.

Holds: each key is for one algorithm, which the configuration names; a token cannot choose its own (RFC 8725 section
3.1). Keys that cannot be read never replace keys that could.
Never: writes a key, or a library's message about a key, into a log or an error: it may contain the secret.
"""

import asyncio
import base64
import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, build_opener

import msgspec

from shardgate.core.clients.terms import FAMILIES, SECRET_BYTES_MIN, KeySource
from shardgate.net.clock import now

FILE_POLL_S = 5.0
# Issuers publish some kilobytes. What is fetched is read on the loop: this much takes 20 ms at most.
JWKS_BYTES_MAX = 256 * 1024
FETCH_TIMEOUT_S = 5.0
# A token that names an unknown key causes a fetch, but not within this time after the last one: clients cannot make the
# gateway ask more often.
FETCH_PAUSE_S = 10.0
_RETRY_S = 5.0
_RSA_BITS_MIN = 2048  # RFC 7518 section 3.3
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}

_log = logging.getLogger("shardgate")


class KeysError(Exception):
    """The keys cannot be used. The text says why, and contains no key."""


class VerificationKey(msgspec.Struct, frozen=True):
    """One key for one algorithm."""

    kid: str | None
    algorithm: str
    made: Any
    """The key as an object of the library. `repr` leaves it out."""

    def __repr__(self) -> str:
        return f"VerificationKey(kid={self.kid!r}, algorithm={self.algorithm!r})"


class KeyRing:
    """The keys in force.

    `clock` gives seconds that never go back; it decides when keys may be fetched again.
    """

    __slots__ = ("_algorithms", "_clock", "_fetched", "_fetching", "_source", "_stamp", "_tried_at", "keys")

    def __init__(self, source: KeySource, algorithms: Sequence[str], clock: Callable[[], float] = now) -> None:
        self._source = source
        self._algorithms = algorithms
        self._stamp: tuple[int, int, int] | None = None
        self._clock = clock
        self._tried_at = -math.inf
        self._fetched = b""
        self._fetching: asyncio.Task[None] | None = None
        self.keys: tuple[VerificationKey, ...] = ()
        """A new tuple whenever keys change. Empty until the first fetch succeeds."""

    def load(self) -> None:
        """Read keys from the environment or a file; `refresh` fetches those at a URL. Raises KeysError."""
        kind, place = self._source.kind, self._source.place
        if kind == "key_env":
            self.keys = _keys_of_text(os.environb.get(place.encode(), b""), self._algorithms)
        elif kind != "jwks_url":
            self._stamp = _stamp(place)
            read = _keys_of_text if kind == "key_file" else _keys_of_jwks
            self.keys = read(_read(place), self._algorithms)

    async def follow(self) -> None:
        """Look for new keys now and then, until cancelled."""
        if self._source.kind == "key_env":
            return
        is_url = self._source.kind == "jwks_url"
        while True:
            await asyncio.sleep((self._source.refresh_s if self.keys else _RETRY_S) if is_url else FILE_POLL_S)
            if is_url:
                await self.refresh()
            else:
                self.reload()

    @property
    def may_refresh(self) -> bool:
        """Whether the last fetch is long enough ago for another."""
        return self._source.kind == "jwks_url" and self._clock() - self._tried_at >= FETCH_PAUSE_S

    async def refresh(self) -> None:
        """Fetch the keys at the URL. Callers at the same time share one fetch; after a failure the old keys stay."""
        if self._source.kind != "jwks_url":
            return
        if self._fetching is None:
            # Not by net/tasks, which logs failures: this task handles its own.
            self._fetching = asyncio.get_running_loop().create_task(self._fetch(), name="keys")
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        url = self._source.place
        try:
            data = await asyncio.to_thread(_fetch, url)
            if data != self._fetched:
                self.keys = _keys_of_jwks(data, self._algorithms)
                self._fetched = data
                _log.info("fetched %d keys from %s", len(self.keys), url)
        except (KeysError, OSError, ValueError) as error:
            _log.error("cannot fetch keys from %s: %s", url, error)
        finally:
            self._fetching = None

    def reload(self) -> None:
        """Read the file again if it was replaced. If the new one is wrong, log that and keep the old keys."""
        place, before = self._source.place, self._stamp
        try:
            if _stamp(place) != before:
                self.load()
                _log.info("read %d keys from %s", len(self.keys), place)
        except KeysError as error:
            _log.error("cannot use the keys in %s: %s; the old keys stay in force", place, error)


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: whoever can redirect the fetch could give keys of their own, and sign tokens."""

    def redirect_request(self, *_: object) -> None:
        return None


def _fetch(url: str) -> bytes:
    try:
        with build_opener(_NoRedirect).open(url, timeout=FETCH_TIMEOUT_S) as reply:
            data: bytes = reply.read(JWKS_BYTES_MAX + 1)
    except URLError as error:
        raise KeysError(f"{error.reason}") from error
    except HTTPException as error:
        raise KeysError(f"the reply is not valid HTTP ({type(error).__name__})") from error
    if len(data) > JWKS_BYTES_MAX:
        raise KeysError(f"the reply has more than {JWKS_BYTES_MAX} bytes")
    return data


def _stamp(place: str) -> tuple[int, int, int]:
    try:
        file = Path(place).stat()
    except OSError as error:
        raise KeysError(f"{place}: {error.strerror}") from error
    return file.st_mtime_ns, file.st_size, file.st_ino


def _read(place: str) -> bytes:
    try:
        return Path(place).read_bytes()
    except OSError as error:
        raise KeysError(f"{place}: {error.strerror}") from error


def _keys_of_text(text: bytes, algorithms: Sequence[str]) -> tuple[VerificationKey, ...]:
    """Read secrets, one a line, or a public key in PEM."""
    jwt = _library(algorithms)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise KeysError("it contains no key")
    if FAMILIES[algorithms[0]] != "oct":
        return tuple(_of_pem(jwt, text, algorithm) for algorithm in algorithms)
    if any(line.startswith(b"-----BEGIN") for line in lines):
        raise KeysError("it contains a public key where a secret is needed: everybody could sign tokens with it")
    if min(map(len, lines)) < SECRET_BYTES_MIN:
        raise KeysError(f"a secret, one a line, must have at least {SECRET_BYTES_MIN} bytes (RFC 7518 section 3.2)")
    encoded = [base64.urlsafe_b64encode(line).rstrip(b"=").decode() for line in lines]
    return tuple(
        VerificationKey(None, algorithm, jwt.PyJWK({"kty": "oct", "k": secret}, algorithm=algorithm))
        for secret in encoded
        for algorithm in algorithms
    )


def _of_pem(jwt: Any, text: bytes, algorithm: str) -> VerificationKey:
    rules = jwt.get_algorithm_by_name(algorithm)
    try:
        described = rules.to_jwk(rules.prepare_key(text), as_dict=True)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise KeysError(f"it is not a public key for {algorithm} in PEM") from error
    if "d" in described:
        raise KeysError("it is a private key; give the public key, which is all that verifying needs")
    return _of_jwk(jwt, described, algorithm)


def _keys_of_jwks(data: bytes, algorithms: Sequence[str]) -> tuple[VerificationKey, ...]:
    jwt = _library(algorithms)
    try:
        listed = msgspec.json.decode(data, type=dict[str, Any]).get("keys")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeysError("it is not a JSON object") from error
    keys = [
        _of_jwk(jwt, each, algorithm)
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
        for algorithm in algorithms
        if _is_for(each, algorithm)
    ]
    if not keys:
        raise KeysError(f"it contains no key for {' or '.join(algorithms)}")
    return tuple(keys)


def _is_for(jwk: Mapping[str, Any], algorithm: str) -> bool:
    """RFC 7517 section 4: a key may say what it is for; one that does not say serves every algorithm of its type."""
    return (
        jwk.get("kty") == FAMILIES[algorithm]
        and jwk.get("use", "sig") == "sig"
        and "verify" in jwk.get("key_ops", ["verify"])
        and jwk.get("alg", algorithm) == algorithm
        and jwk.get("crv") == _CURVES.get(algorithm)
    )


def _of_jwk(jwt: Any, jwk: Mapping[str, Any], algorithm: str) -> VerificationKey:
    kid = jwk.get("kid")
    named = kid if isinstance(kid, str) else None
    try:
        made = jwt.PyJWK(dict(jwk), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise KeysError(f"the key with kid {named!r} cannot be read as a key for {algorithm}") from error
    if FAMILIES[algorithm] == "RSA" and made.key.key_size < _RSA_BITS_MIN:
        raise KeysError(f"the RSA key with kid {named!r} has fewer than {_RSA_BITS_MIN} bits")
    if FAMILIES[algorithm] == "oct" and len(made.key) < SECRET_BYTES_MIN:
        raise KeysError(f"the secret with kid {named!r} has fewer than {SECRET_BYTES_MIN} bytes")
    return VerificationKey(named, algorithm, made)


def _library(algorithms: Sequence[str]) -> Any:
    try:
        jwt: Any = import_module("jwt")
    except ImportError as error:
        raise KeysError("verifying tokens needs PyJWT: install `shardgate[jwt]`") from error
    missing = set(algorithms) - set(jwt.algorithms.get_default_algorithms())
    if missing:
        raise KeysError(f"verifying {', '.join(sorted(missing))} needs cryptography: install `shardgate[jwt]`")
    return jwt
