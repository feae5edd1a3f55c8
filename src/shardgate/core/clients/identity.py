"""Who a client is, as a digest: the same for all of its requests, also after its token was renewed.

Holds: a claim counts only where the token was verified. A client that none of the names identifies has no identity.
Never: keeps the values themselves, which may be credentials.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from shardgate.core.clients.claims import keys_in
from shardgate.core.http import Request

ANONYMOUS = b""


def identity_of(request: Request, names: Sequence[str], *, any_token: bool = False) -> bytes:
    """A digest of the header fields, the cookies (`cookie.session`), and the claims (`claim.sub`) of a verified token,
    that identify the client; ANONYMOUS where the request has none of them.

    `any_token`: where no token was verified, the whole field `Authorization` stands for its claims.
    """
    found = [_values(name, request, any_token=any_token) for name in names]
    return sha256(msgspec.msgpack.encode(found)).digest() if any(found) else ANONYMOUS


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
