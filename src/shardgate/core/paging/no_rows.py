"""How an application writes a list without rows, where it does not write `[]` or `null`.

A shard's reply is read as if `[]` stood there; a merged reply without rows is written as the application writes it.
"""

from typing import Final, Literal

from shardgate.core.http import Reply
from shardgate.core.json.object import JsonObject

NoRows = Literal["list", "absent", "object", "text", "false", "no_body"]

_WRITTEN: Final = {"object": b"{}", "text": b'""', "false": b"false"}


def is_bodiless(reply: Reply, no_rows: NoRows, items: str | None) -> bool:
    """Whether nothing of a list is there: no body at all, or not the object that the list would stand in.

    Raises BrokenReplyError.
    """
    if no_rows == "no_body":
        return not reply.body.strip()
    if no_rows != "absent" or items is None or "." not in items:
        return False
    document = JsonObject(reply.body)
    return document.raw(items) is None and document.level(items.rpartition(".")[0]) is None


def with_list(reply: Reply, no_rows: NoRows, items: str | None) -> Reply:
    """The reply with `[]` where the application writes that there are no rows. Raises BrokenReplyError."""
    written = _WRITTEN.get(no_rows)
    if items is None:
        return Reply(reply.status, reply.fields, b"[]") if written and reply.body.strip() == written else reply
    if written is None and no_rows != "absent":
        return reply
    document = JsonObject(reply.body)
    if document.raw(items) != written:
        return reply
    return Reply(reply.status, reply.fields, document.put(items, []))


def without_list(reply: Reply, no_rows: NoRows, items: str | None) -> Reply:
    """A merged reply without rows, as the application writes it. Raises BrokenReplyError."""
    body, written = reply.body, _WRITTEN.get(no_rows)
    if no_rows == "no_body":
        body = b""
    elif items is None:
        body = written or body
    elif written is not None:
        body = JsonObject(body).edited({items: written})
    elif no_rows == "absent":
        body = JsonObject(body).without(items)
    return Reply(reply.status, reply.fields, body)
