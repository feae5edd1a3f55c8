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


def identity_of(request: Request, names: Sequence[str]) -> bytes:
    """A digest of the header fields, and of the claims (`claim.sub`) of a verified token, that identify the client."""
    found = [_values(name, request) for name in names]
    return sha256(msgspec.msgpack.encode(found)).digest() if any(found) else ANONYMOUS


def _values(name: str, request: Request) -> Sequence[str | bytes]:
    kind, _, claim = name.partition(".")
    if kind == "claim":
        return keys_in(request.claims, claim)
    value = request.fields.values.get(name.lower().encode())
    return () if value is None else (value,)
