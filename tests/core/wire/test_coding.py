"""What is packed, for whom, and what unpacking is bounded by."""

import gzip
import zlib
from time import process_time

import pytest

from shardgate.core.errors import BrokenReplyError, ReplyTooLargeError
from shardgate.core.http import Reply
from shardgate.core.limits import UNPACK_FREE_BYTES, UNPACK_RATIO_MAX, UNPACK_STEP_BYTES
from shardgate.core.wire.coding import Compress, packed_fields, takes_gzip, unpacked, unpacking
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.request_fields import interpret

JSON = (b"Content-Type", b"application/json; charset=utf-8")


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        (b"gzip", True),
        (b"GZip, deflate, br", True),
        (b"br;q=1, gzip;q=0.5", True),
        (b"*", True),
        (b"x-gzip", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000, *", False),
        (b"*;q=0", False),
        (b"identity", False),
        (b"br", False),
        (b"", False),
    ],
)
def test_who_takes_gzip(accepted: bytes, takes: bool) -> None:
    assert takes_gzip(interpret(FieldReader().read(b"Host: a\r\nAccept-Encoding: " + accepted))) is takes


@pytest.mark.parametrize(
    ("status", "fields", "length", "packs"),
    [
        (200, [JSON], 1024, True),
        (200, [JSON], None, True),
        (200, [(b"content-type", b"application/problem+json")], 5000, True),
        (200, [(b"content-type", b"text/csv")], 5000, True),
        (200, [JSON], 1023, False),
        (206, [JSON], 5000, False),
        (404, [JSON], 5000, False),
        (200, [JSON, (b"Content-Encoding", b"br")], 5000, False),
        (200, [JSON, (b"Cache-Control", b"max-age=1, No-Transform")], 5000, False),
        (200, [(b"content-type", b"text/event-stream")], None, False),
        (200, [(b"content-type", b"image/png")], 5000, False),
        (200, [], 5000, False),
    ],
)
def test_what_is_packed(status: int, fields: list[tuple[bytes, bytes]], length: int | None, packs: bool) -> None:
    assert Compress().may_pack(status, fields, length) is packs


def test_a_packed_reply_is_another_representation() -> None:
    fields = [(b"ETag", b'"a"'), (b"Vary", b"Origin"), (b"Accept-Ranges", b"bytes"), JSON]
    packed = packed_fields(fields, is_packed=True)
    assert dict(packed) == {
        b"ETag": b'W/"a-shardgate-gzip"',
        b"Vary": b"Origin, Accept-Encoding",
        b"Content-Encoding": b"gzip",
        JSON[0]: JSON[1],
    }
    assert dict(packed_fields(fields, is_packed=False))[b"ETag"] == b'"a"'
    assert dict(packed_fields([(b"vary", b"*")], is_packed=True))[b"Vary"] == b"*"


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"[1]", mtime=0),
        zlib.compress(b"[1]"),
        gzip.compress(b"[", mtime=0) + gzip.compress(b"1]", mtime=0),
    ],
)
def test_what_a_shard_packed_is_unpacked(packed: bytes) -> None:
    reply = unpacked(Reply(200, [(b"Content-Encoding", b"gzip"), (b"X", b"y")], packed), 3)
    assert (reply.body, reply.fields) == (b"[1]", [(b"X", b"y")])


def test_a_small_reply_that_unpacks_to_a_huge_one_is_refused() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 50_000
    with pytest.raises(ReplyTooLargeError):
        unpacked(Reply(200, [(b"content-encoding", b"gzip")], bomb), 1_000_000)
    with pytest.raises(ReplyTooLargeError):
        unpacked(Reply(200, [(b"content-encoding", b"gzip")], gzip.compress(bytes(600_000)) * 2), 1_000_000)


def test_unpacking_stops_at_its_bounds_before_memory_is_spent() -> None:
    """Found: 0.5 MB of gzip in a gather became 500 MB, and 2.1 GB of memory."""
    bomb = gzip.compress(bytes(50_000_000))
    sizes: list[int] = []
    with pytest.raises(ReplyTooLargeError, match="many times larger"):
        sizes.extend(unpacking(Reply(200, [(b"Content-Encoding", b"gzip")], bomb), 2**30))
    assert max(sizes) <= UNPACK_STEP_BYTES
    assert sum(sizes) <= max(UNPACK_FREE_BYTES, UNPACK_RATIO_MAX * len(bomb))


def test_a_list_that_packs_well_is_unpacked() -> None:
    rows = b",".join(b'{"id":%d,"city":"Lisbon","confirmed":true,"note":null}' % n for n in range(100_000))
    packed = gzip.compress(rows, 9)
    assert unpacked(Reply(200, [(b"Content-Encoding", b"gzip")], packed), 2**30).body == rows


def test_many_packed_members_take_time_by_their_number_alone() -> None:
    members = gzip.compress(b"", mtime=0) * 20_000 + gzip.compress(b"[1]", mtime=0)
    began = process_time()
    assert unpacked(Reply(200, [(b"Content-Encoding", b"gzip")], members), 10).body == b"[1]"
    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("coding", "body"),
    [(b"gzip", b"[1]"), (b"gzip", gzip.compress(b"[1]", mtime=0)[:-3]), (b"br", b"x"), (b"gzip, gzip", b"x")],
)
def test_what_cannot_be_unpacked_is_a_broken_reply(coding: bytes, body: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        unpacked(Reply(200, [(b"Content-Encoding", coding)], body), 1000)
