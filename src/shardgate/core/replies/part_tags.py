"""One ETag of the tags of an entity's parts, and whether parts still have the tags that one was made of.

A client that changes what it has read sends this tag in `If-Match`. The application knows the tags of its parts alone.

Holds: another target, representation or rule has another tag. It is strong where all of them are.
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

from shardgate.core.topology import ShardId

_TAG: Final = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_JOINED: Final = re.compile(rb'(?:W/)?"sg-parts-[0-9a-f]{16}-([0-9a-f]{32})"')


def joined(tags: Mapping[ShardId, bytes], texts: Sequence[bytes]) -> bytes:
    """The tag of the whole. `texts`: all else that makes it what it is."""
    weak = b"W/" if any(tag.startswith(b"W/") for tag in tags.values()) else b""
    return b'%b"sg-parts-%b-%b"' % (weak, digest_of(texts, 8), _digest(tags))


def tags_in(value: bytes) -> list[bytes]:
    """The tags of a field such as `If-Match` (RFC 9110 section 8.8.3)."""
    return _TAG.findall(value)


def is_joined(tag: bytes) -> bool:
    """Whether a tag was made here."""
    return _JOINED.fullmatch(tag) is not None


def is_of(tag: bytes, tags: Mapping[ShardId, bytes | None]) -> bool:
    """Whether a tag that was made here is of parts that have these tags now."""
    match = _JOINED.fullmatch(tag)
    return match is not None and match[1] == _digest(tags)


def digest_of(texts: Sequence[bytes], size: int) -> bytes:
    """A digest of several texts, of twice so many hexadecimal digits."""
    digest = blake2b(b"".join([b"%d:%b" % (len(text), text) for text in texts]), digest_size=size)
    return digest.hexdigest().encode()


def _digest(tags: Mapping[ShardId, bytes | None]) -> bytes:
    return digest_of([text for shard in sorted(tags) for text in (shard.encode(), tags[shard] or b"")], 16)
