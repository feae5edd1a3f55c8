"""How the directory writes the names of tenants whose key is binary: BINARY(16) of MySQL, BLOB, bytea.

Holds: all tenants are named in one way. Two keys never have one name.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

_UUID_BYTES = 16


def binary_key(key: object, *, printed: bool, equality: str) -> bytes | None:
    """The bytes of a binary key; None: the key is no binary one.

    `printed`: bytes are the text that PostgreSQL prints, which is `\\x00ff` for a key of the type `bytea`.
    """
    if not isinstance(key, bytes):
        return None
    if not printed:
        return key
    return bytes.fromhex(key[2:].decode()) if equality == "bytea" else None


def naming_of(keys: Iterable[bytes]) -> tuple[str, Callable[[bytes], str]]:
    """How the keys of all tenants are written, in a word for the plan, and the function that does it."""
    known = list(keys)
    if all(map(_is_text, known)):
        return "text", lambda key: key.decode()
    if all(len(key) == _UUID_BYTES for key in known):
        return "UUID", lambda key: str(UUID(bytes=key))
    return "hexadecimal digits", bytes.hex


def _is_text(key: bytes) -> bool:
    try:
        return key.decode().isprintable()
    except UnicodeDecodeError:
        return False
