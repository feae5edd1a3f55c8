"""Signs what is given to a client and taken back: a cursor that holds a place for every shard.

A sealed text is base64url of: a version, the first 16 bytes of an HMAC-SHA256, a document. It is not secret, so nothing
goes in that a client may not read: no shard's name, no address.

Holds: what was not signed by one of the secrets, or is past its time, is never opened.
Never: reads the time, or makes a secret.
"""

import base64
import binascii
import hashlib
import hmac
import re

import msgspec

from shardgate.core.errors import BadCursorError

SECRET_CHARACTERS_MIN = 32
_VERSION = b"\x01"
_MAC_BYTES = 16
_TEXT = re.compile(r"[A-Za-z0-9_-]+")


class Composite(msgspec.Struct, frozen=True, array_like=True):
    """A place in a merged list."""

    expires_s: int
    """Seconds since 1970."""
    scope: bytes
    """Of which list: its path, its parameters, its order."""
    shards: bytes
    """Which shards there were, at which epoch."""
    key: bytes
    """The sort keys of the last row that was shown, as a JSON object."""
    places: tuple[str | None, ...]
    """For each shard, in the order of their names, its own cursor; None: its beginning."""


class Seal(msgspec.Struct, frozen=True):
    """The secrets: the first signs, all are accepted, so that one can follow the other."""

    secrets: tuple[bytes, ...]
    lifetime_s: int

    def close(self, composite: Composite) -> str:
        """A text for the client."""
        document = msgspec.msgpack.encode(composite)
        whole = _VERSION + _mac(self.secrets[0], document) + document
        return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()

    def open(self, text: str, at_s: float) -> Composite:
        """What was sealed. Raises BadCursorError."""
        try:
            if not _TEXT.fullmatch(text):
                raise BadCursorError("the cursor is damaged, or was not made here")
            whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error as error:
            raise BadCursorError("the cursor is damaged, or was not made here") from error
        document, mac = whole[1 + _MAC_BYTES :], whole[1 : 1 + _MAC_BYTES]
        ours = whole[:1] == _VERSION and any(hmac.compare_digest(_mac(key, document), mac) for key in self.secrets)
        if not ours:
            raise BadCursorError("the cursor is damaged, or was not made here")
        composite = msgspec.msgpack.decode(document, type=Composite)
        if at_s >= composite.expires_s:
            raise BadCursorError("the cursor is too old: begin the list anew")
        return composite


def digest(*parts: str) -> bytes:
    """A short name for texts, the same in every process."""
    return hashlib.sha256(msgspec.msgpack.encode(parts)).digest()[:12]


def _mac(secret: bytes, document: bytes) -> bytes:
    return hmac.new(secret, _VERSION + document, hashlib.sha256).digest()[:_MAC_BYTES]
