"""Content codings (RFC 9110 section 8.4): shards' packed replies are unpacked for merging, replies of ours are packed.

Holds: an unpacked body has a bound, however small its packed form; memory is spent step by step, up to the bound.
A packed reply says so, and is another representation than the plain one (its ETag is weak, see packed_tags.py). It has
no digest of the plain bytes.
Never: packs a reply that is packed, partial, or marked `no-transform`.
"""

import re
import zlib
from collections.abc import Generator
from functools import lru_cache
from typing import Annotated

import msgspec

from shardgate.core.errors import BrokenReplyError, ReplyTooLargeError
from shardgate.core.excerpt import excerpt
from shardgate.core.http import Reply, ReplyHead, RequestFields
from shardgate.core.limits import UNPACK_FREE_BYTES, UNPACK_RATIO_MAX, UNPACK_STEP_BYTES
from shardgate.core.wire.fields import as_fields
from shardgate.core.wire.packed_tags import as_known, packed_tag

_GZIP = 31  # zlib's window bits: 32 KiB, with gzip's header and trailer
_EITHER = 47  # gzip's or zlib's header, whichever comes
# They describe the plain bytes: ranges of them, and digests (RFC 9530 section 2, RFC 3230, RFC 1864).
_OF_PLAIN_BYTES = frozenset({b"accept-ranges", b"content-digest", b"content-md5", b"digest", b"repr-digest"})
_TYPES = ("application/json", "application/*+json", "application/xml", "application/javascript", "text/*")


class Compress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which replies are packed with gzip, for clients that accept it."""

    bytes_min: Annotated[int, msgspec.Meta(ge=0)] = 1024
    """Shorter bodies are not packed."""
    level: Annotated[int, msgspec.Meta(ge=1, le=9)] = 4
    """How much CPU time packing may take: 1 is fastest, 9 packs best."""
    types: tuple[str, ...] = _TYPES
    """The media types that are packed; `*` stands for any part: `text/*`, `application/*+json`."""

    def may_pack(self, status: int, fields: list[tuple[bytes, bytes]], length: int | None) -> bool:
        """Whether the reply is packed if the client's Accept-Encoding allows it."""
        if status != 200 or (length is not None and length < self.bytes_min):
            return False
        kind = b""
        for name, value in fields:
            lowered = name.lower()
            if lowered == b"content-type":
                kind = value
            elif lowered in {b"content-encoding", b"content-range"} or (
                lowered == b"cache-control" and b"no-transform" in value.lower()
            ):
                return False
        return _is_listed(kind, self.types)

    def packer(self) -> "zlib._Compress":
        """An object that packs one body, piece by piece."""
        return zlib.compressobj(self.level, zlib.DEFLATED, _GZIP)

    def pack(self, body: bytes) -> bytes:
        """A whole body, packed."""
        return zlib.compress(body, self.level, _GZIP)


def takes_gzip(fields: RequestFields) -> bool:
    """Whether the client accepts gzip (RFC 9110 section 12.5.3)."""
    return _takes_gzip(fields.values.get(b"accept-encoding", b""))


def packed_fields(fields: list[tuple[bytes, bytes]], *, is_packed: bool) -> list[tuple[bytes, bytes]]:
    """The headers of a reply that depends on Accept-Encoding; where it is packed, with Content-Encoding and a weak
    ETag."""
    varies = [value for name, value in fields if name.lower() == b"vary"]
    kept = [field for field in fields if field[0].lower() != b"vary"]
    if not any(b"accept-encoding" in value.lower() or value.strip() == b"*" for value in varies):
        varies.append(b"Accept-Encoding")
    kept.append((b"Vary", b", ".join(varies)))
    if not is_packed:
        return kept
    kept = [(name, packed_tag(value) if name.lower() == b"etag" else value) for name, value in kept]
    kept = [field for field in kept if field[0].lower() not in _OF_PLAIN_BYTES]
    return [*kept, (b"Content-Encoding", b"gzip")]


def packed_head(head: ReplyHead, *, is_packed: bool, packed_bytes: int | None = None) -> ReplyHead:
    """The head of such a reply. `packed_bytes`: the length of a packed body; None: it is not known yet."""
    length = packed_bytes if is_packed else head.content_length
    return _with_fields(head, packed_fields(_named(head), is_packed=is_packed), length)


def known_head(head: ReplyHead, packed_tags: frozenset[bytes]) -> ReplyHead:
    """The head of a 304 for a client that has the packed reply, with the tag and the Vary of that reply."""
    fields = as_known(packed_fields(_named(head), is_packed=False), packed_tags)
    return _with_fields(head, fields, head.content_length)


def _named(head: ReplyHead) -> list[tuple[bytes, bytes]]:
    return [(line[: len(name)], value) for name, value, line in head.fields]


def _with_fields(head: ReplyHead, named: list[tuple[bytes, bytes]], length: int | None) -> ReplyHead:
    return head.with_length(length).with_fields(as_fields(named))


def unpacked(reply: Reply, bytes_max: int) -> Reply:
    """A shard's reply without its content coding. Raises BrokenReplyError, ReplyTooLargeError."""
    steps = unpacking(reply, bytes_max)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            whole: Reply = end.value
            return whole


def unpacking(reply: Reply, bytes_max: int) -> Generator[int, None, Reply]:
    """The same in steps: each yields how many bytes it has unpacked. It stops as soon as there are too many.

    Raises BrokenReplyError, ReplyTooLargeError.
    """
    coding = (reply.field(b"content-encoding") or b"identity").strip().lower()
    if coding == b"identity":
        return reply
    if coding not in {b"gzip", b"x-gzip", b"deflate"}:
        raise BrokenReplyError(
            "a shard's reply has a content coding that nobody asked for",
            where="header Content-Encoding",
            log=f"found `{excerpt(coding)}`, expected gzip, deflate or identity",
        )
    fields = [field for field in reply.fields if field[0].lower() != b"content-encoding"]
    body = yield from _inflating(reply.body, bytes_max)
    return Reply(reply.status, fields, body, reply.reason)


def _inflating(body: bytes, bytes_max: int) -> Generator[int, None, bytes]:
    pieces: list[bytes] = []
    unpacked_bytes, at, rest = 0, 0, b""
    reader = zlib.decompressobj(_EITHER)
    while at < len(body) or rest:
        if reader.eof:  # several members may follow each other (RFC 1952 section 2.2)
            reader = zlib.decompressobj(_EITHER)
        data = rest or body[at : at + UNPACK_STEP_BYTES // 4]
        if not rest:
            at += len(data)
        try:
            piece = reader.decompress(data, UNPACK_STEP_BYTES)
        except zlib.error as error:
            raise BrokenReplyError(
                "a shard's packed reply cannot be unpacked",
                where=f"byte {at - len(data)} of {len(body)} packed bytes, or behind it",
                log=f"{error}; the stream begins with `{body[:8].hex(' ')}`",
            ) from error
        rest = reader.unconsumed_tail
        at -= len(reader.unused_data)
        pieces.append(piece)
        unpacked_bytes += len(piece)
        _check_unpacked(unpacked_bytes, at - len(rest), bytes_max, len(body))
        yield len(piece)
    if body and not reader.eof:
        log = f"{len(body)} packed bytes, and the stream does not end"
        raise BrokenReplyError("a shard's packed reply breaks off", where=f"byte {len(body)}", log=log)
    return b"".join(pieces)


def _check_unpacked(size: int, read: int, bytes_max: int, packed: int) -> None:
    """Raises ReplyTooLargeError where so many bytes, unpacked from those that were read, are too many."""
    if size > bytes_max:
        log = f"{packed} bytes packed, more when unpacked"
        raise ReplyTooLargeError(f"a shard's reply is larger than {bytes_max} bytes", log=log)
    if size > UNPACK_FREE_BYTES and size > UNPACK_RATIO_MAX * read:
        log = f"{read} of {packed} packed bytes became {size}; at most {UNPACK_RATIO_MAX} times as many are unpacked"
        raise ReplyTooLargeError("a shard's packed reply is many times larger when unpacked", log=log)


@lru_cache(1024)
def _takes_gzip(accepted: bytes) -> bool:
    weights = {}
    for part in accepted.lower().split(b","):
        name, _, parameters = part.strip().partition(b";")
        weight = re.fullmatch(rb"[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[ \t]*", parameters)
        weights[name.strip()] = float(weight[1]) if weight else 1.0
    return weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0))) > 0


@lru_cache(1024)
def _is_listed(kind: bytes, types: tuple[str, ...]) -> bool:
    media = kind.partition(b";")[0].strip().lower().decode("latin-1")
    if media == "text/event-stream":
        return False
    return any(re.fullmatch(re.escape(listed).replace(r"\*", "[^/]+"), media) for listed in types)
