"""Heads of replies, for tests of what is kept."""

from shardgate.core.http import Reply, Request
from shardgate.core.replies.cache.head import StoredHead
from shardgate.core.replies.cache.stored_reply import StoredReply, stored_reply
from tests.core.requests import request

ANY = request("GET /a")


def fields(*lines: str) -> list[tuple[bytes, bytes]]:
    """`fields("Age: 7")`."""
    return [(name.encode(), value.strip().encode()) for name, _, value in (line.partition(":") for line in lines)]


def head(*lines: str, status: int = 200) -> StoredHead:
    return StoredHead(status, fields(*lines))


def entry(*lines: str, asked: Request = ANY, body: bytes = b"", at: float = 0.0, wall: float = 0.0) -> StoredReply:
    """The entry of a reply that came at this instant."""
    return stored_reply(asked, Reply(200, fields(*lines), body), 0.0, at, wall)
