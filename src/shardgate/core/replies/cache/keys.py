"""Which requests may get one reply: the same target, host and scheme, and no field that nobody expects to matter.

What a reply depends on is for the application to say, by `Vary`. It cannot say it of fields that it does not know to
matter, such as one that a framework reads and a client makes up. So all fields of a request are part of the key, but
for those that browsers send as they like, and those with credentials: what is `public` says of these that they do not
matter.

Holds: two requests with one key differ in nothing else than in fields of these two kinds.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from shardgate.core.clients.masking import is_secret
from shardgate.core.http import Request
from shardgate.core.replies.cache.head import StoredHead

Key = tuple[bytes | str | tuple[bytes, bytes], ...]
"""What requests with one reply have in common."""

_UNKEYED: Final = frozenset(
    {
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"dnt",
        b"host",
        b"if-modified-since",
        b"if-none-match",
        b"keep-alive",
        b"pragma",
        b"priority",
        b"referer",
        b"save-data",
        b"te",
        b"traceparent",
        b"tracestate",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-proto",
        b"x-request-id",
    }
)
_UNKEYED_PREFIXES: Final = (b"sec-ch-", b"sec-fetch-")
# What a trusted proxy says of its client's address is for logs; of a host, links are made (RFC 7239 section 5.3).
_HOST: Final = re.compile(rb"[;,\s]host\s*=", re.IGNORECASE)


def key_of(request: Request) -> Key:
    """The key of a request for a reply."""
    fields = request.fields
    others = [(name, value) for name, value in fields.values.items() if not _is_unkeyed(name)]
    if (forwarded := fields.values.get(b"forwarded")) is not None and _HOST.search(b";" + forwarded):
        others.append((b"forwarded", forwarded))
    return (request.scheme, fields.host.lower(), request.target, *sorted(others))


def size_of(key: Key) -> int:
    """How many bytes the texts of a key take."""
    return sum([len(part) if isinstance(part, bytes | str) else sum(map(len, part)) for part in key])


def has_credentials(request: Request) -> bool:
    """Whether the request may say who its client is."""
    return request.claims is not None or any(map(_is_credential, request.fields.values))


def selecting(head: StoredHead, request: Request) -> Mapping[bytes, bytes | None]:
    """The fields of the request that the reply depends on, with their values (RFC 9111 section 4.1)."""
    return {name: request.fields.values.get(name) for name in head.vary}


def is_selected(wanted: Mapping[bytes, bytes | None], request: Request) -> bool:
    """Whether a reply that depends on these fields is one to this request."""
    values = request.fields.values
    return all(values.get(name) == value for name, value in wanted.items())


@lru_cache(maxsize=1024)
def _is_credential(name: bytes) -> bool:
    return name in {b"authorization", b"cookie"} or is_secret(name.decode("latin-1"))


@lru_cache(maxsize=1024)
def _is_unkeyed(name: bytes) -> bool:
    return name in _UNKEYED or name == b"forwarded" or name.startswith(_UNKEYED_PREFIXES) or _is_credential(name)
