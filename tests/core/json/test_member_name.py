"""The name of a member is passed over, whatever stands in it, and however long it is."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.array import cut, join, without
from shardgate.core.json.array_stream import RowStream
from shardgate.core.json.member_name import behind_name
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import MEMBER_NAME_MAX
from shardgate.core.merge.deep import Deep
from tests.core.requests import request

NAMES = st.lists(st.sampled_from(['"', "\\", "a", "é", "😀", "\n", " ", ":"]), max_size=6).map("".join)
LONG = b'{"' + b"x" * 1_000_000 + b'":1,"id":2}'


@given(NAMES, st.sampled_from([b":", b" : ", b"\n:\t"]), st.booleans())
def test_the_value_begins_behind_name_and_colon(name: str, colon: bytes, in_ascii: bool) -> None:
    text = b' {"a":1, ' + json.dumps(name, ensure_ascii=in_ascii).encode() + colon + b"7}"
    assert behind_name(text, 8, name) == len(text) - 2
    assert behind_name(text, 8, name + "b") is None
    assert behind_name(text, 7, name) is None


def test_a_name_is_as_long_as_it_may_be() -> None:
    most = "\U0001f600" * MEMBER_NAME_MAX
    assert behind_name(json.dumps({most: 1}).encode(), 1, most) == 12 * MEMBER_NAME_MAX + 5
    with pytest.raises(BrokenReplyError, match="longer than 16384 characters"):
        behind_name(LONG, 1, "x" * 1_000_000)


def test_a_name_of_a_megabyte_takes_no_memory_that_its_text_does_not() -> None:
    """Found: a look back was kept for each character of a name: a gigabyte and a second for one of 8 MB."""
    tracemalloc.start()
    with pytest.raises(BrokenReplyError, match="longer than"):
        JsonObject(LONG)
    with pytest.raises(BrokenReplyError, match="longer than"):
        without(cut(b"[%b]" % LONG).raw[0], {"id"})
    assert join(cut(b"[%b]" % LONG).raw, (cut(b"[%b]" % LONG),)) == b"[%b]" % LONG
    stream = RowStream()
    stream.feed(b"[%b,%b]" % (LONG, LONG))
    assert stream.take() is not None
    reply = Deep().begin(request("GET /all"), ["s0"]).take({"s0": Reply(200, [], b'{"y":%b}' % LONG)})
    assert isinstance(reply, Reply)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * len(LONG), peak  # it was 120 times its length
