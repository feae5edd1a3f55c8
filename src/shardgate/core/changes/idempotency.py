"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): reads the key, and decides what to do.

Holds: a key belongs to one client. A key with two different payloads is refused.
Never: keeps the credentials that identify a client: only their digest.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Literal

import msgspec

from shardgate.core.clients.claims import keys_in
from shardgate.core.errors import IdempotencyKeyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Request

FIELD = b"idempotency-key"
# The draft wants a String of RFC 8941 section 3.3.3; many clients leave the quotes out.
_QUOTED = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"')
_BARE = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]{1,255}")

_HEADER: Final = {"header": "Idempotency-Key"}

Verdict = Literal["run", "replay", "busy", "other", "doubt"]


class Idempotency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule says of repeated requests."""

    key: str | None = None
    """Where the request has the client's key, for clients that do not send the field `Idempotency-Key`: `body.uuid`."""
    name: str | None = None
    """In `one`: where the body has the client's own name for what is made: `body.uuid`. All requests with one name go
    to the shard that took the first, whatever their `key` says, so that the application sees that the name is taken."""
    required: bool = False
    """A request without a key is refused (SG1021)."""
    repeat: bool = False
    """The application knows the key itself: the request may be sent again after its reply was lost."""


class Record(msgspec.Struct, frozen=True):
    """What the store knows of a key."""

    fingerprint: str
    reply: bytes | None
    owner_lives: bool
    """The worker that sent the request is alive, and waits for the reply."""


def key_of(request: Request) -> str | None:
    """The key in the header. Raises IdempotencyKeyError."""
    value = request.fields.values.get(FIELD)
    if value is None:
        return None
    if FIELD in request.fields.repeated:
        raise IdempotencyKeyError("the header `Idempotency-Key` stands twice", about=_HEADER)
    match = _QUOTED.fullmatch(value)
    if match is not None:
        return re.sub(rb"\\(.)", rb"\1", match[1]).decode("ascii")
    if _BARE.fullmatch(value) is None:
        said = excerpt(value)
        raise IdempotencyKeyError(
            f"the header `Idempotency-Key` is `{said}`; a text of 1 to 255 characters in quotes is needed",
            about={**_HEADER, "value": said},
        )
    return value.decode("ascii")


def client_of(request: Request, names: Sequence[str]) -> str:
    """The client: a digest of the header fields, or of the claims of a verified token, that identify it."""
    return sha256(b"\0".join([_named_by(name, request) for name in names])).hexdigest()


def _named_by(name: str, request: Request) -> bytes:
    kind, _, claim = name.partition(".")
    if kind == "claim" and request.claims is not None:
        return b"\0".join([name.encode(), *(key.encode() for key in keys_in(request.claims, claim))])
    # The claims of a token that was not verified mean nothing: the whole token identifies the client.
    field = "authorization" if kind == "claim" else name.lower()
    return request.fields.values.get(field.encode(), b"")


def fingerprint_of(request: Request) -> str:
    """A digest of what the request asks for: method, target and body."""
    digest = sha256(b"%b %b\n" % (request.method.encode(), request.target))
    digest.update(request.body)
    return digest.hexdigest()


def judge(record: Record | None, fingerprint: str, *, repeatable: bool) -> Verdict:
    """What to do with a request that has a key. `repeatable`: doing it twice has the effect of doing it once."""
    if record is None:
        return "run"
    if record.fingerprint != fingerprint:
        return "other"
    if record.reply is not None:
        return "replay"
    if record.owner_lives:
        return "busy"
    return "run" if repeatable else "doubt"


def is_final(status: int) -> bool:
    """Whether a reply is kept. After any other the key is free again: nothing was done, so a retry may succeed."""
    return status not in {401, 408, 425, 429, 503}
