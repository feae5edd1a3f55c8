"""Conditions of a change that concerns several shards: `If-Match`, `If-None-Match`, `If-Unmodified-Since`.

The first shard that is asked judges for all, so it is sent the client's conditions, and no other is. Where the thing is
in parts, the client's tag is one that the gateway made of all parts' (part_tags.py): the gateway compares it with what
the parts have now, and sends each shard its own.

Holds: a change is never made under a condition that nobody has looked at (RFC 9110 section 13.1.1).
Never: judges what an application can judge.
"""

from collections.abc import Mapping
from typing import Final

from shardgate.core.errors import PreconditionFailedError
from shardgate.core.http import Reply, RequestFields
from shardgate.core.replies.http_date import http_time
from shardgate.core.replies.part_tags import is_joined, is_of, tags_in
from shardgate.core.topology import ShardId

OF_CHANGES: Final = frozenset({b"if-match", b"if-none-match", b"if-unmodified-since"})
"""RFC 9110 section 13.1: the others are of reads."""


def conditions_in(lines: bytes) -> bytes:
    """Those of the header lines that state conditions of a change."""
    return b"".join([line for line in lines.splitlines(keepends=True) if _name(line) in OF_CHANGES])


def conditions_of_parts(fields: RequestFields, parts: Mapping[ShardId, Reply]) -> dict[ShardId, bytes]:
    """The conditions that each shard of an entity in parts is sent, in header lines. `parts`: what each shows now.

    Raises PreconditionFailedError where a part is another one than the client knows.
    """
    now = {shard: reply.field(b"etag") for shard, reply in parts.items()}
    conditions = dict.fromkeys(parts, b"")
    for name in sorted(OF_CHANGES & fields.values.keys()):
        value = fields.values[name]
        joined = [tag for tag in tags_in(value) if is_joined(tag)]
        same = any(is_of(tag, now) for tag in joined)
        if name == b"if-match" and joined and not same:
            raise _failed("If-Match", "names another state of the entity: a part was changed since it was read")
        if name == b"if-unmodified-since" and _modified_since(value, parts):
            raise _failed("If-Unmodified-Since", "is earlier than the last change of a part")
        for shard, tag in now.items():
            if same and tag is not None:
                conditions[shard] += b"%b: %b\r\n" % (name.title(), tag)
            elif not joined:
                conditions[shard] += b"%b: %b\r\n" % (name.title(), value)
    return conditions


def _modified_since(value: bytes, parts: Mapping[ShardId, Reply]) -> bool:
    since = http_time(value)
    times = [http_time(reply.field(b"last-modified")) for reply in parts.values()]
    return since is not None and any(time is not None and time > since for time in times)


def _failed(header: str, why: str) -> PreconditionFailedError:
    return PreconditionFailedError(f"`{header}` {why}", about={"header": header})


def _name(line: bytes) -> bytes:
    return line.partition(b":")[0].strip().lower()
