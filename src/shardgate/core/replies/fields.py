"""Reply fields that say something of a list: a count read, a field written.

Holds: a count that is no plain number is a broken reply, never ignored.
"""

import re

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply

_COUNT = re.compile(r"[0-9]{1,15}")


def read_count(reply: Reply, name: str | None) -> int | None:
    """The count that a reply states in a field; None where it states none. Raises BrokenReplyError."""
    value = None if name is None else reply.field(name.lower().encode())
    if value is None:
        return None
    if not _COUNT.fullmatch(text := value.decode("latin-1")):
        raise BrokenReplyError(f"a shard's {name} is not a number")
    return int(text)


def with_field(reply: Reply, name: str, value: bytes | None) -> None:
    """Give a field one value where it stands, or at the end where it does not; None takes it away."""
    lower = name.lower().encode()
    fields = [(field, value if field.lower() == lower else said) for field, said in reply.fields]
    if all(field.lower() != lower for field, _ in fields):
        fields.append((name.encode(), value))
    reply.fields = [(field, said) for field, said in fields if said is not None]
