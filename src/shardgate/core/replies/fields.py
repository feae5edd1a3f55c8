"""Headers of a reply that describe a list: a count is read, a header is set.

Holds: a count that is not a plain number is a broken reply, never ignored.
"""

import re

from shardgate.core.errors import BrokenReplyError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply

_COUNT = re.compile(r"[0-9]{1,15}")


def read_count(reply: Reply, name: str | None) -> int | None:
    """The count that a reply states in a header; None where it states none. Raises BrokenReplyError."""
    value = None if name is None else reply.field(name.lower().encode())
    if value is None:
        return None
    if not _COUNT.fullmatch(text := value.decode("latin-1")):
        raise BrokenReplyError(
            f"a shard's {name} is not a number",
            where=f"header {name}",
            log=f"found `{excerpt(value)}`, expected a number of at most 15 digits",
        )
    return int(text)


def with_field(reply: Reply, name: str, value: bytes | None) -> None:
    """Set a header: in its place if the reply has it, else at the end; None removes it."""
    lower = name.lower().encode()
    fields = [(field, value if field.lower() == lower else own) for field, own in reply.fields]
    if all(field.lower() != lower for field, _ in fields):
        fields.append((name.encode(), value))
    reply.fields = [(field, own) for field, own in fields if own is not None]
