"""Who a client is, as a digest: the same for all of its requests, also after its token was renewed.

Holds: a claim counts only where the token was verified. A client that none of the names identifies has no identity.
Never: keeps the values themselves, which may be credentials.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from shardgate.core.clients.claims import keys_in
from shardgate.core.clients.masking import is_secret
from shardgate.core.http import Request

ANONYMOUS = b""

_SENT_ANEW: Final = frozenset(
    {
        "agent", "attempt", "captcha", "challenge", "correlation", "count", "csrf", "date", "dedupe", "dpop",
        "idempotency", "nonce", "otp", "proof", "recaptcha", "request", "requestid", "retry", "sec", "signature",
        "span", "time", "timestamp", "totp", "trace", "traceid", "turnstile", "xsrf",
    }
)  # fmt: skip
"""Words in the names of fields whose values differ each time that one client sends one request."""
_PARTIES: Final = frozenset(
    {
        "account", "actor", "auth", "behalf", "brand", "cert", "client", "company", "consumer", "credential",
        "customer", "dn", "email", "from", "group", "identity", "impersonate", "impersonation", "key", "login",
        "member", "merchant", "namespace", "org", "organisation", "organization", "owner", "partner", "principal",
        "profile", "project", "realm", "role", "roles", "seller", "session", "shop", "sid", "store", "subject", "sudo",
        "team", "tenant", "token", "uid", "upn", "user", "username", "vendor", "workspace",
    }
)  # fmt: skip
"""Words in the names of fields that say who asks, or for whom: `X-Shop-Token`, `Stripe-Account`, `X-Forwarded-User`."""
_WORDS: Final = re.compile(r"[-_.]+")


def identity_of(request: Request, names: Sequence[str], *, any_token: bool = False) -> bytes:
    """A digest of the header fields, the cookies (`cookie.session`), and the claims (`claim.sub`) of a verified token,
    that identify the client; ANONYMOUS where the request has none of them.

    `any_token`: where no token was verified, the whole field `Authorization` stands for its claims.
    """
    found = [_values(name, request, any_token=any_token) for name in names]
    return sha256(msgspec.msgpack.encode(found)).digest() if any(found) else ANONYMOUS


@lru_cache(1024)
def may_name_client(field: bytes) -> bool:
    """Whether an application may read in a header field who asks, or for whom, to judge by the field's name alone.

    False for what differs each time that a client sends a request: an id of the request, a time, a signature.
    """
    name = field.decode("latin-1")
    words = _WORDS.split(name)
    if not _SENT_ANEW.isdisjoint(words):
        return False
    return is_secret(name) or any(word in _PARTIES or word.removesuffix("id") in _PARTIES for word in words)


def _values(name: str, request: Request, *, any_token: bool) -> Sequence[str | bytes]:
    kind, _, inner = name.partition(".")
    if kind == "cookie":
        return _cookies(request.fields.values.get(b"cookie", b""), inner.encode())
    if kind == "claim" and not (any_token and request.claims is None):
        return keys_in(request.claims, inner)
    field = "authorization" if kind == "claim" else name.lower()
    value = request.fields.values.get(field.encode())
    return (value,) if value else ()


def _cookies(field: bytes, name: bytes) -> Sequence[bytes]:
    """The values of a cookie (RFC 6265 section 4.2.1) that are not empty: all, where it stands twice."""
    pairs = [pair.strip().partition(b"=") for pair in field.split(b";")]
    return [value for key, _, value in pairs if key == name and value]
