"""Signs the cursors that a client is given and sends back. Each holds the cursors of all shards.

A sealed cursor is the base64url of a version, the first 16 bytes of an HMAC-SHA256, and a document. It is signed, not
encrypted, so it holds nothing that a client may not read: no shard's name, no address (decision 63).

The signature of a client's cursor is over the client's identity too, which the cursor does not contain: version 2. A
cursor for nobody in particular is of version 1.

Holds: a cursor that was not signed by one of the secrets, was given to another client, or has expired, is never opened.
Never: reads the time, or makes a secret.
"""

import base64
import binascii
import hashlib
import hmac
import re

import msgspec

from shardgate.core.clients.identity import ANONYMOUS
from shardgate.core.errors import BadCursorError
from shardgate.core.excerpt import excerpt

SECRET_CHARACTERS_MIN = 32
_FOR_ANYBODY = b"\x01"
_FOR_ONE_CLIENT = b"\x02"
_MAC_BYTES = 16
_DIGEST_BYTES = 12
_TEXT = re.compile(r"[A-Za-z0-9_-]+")


class MergedCursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page of a merged list begins, or ends."""

    expires_s: int
    """Seconds since 1970."""
    scope: bytes
    """A digest of the list: its path, its parameters, its order."""
    shards: bytes
    """A digest of the shards' names and the epoch. Behind it, one of the alias of each shard that the page lacked."""
    key: bytes
    """The sort keys of the row that the page begins behind, or ends before, as a JSON object; empty: it is the first
    page of the list or, with `before`, the last one."""
    places: tuple[str | None, ...]
    """Each shard's own cursor, in the order of the shards' names; None: the shard's beginning."""
    before: bool = False
    """The page ends before the row of `key`; false: it begins behind it."""

    @property
    def lacked(self) -> frozenset[bytes]:
        """A digest of the alias of each shard that the page lacked from which this one is reached."""
        rest = self.shards[_DIGEST_BYTES:]
        return frozenset([rest[at : at + _DIGEST_BYTES] for at in range(0, len(rest), _DIGEST_BYTES)])


class Seal(msgspec.Struct, frozen=True):
    """The secrets. The first one signs, all are accepted: secrets can be replaced while cursors are in use."""

    secrets: tuple[bytes, ...]
    lifetime_s: int
    client: tuple[str, ...] = ()
    """The header fields and claims that identify the client; empty: cursors are for anybody."""

    def close(self, cursor: MergedCursor, client: bytes = ANONYMOUS) -> str:
        """The signed text for the client of this identity."""
        document = msgspec.msgpack.encode(cursor)
        version = _version(client)
        whole = version + _mac(self.secrets[0], version + client + document) + document
        return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()

    def open(self, text: str, at_s: float, client: bytes = ANONYMOUS) -> MergedCursor:
        """The cursor in a text that the client of this identity sent, at this time. Raises BadCursorError."""
        document = self._document(text, client)
        if document is None:
            raise BadCursorError(
                f"the cursor `{excerpt(text)}` is damaged, or was not made by this gateway for this client; "
                "request the list without a cursor to begin anew"
            )
        cursor = msgspec.msgpack.decode(document, type=MergedCursor)
        if at_s >= cursor.expires_s:
            detail = f"the cursor `{excerpt(text)}` has expired; request the list without a cursor to begin anew"
            raise BadCursorError(detail, log=f"expired {int(at_s) - cursor.expires_s} s ago")
        return cursor

    def signed(self, text: str, client: bytes = ANONYMOUS) -> bool:
        """Whether the text was signed by one of the secrets for the client of this identity, at any time."""
        return self._document(text, client) is not None

    def _document(self, text: str, client: bytes) -> bytes | None:
        """What was signed; None where nothing was, or not for this client."""
        if not _TEXT.fullmatch(text):
            return None
        try:
            whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            return None
        document, mac = whole[1 + _MAC_BYTES :], whole[1 : 1 + _MAC_BYTES]
        version = _version(client)
        signed = version + client + document
        if whole[:1] != version or not any(hmac.compare_digest(_mac(key, signed), mac) for key in self.secrets):
            return None
        return document


def digest(*texts: str) -> bytes:
    """A digest of some texts, the same in every process."""
    return hashlib.sha256(msgspec.msgpack.encode(texts)).digest()[:_DIGEST_BYTES]


def _version(client: bytes) -> bytes:
    return _FOR_ANYBODY if client == ANONYMOUS else _FOR_ONE_CLIENT


def _mac(secret: bytes, signed: bytes) -> bytes:
    return hmac.new(secret, signed, hashlib.sha256).digest()[:_MAC_BYTES]
