"""Clients of the API, their secrets and the scopes that their kind allows.

Never: issues a token (tokens.py does).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy import Connection, select

from bookings import tables as t

Kind: TypeAlias = Literal["marketplace", "vendor"]

SCOPES: Mapping[str, str] = {
    "calendar_read": "Read dates and check availability.",
    "calendar_write": "Create and change dates.",
    "orders_read_all": "Read the orders of all vendors.",
    "orders_write_all": "Create and change orders of all vendors.",
    "orders_read_owned": "Read the orders of one's own vendor.",
    "orders_write_owned": "Create and change orders of one's own vendor.",
    "inventory_write": "Create and change vendors, events and what else belongs to a vendor.",
}

SCOPES_OF: Mapping[Kind, tuple[str, ...]] = {
    "marketplace": (
        "calendar_read", "calendar_write", "orders_read_all", "orders_write_all",
        "inventory_write",
    ),
    "vendor": (
        "calendar_read", "calendar_write", "orders_read_owned", "orders_write_owned",
        "inventory_write",
    ),
}  # fmt: skip

_COST = 1 << 13


@dataclass(frozen=True, slots=True)
class Client:
    """Who is calling. A client with a vendor lives in a world where no other vendor exists."""

    id: str
    vendor_id: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Registration:
    """A client as the database knows it."""

    id: str
    kind: Kind
    vendor_id: str | None


def hash_secret(secret: str, salt: bytes) -> str:
    digest = hashlib.scrypt(secret.encode(), salt=salt, n=_COST, r=8, p=1, dklen=32)
    return f"{salt.hex()}${digest.hex()}"


def find_client(connection: Connection, client_id: str) -> Registration | None:
    row = connection.execute(select(t.clients).where(t.clients.c.id == client_id)).one_or_none()
    return Registration(row.id, row.kind, row.vendor_id) if row else None


def authenticate(connection: Connection, client_id: str, secret: str) -> Registration | None:
    """The client, if the secret is its own."""
    if "\0" in client_id:  # PostgreSQL cannot even compare with it
        return None
    statement = select(t.clients.c.secret_hash).where(t.clients.c.id == client_id)
    stored = connection.scalar(statement)
    # A client that does not exist costs as much as a wrong secret: the time tells nothing.
    salt = bytes.fromhex(stored.split("$")[0]) if stored else b"nobody"
    given = hash_secret(secret, salt)
    if stored is None or not hmac.compare_digest(stored, given):
        return None
    return find_client(connection, client_id)
