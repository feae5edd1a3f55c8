"""A page of a list as each dialect writes it: made of a shard's reply and the merged rows."""

from shardgate.core.contracts import Dialect, Merged, Page
from shardgate.core.http import Reply
from tests.core.requests import request

ROWS = b'[{"id":"c"},{"id":"d"}]'


def written(
    dialect: Dialect,
    reply: Reply,
    *,
    target: str = "/rows?limit=2",
    rows: bytes = ROWS,
    shown: int = 2,
    total: int | None = 9,
) -> Reply:
    """The merged reply of a page of two rows, the third and the fourth of nine."""
    asked = request(f"GET {target}")
    listing = dialect.open(reply)
    extras = (listing.extra,) if listing.extra else ()
    page = Page(2, 2, (), None)
    return dialect.close(Merged(asked, page, rows, shown, total, total is None or total > 4, reply, extras))


def header(reply: Reply, name: str) -> str | None:
    """A header of a reply, as text."""
    value = reply.field(name.lower().encode())
    return None if value is None else value.decode()
