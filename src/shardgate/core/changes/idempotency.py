"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): reads the key, and decides what to do.

Holds: a key belongs to one client. Where nothing in the requests says who the client is, a key belongs to a connection.
A key with two different requests is refused; what routes a request, what it means, and what an application may read in
it of who asks, is a part of it.
Never: keeps the credentials that identify a client: only their digest.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, Literal

import msgspec

from shardgate.core.changes.busy import did_nothing
from shardgate.core.clients.identity import identity_of, may_name_client
from shardgate.core.errors import IdempotencyKeyError
from shardgate.core.excerpt import excerpt
from shardgate.core.hosts import address_in, host_of, is_loopback
from shardgate.core.http import Reply, Request

FIELD = b"idempotency-key"
# The draft wants a String of RFC 8941 section 3.3.3; many clients leave the quotes out.
_QUOTED = re.compile(rb'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"')
_BARE = re.compile(rb"[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]{1,255}")

CLIENT_FIELDS: Final = ("Authorization", "Cookie", "X-API-Key", "API-Key", "X-Auth-Token", "X-Access-Token")
"""The fields in which applications look for credentials. Two requests are of one client where all of them agree: an
application may know its users by any one of them."""

_MEANING: Final = (
    b"content-encoding",
    b"content-language",
    b"content-type",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-unmodified-since",
    b"prefer",
)
"""The fields that change what a request does (RFC 9110 sections 8 and 13, RFC 7240). Fields that differ at each sending
(Date, traceparent, User-Agent, an id of the request) are not among them: a retry is the same request."""

_ADDRESSES: Final = (
    b"cf-connecting-ip",
    b"fastly-client-ip",
    b"fly-client-ip",
    b"forwarded",
    b"true-client-ip",
    b"x-azure-clientip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-forwarded-for",
    b"x-real-ip",
)
"""The fields in which proxies say from where a client came. A client that says who it is may come from elsewhere."""
_KNOWN: Final = frozenset(name.lower().encode() for name in CLIENT_FIELDS)

_EVERYBODY: Final = "everybody"
"""The client of all requests, where no names say how clients differ."""

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


def client_of(request: Request, names: Sequence[str]) -> str | None:
    """The client: a digest of what identifies it. The claims of a token that was not verified mean nothing: then the
    whole token identifies the client.

    None where the request has nothing that does. Without names all requests are of one client.
    """
    return identity_of(request, names, any_token=True).hex() or None if names else _EVERYBODY


def anonymous(connection: bytes, request: Request) -> str:
    """The client of a connection, where no request says who it is. Behind a proxy, clients share connections."""
    values = request.fields.values
    said = [b"connection", connection, *[values.get(name, b"") for name in _ADDRESSES]]
    for name in sorted(filter(may_name_client, values)):
        said += (name, values[name])
    return _digest(said)


def anybody(fingerprint: str) -> str:
    """All clients that do not say who they are and send this one request."""
    return _digest([b"anybody", fingerprint.encode()])


def fingerprint_of(
    request: Request, routed_by: Iterable[tuple[str, str | None]] = (), names: Sequence[str] = CLIENT_FIELDS
) -> str:
    """A digest of what the request asks for: what is done, to what, on which host, and under which conditions.

    `routed_by`: the places of the request that its key is read from, each with what stands there. `names`: as for
    `client_of`. Where they are the usual ones, nobody has said how clients differ: then each field that an application
    may know them by is a part of the request.
    """
    values = request.fields.values
    said = [request.method.encode(), request.target, _site(request.fields.host), request.body]
    said += [values.get(name, b"") for name in _MEANING]
    for source, value in routed_by:
        said += (source.encode(), b"" if value is None else b"=" + value.encode("utf-8", "surrogatepass"))
    if tuple(names) == CLIENT_FIELDS:
        for name in sorted(filter(may_name_client, values)):
            if name not in _KNOWN and name not in _ADDRESSES:
                said += (name, values[name])
    return _digest(said)


def _site(host: bytes) -> bytes:
    """The host that is asked; empty where it is an address: that is of one of several gateways, and says nothing of
    what is asked for. A client that repeats a request at another gateway asks for the same."""
    name = host_of(host.decode("latin-1"))
    return b"" if address_in(name) is not None or is_loopback(name) else host.lower()


def _digest(said: Iterable[bytes]) -> str:
    digest = sha256()
    for each in said:
        digest.update(b"%d:" % len(each))
        digest.update(each)
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
    """Whether a reply is kept. After any other a retry may succeed: the key is free again where nothing was done."""
    return status not in {401, 408, 425, 429, 503}


def may_have_changed(reply: Reply) -> bool:
    """Whether the one shard that gave this reply may have changed something: a client error says that it did not, and
    so does an application that is too busy."""
    return not 400 <= reply.status < 500 and not did_nothing(reply)
