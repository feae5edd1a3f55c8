"""The claims of a verified token: whether it is accepted (RFC 7519 section 4.1), and which keys it names.

Holds: every claim that limits a token is checked. A claim that cannot be read refuses the token.
Never: verifies a signature; never reads the time.
"""

from collections.abc import Mapping

import msgspec

from shardgate.core.clients.terms import TokenTerms
from shardgate.core.errors import BoundClientError

# Seconds since 1970. An integer of hundreds of digits is no float, and can only be compared.
_INSTANT_MAX = 1e18

Claims = Mapping[str, object]


class Caller(msgspec.Struct, frozen=True, gc=False):
    """The client that a verified token stands for."""

    client: str
    claims: Claims
    until: float
    """The token has expired from this time on, in seconds since 1970."""


def judge(claims: Claims, terms: TokenTerms, at: float) -> Caller | str:
    """The client; or why the token is refused, in words for the client."""
    expires_at = _instant(claims, "exp")
    if expires_at is None:
        return "the access token has no claim `exp`, or it is no number"
    if not_now := _not_now(claims, expires_at, terms.leeway_s, at):
        return not_now
    if terms.issuer is not None and claims.get("iss") != terms.issuer:
        return "the access token is from another issuer (claim `iss`)"
    if not _is_for_us(claims.get("aud"), terms.audience):
        return "the access token is for another audience (claim `aud`)"
    client = _text(claims.get(terms.client))
    if not client:
        return f"the access token does not say which client it is of (claim `{terms.client}`)"
    return Caller(client, claims, expires_at + terms.leeway_s)


def _not_now(claims: Claims, expires_at: float, leeway_s: float, at: float) -> str:
    """Why a token is not accepted now (RFC 7519 sections 4.1.4 and 4.1.5); empty where it is."""
    if expires_at + leeway_s <= at:
        return "the access token has expired"
    not_before = _instant(claims, "nbf")
    if "nbf" in claims and (not_before is None or not_before - leeway_s > at):
        return "the access token is not valid yet (claim `nbf`)"
    return ""


def keys_in(claims: Claims | None, name: str) -> tuple[str, ...]:
    """The keys that a claim names: one, several where it is a list, or none."""
    value = None if claims is None else claims.get(name)
    several = value if isinstance(value, list) else [value]
    return tuple(text for each in several if (text := _text(each)))


def bound_keys(claims: Claims | None, name: str) -> tuple[str, ...]:
    """The keys that a claim names which binds its client. Raises BoundClientError where it names none."""
    keys = keys_in(claims, name)
    if not keys:
        raise BoundClientError(f"the token names no key in the claim `{name}`, which binds its client")
    return keys


def _is_for_us(audience: object, ours: tuple[str, ...]) -> bool:
    """RFC 7519 section 4.1.3: a token with an audience is accepted only by that audience."""
    if audience is None:
        return not ours
    named = audience if isinstance(audience, list) else [audience]
    return any(isinstance(each, str) and each in ours for each in named)


def _instant(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_INSTANT_MAX < value < _INSTANT_MAX:
        return None
    return float(value)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)
