"""Identifiers and codes of new things.

Holds: an id is 32 hex digits and says nothing of where it was made.
"""

import secrets
import uuid

# Crockford's base 32: no letter that reads like a digit.
CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> str:
    return uuid.uuid4().hex


def order_code(number: int) -> str:
    """A booking code that people can read out, made of 50 bits of `number`: BK-7F3K9-Q2MXD."""
    letters = "".join(CODE_LETTERS[number >> shift & 31] for shift in range(45, -5, -5))
    return f"BK-{letters[:5]}-{letters[5:]}"


def new_ticket_code(order: str) -> str:
    """The code of one ticket of an order; it depends on no other ticket."""
    return f"{order}-{''.join(secrets.choice(CODE_LETTERS) for _ in range(6))}"


def new_order_code() -> str:
    return order_code(secrets.randbits(50))
