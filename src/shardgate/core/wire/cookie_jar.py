"""Cookies that each shard sets for itself, behind one cookie of the same name that the client has.

A shard's `sid=a` leaves as `sid=sg1.…`, which holds the value of each shard that has set one. On the way in each shard
is sent its own. A header that repeats such a value, as double-submitted CSRF tokens do, is changed back too.

Holds: a shard is never sent another's cookie. A value that does not come from here passes as it came: a client may have
had the cookie before. A packed value has a bound (RFC 6265 section 6.1: browsers keep 4096 bytes of a cookie). Where
there is a secret, a value that it did not sign is dropped.
Never: holds a shard's name; a digest stands for it.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Final

import msgspec

from shardgate.core.errors import ReplyTooLargeError
from shardgate.core.http import Field, ReplyHead
from shardgate.core.limits import JAR_BYTES_MAX

Values = Mapping[bytes, bytes]
"""The value that each shard has given to one cookie, by the shard's mark."""

COOKIE_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""The name of a cookie (RFC 6265 section 4.1.1)."""
_PACKED = re.compile(rb"sg1\.([A-Za-z0-9_-]+)")
_COOKIES = re.compile(rb"^(cookie:[ \t]*)([^\r\n]*)\r\n", re.IGNORECASE | re.MULTILINE)
_REPEATED = re.compile(rb"^[^\r\n:]+:[ \t]*(sg1\.[A-Za-z0-9_-]+)\r\n", re.MULTILINE)
_VALUE = re.compile(rb'[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*|"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"')
_ENDS = re.compile(rb";[ \t]*(?:max-age|expires)[ \t]*=[^;]*", re.IGNORECASE)
_MAX_AGE = re.compile(rb";[ \t]*max-age[ \t]*=[ \t]*(-?[0-9]+)", re.IGNORECASE)
_EXPIRES = re.compile(rb";[ \t]*expires[ \t]*=([^;]*)", re.IGNORECASE)
_DECODER = msgspec.msgpack.Decoder(dict[bytes, bytes])
_MAC_BYTES: Final = 16
# A date before this is one that takes a cookie back; applications write 1970, or a time that is just over.
_LONG_AGO_S: Final = 1_000_000_000


class CookieJar:
    """The cookies of all shards of a configuration."""

    __slots__ = ("_marks", "_names", "_secrets")

    def __init__(self, names: Iterable[str], shards: Iterable[str], secrets: Sequence[bytes] = ()) -> None:
        """`names`: the cookies. `secrets`: the first one signs, all are accepted."""
        self._names = frozenset(name.encode() for name in names)
        self._marks = {shard: sha256(shard.encode()).digest()[:6] for shard in shards}
        self._secrets = tuple(secrets)

    def unpacked(self, shard: str, head: bytes) -> tuple[bytes, Mapping[bytes, Values]]:
        """The head of a request with the shard's own cookies; and what the client's cookies hold, by name."""
        held: dict[bytes, Values] = {}

        def own(line: re.Match[bytes]) -> bytes:
            kept = [*self._own_pairs(shard, line[2], held)]
            return b"%b%b\r\n" % (line[1], b"; ".join(kept)) if kept else b""

        def repeated(line: re.Match[bytes]) -> bytes:
            values = self._opened(line[1], self._names)
            value = None if values is None else values.get(self._marks[shard])
            if values is None:
                return line[0]
            return b"" if value is None else line[0].replace(line[1], value)

        if b"sg1." not in head:
            return head, held
        return _REPEATED.sub(repeated, _COOKIES.sub(own, head)), held

    def packed(self, shard: str, head: ReplyHead, held: Mapping[bytes, Values]) -> ReplyHead:
        """The head of a shard's reply with its cookies in those of all. Raises ReplyTooLargeError."""
        if not any(name == b"set-cookie" for name, _, _ in head.fields):
            return head
        fields = [self._packed_field(shard, field, held) for field in head.fields]
        return head.with_fields(fields)

    def merged(self, cookies: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """The cookies that a merged reply sets, out of those of its shards as `packed` left them.

        Those of the jar hold the values of all; of others, the first shard's are set. Raises ReplyTooLargeError.
        """
        texts: dict[bytes, bytes] = {}
        values: dict[bytes, dict[bytes, bytes]] = {}
        first = next((shard for shard, cookie in cookies if _name(cookie) not in self._names), None)
        others = [cookie for shard, cookie in cookies if shard == first and _name(cookie) not in self._names]
        for shard, cookie in cookies:
            name, value, rest = _parts(cookie)
            if name in self._names:
                opened, mark = self._opened(value, [name]) or {}, self._marks[shard]
                known = values.setdefault(name, {**opened})
                known.pop(mark, None)
                known |= {mark: opened[mark]} if mark in opened else {}
                texts[name] = rest if name not in texts or _is_taken_back(b"x", texts[name]) else texts[name]
        return others + [self._written(name, values[name], rest) for name, rest in texts.items()]

    def _own_pairs(self, shard: str, text: bytes, held: dict[bytes, Values]) -> Iterator[bytes]:
        for pair in text.split(b";"):
            name, equals, value = pair.strip(b" \t").partition(b"=")
            values = self._opened(value, [name]) if name in self._names else None
            if values is None:
                if not (name in self._names and value.startswith(b"sg1.")):
                    yield name + equals + value
                continue
            held[name] = values
            if (mine := values.get(self._marks[shard])) is not None:
                yield name + b"=" + mine

    def _packed_field(self, shard: str, field: Field, held: Mapping[bytes, Values]) -> Field:
        lower, cookie, line = field
        name, value, rest = _parts(cookie)
        if lower != b"set-cookie" or name not in self._names or not _VALUE.fullmatch(value):
            return field
        values = {**held.get(name, {})}
        if _is_taken_back(value, rest):
            values.pop(self._marks[shard], None)
        else:
            values[self._marks[shard]] = value
        written = self._written(name, values, rest)
        return lower, written, b"%b: %b\r\n" % (line[: len(lower)], written)

    def _written(self, name: bytes, values: Values, rest: bytes) -> bytes:
        """The cookie with all values; where the last one is taken back, so is the cookie."""
        if not values:
            return b"%b=%b" % (name, rest)
        document = msgspec.msgpack.encode(dict(sorted(values.items())))
        signed = (_mac(self._secrets[0], name + document) if self._secrets else b"") + document
        packed = base64.urlsafe_b64encode(signed).rstrip(b"=")
        if len(packed) > JAR_BYTES_MAX:
            problem = f"the cookies of all shards are together larger than {JAR_BYTES_MAX} bytes"
            raise ReplyTooLargeError(problem, where="header Set-Cookie", log=f"{len(packed)} bytes")
        # Where one shard takes its own back, the others' stay.
        return b"%b=sg1.%b%b" % (name, packed, _ENDS.sub(b"", rest) if _is_taken_back(b"x", rest) else rest)

    def _opened(self, value: bytes, names: Iterable[bytes]) -> Values | None:
        """The values that one of these cookies holds; None where it does not come from here."""
        match = _PACKED.fullmatch(value)
        if match is None or len(match[1]) > JAR_BYTES_MAX:
            return None
        try:
            whole = base64.urlsafe_b64decode(match[1] + b"=" * (-len(match[1]) % 4))
            document = whole[_MAC_BYTES:] if self._secrets else whole
            if self._secrets and not self._is_signed(whole[:_MAC_BYTES], document, names):
                return None
            values = _DECODER.decode(document)
        except (binascii.Error, msgspec.DecodeError):
            return None
        return {mark: each for mark, each in values.items() if _VALUE.fullmatch(each)}

    def _is_signed(self, mac: bytes, document: bytes, names: Iterable[bytes]) -> bool:
        tried = [_mac(secret, name + document) for name in names for secret in self._secrets]
        return any(hmac.compare_digest(each, mac) for each in tried)


def _parts(cookie: bytes) -> tuple[bytes, bytes, bytes]:
    """Name, value, and the attributes from their first `;` on."""
    pair, semicolon, rest = cookie.partition(b";")
    name, _, value = pair.partition(b"=")
    return name.strip(b" \t"), value.strip(b" \t"), semicolon + rest


def _name(cookie: bytes) -> bytes:
    return _parts(cookie)[0]


def _is_taken_back(value: bytes, rest: bytes) -> bool:
    """Whether a Set-Cookie removes the cookie (RFC 6265 section 3.1): Max-Age counts before Expires."""
    if (age := _MAX_AGE.search(rest)) is not None:
        return int(age[1]) <= 0
    if (expires := _EXPIRES.search(rest)) is not None:
        try:
            return parsedate_to_datetime(expires[1].decode("ascii").strip()).timestamp() < _LONG_AGO_S
        except (ValueError, OverflowError):
            return not value
    return not value


def _mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.new(secret, signed, sha256).digest()[:_MAC_BYTES]
