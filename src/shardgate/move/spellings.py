"""How the name of a tenant in the directory may stand in the database: as bytes, or as a UUID in another spelling.

`shardgate split` writes a binary key as text, as a UUID or in hexadecimal digits (split/decide/naming.py), and whoever
fills a directory by hand may leave the hyphens of UUIDs out.

Never: reads a database.
"""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from msgspec import Struct

_UUID: Final = re.compile(r"(?:[0-9A-Fa-f]{4}-?){7}[0-9A-Fa-f]{4}")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_UUID_BYTES: Final = 16


class DatabaseKey(Struct, frozen=True):
    """The key of a tenant as its database has it."""

    literal: str
    """As SQL."""
    is_exact: bool
    """It is a text, and the name that was asked for, character by character."""


def texts_of(value: object) -> list[str]:
    """The texts that may stand for a key, the likeliest first."""
    if isinstance(value, bytes | bytearray | memoryview):
        return _texts_of_bytes(bytes(value))
    text = str(value)
    return [text, *_uuid_texts(text)] if _UUID.fullmatch(text) else [text]


def bytes_of(name: str) -> list[bytes]:
    """The bytes that a text may stand for."""
    digits = name.replace("-", "") if _UUID.fullmatch(name) else name
    return [name.encode(), *([bytes.fromhex(digits)] if _HEX.fullmatch(digits) else [])]


def spellings_of(text: str) -> list[str]:
    """How requests may write a key that `ShardDatabase.values` gives: bytes stand there as `\\x00ff`."""
    key = bytes_in(text)
    return texts_of(text) if key is None else [text, *_texts_of_bytes(key)]


def bytes_in(text: str) -> bytes | None:
    """The bytes that `ShardDatabase.values` gives as a text; None: the value is no bytes."""
    digits = text.removeprefix("\\x")
    return bytes.fromhex(digits) if digits != text and _HEX.fullmatch(digits) else None


def _texts_of_bytes(key: bytes) -> list[str]:
    found = [key.hex()]
    if len(key) == _UUID_BYTES:
        found = _uuid_texts(key.hex())
    try:
        text = key.decode()
    except UnicodeDecodeError:
        text = ""
    return [*([text] if text.isprintable() and text else []), *found, key.hex().upper()]


def _uuid_texts(text: str) -> list[str]:
    whole = str(UUID(text))
    bare = whole.replace("-", "")
    return [whole, bare, whole.upper(), bare.upper()]


class TenantNames:
    """The names of the directory, found by the keys of a database."""

    __slots__ = ("_known", "_spelled")

    def __init__(self, known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._spelled = {text: name for name in self._known for text in texts_of(name)}

    def of(self, key: object) -> str:
        """The name that the directory has for a key; the key as text where it has none."""
        texts = texts_of(key)
        exact = next((text for text in texts if text in self._known), None)
        return exact or next((self._spelled[text] for text in texts if text in self._spelled), texts[0])
