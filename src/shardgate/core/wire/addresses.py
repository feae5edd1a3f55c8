"""Addresses of shards in the heads of their replies: a client gets its own origin instead.

An application that makes its links from the `Host` it was given never writes a shard's address. One that writes its own
address (behind a proxy it would lead clients past the gateway) is mended as other reverse proxies mend it: an absolute
URL in `Location`, `Content-Location`, `Link`, `Refresh` or `Access-Control-Allow-Origin` gets the client's origin, an
`Alt-Svc` that leads to a shard is left out, a `Set-Cookie` loses a `Domain` that is a shard's host, and a reason phrase
that holds an address is replaced by the registered one. Where a shard has a base path, it is taken away, too.

Holds: the origin is the one that the shard was told: `Host` and `X-Forwarded-Proto` of the request that it answers. A
field that names no shard stays byte for byte, and so does one that names what the client itself called.
Never: reads a body.
Hot path: a head is searched once, when it is parsed, and only where it has one of these fields.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from shardgate.core.hosts import host_of
from shardgate.core.http import Field, ReplyHead
from shardgate.core.wire.base_path import BasePath
from shardgate.core.wire.forwarding import status_line

_URLS = frozenset({b"location", b"content-location", b"link", b"refresh", b"access-control-allow-origin"})
ADDRESSED = _URLS | {b"alt-svc", b"set-cookie"}
"""The names of fields that may hold an address."""

# An absolute URL, or a network-path reference (RFC 3986 section 4.2), up to the end of its authority.
_URL = re.compile(rb"(?:https?:|(?<![^\s<\"'=;,]))//([^\s/?#<>\"',;\\]+)", re.IGNORECASE)
_ALTERNATIVE = re.compile(rb'"([^"]*)"')  # RFC 7838 section 3
_DOMAIN = re.compile(rb";[ \t]*domain[ \t]*=[ \t]*\.?([^;]*)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nHost: ([^\r]*)\r\n")
_SCHEME = re.compile(rb"\r\nX-Forwarded-Proto: ([^\r]*)\r\n")
_DEFAULT_PORTS = frozenset({80, 443})


class ClientOrigin(msgspec.Struct, frozen=True):
    """Where the client sent its request; all empty where it did not say."""

    url: bytes
    """`http://api.example.com`."""
    authority: bytes
    """`api.example.com`, in lower case, with the port where the client named one."""

    @property
    def host(self) -> str:
        """Without the port."""
        return host_of(self.authority.decode("latin-1"))


_NOWHERE = ClientOrigin(b"", b"")


def origin_of(head: bytes) -> ClientOrigin:
    """The client's origin, from the head of a request to a shard."""
    host, scheme = _HOST.search(head), _SCHEME.search(head)
    if host is None or not host[1]:
        return _NOWHERE
    return ClientOrigin(b"%b://%b" % (b"http" if scheme is None else scheme[1], host[1]), host[1].lower())


class ShardAddresses:
    """The addresses of all shards of a configuration."""

    __slots__ = ("_authorities", "_hosts", "_with_port", "base", "changes")

    def __init__(self, addresses: Iterable[tuple[str, int]] = (), base: BasePath | None = None) -> None:
        """`addresses`: host and port of each shard; `base`: the base path of the shard that replies."""
        self.base = base
        """The base path of the shard that replies."""
        self.changes = 0
        """How often the addresses were set: what was found with others is not true any more."""
        self.use(addresses)

    def use(self, addresses: Iterable[tuple[str, int]]) -> None:
        """These are the addresses from now on."""
        self.changes += 1
        with_port: set[bytes] = set()
        bare: set[bytes] = set()
        for name, port in addresses:
            host = (f"[{name}]" if ":" in name and not name.startswith("[") else name).lower().encode()
            with_port |= {b"%b:%d" % (host, each) for each in (_DEFAULT_PORTS if port in _DEFAULT_PORTS else {port})}
            bare |= {host} if port in _DEFAULT_PORTS else set()
        self._with_port = frozenset(with_port)
        self._authorities = frozenset(with_port | bare)
        self._hosts = frozenset(host_of(authority.decode()) for authority in self._authorities)

    def are_in(self, reason: bytes, fields: Sequence[Field]) -> bool:
        """Whether a client that is not at one of these addresses would read one."""
        if self._in_reason(reason) or any(self._mended(field, _NOWHERE) is not field for field in fields):
            return True
        base = self.base
        return base is not None and any(name in ADDRESSED and base.path in value for name, value, _ in fields)

    def replaced(self, head: ReplyHead, origin: ClientOrigin) -> ReplyHead:
        """The head with the client's own origin in their place."""
        fields = [mended for field in head.fields if (mended := self._mended(field, origin)) is not None]
        reason = status_line(head.status)[13:-2] if self._in_reason(head.reason) else head.reason
        return head.with_fields(fields, reason)

    def _in_reason(self, reason: bytes) -> bool:
        lower = reason.lower()
        return b":" in lower and any(address in lower for address in self._with_port)

    def _mended(self, field: Field, origin: ClientOrigin) -> Field | None:
        """The field as the client gets it, the same object where nothing changes; None: it does not get it."""
        name, value, line = field
        if name not in ADDRESSED:
            return field
        if name == b"alt-svc":
            return None if any(self._is_shard(found, origin) for found in _ALTERNATIVE.findall(value)) else field
        new = self._cookie(value, origin) if name == b"set-cookie" else self._urls(value, origin)
        return field if new == value else (name, new, b"%b: %b\r\n" % (line[: len(name)], new))

    def _is_shard(self, authority: bytes, origin: ClientOrigin) -> bool:
        lower = authority.rpartition(b"@")[2].lower()
        return lower in self._authorities and lower != origin.authority

    def _urls(self, value: bytes, origin: ClientOrigin) -> bytes:
        if self.base is not None:
            value = self.base.without(value, lambda authority: self._is_here(authority, origin))
        return _URL.sub(lambda url: origin.url if self._is_shard(url[1], origin) else url[0], value)

    def _is_here(self, authority: bytes, origin: ClientOrigin) -> bool:
        lower = authority.rpartition(b"@")[2].lower()
        if lower in self._authorities or lower == origin.authority:
            return True
        # Some applications write the port that the scheme has by itself: `http://api.test:80/app/x`.
        port = b":443" if origin.url.startswith(b"https:") else b":80"
        return lower.removesuffix(port) == origin.authority.removesuffix(port)

    def _cookie(self, value: bytes, origin: ClientOrigin) -> bytes:
        if self.base is not None:
            value = self.base.cookie(value)
        return _DOMAIN.sub(lambda domain: b"" if self._is_host(domain[1], origin.host) else domain[0], value)

    def _is_host(self, domain: bytes, client: str) -> bool:
        """Whether a cookie's domain is a shard's host. One that the client's host is in is valid, and stays."""
        host = domain.decode("latin-1").strip().lower()
        return host in self._hosts and host != client and not client.endswith(f".{host}")


NO_ADDRESSES = ShardAddresses()
