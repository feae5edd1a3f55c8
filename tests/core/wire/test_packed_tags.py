"""What a packed reply's tag becomes on the way out is changed back on the way in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.http import RequestFields
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.packed_tags import as_known, packed_tag, restored
from shardgate.core.wire.request_fields import interpret


def fields_of(*lines: bytes) -> RequestFields:
    return interpret(FieldReader().read(b"\r\n".join([b"Host: a", *lines])))


@given(st.binary(max_size=20).map(lambda data: bytes(each for each in data if each > 0x22 and each != 0x7F)))
def test_each_strong_tag_comes_back(opaque: bytes) -> None:
    tag = b'"%b"' % opaque
    assert packed_tag(tag).startswith(b"W/")
    read = restored(fields_of(b"If-Match: " + packed_tag(tag)))
    assert read.values[b"if-match"] == tag
    assert read.end_to_end == b"If-Match: %b\r\n" % tag


@pytest.mark.parametrize("tag", [b'W/"a"', b"no-quotes", b'"', b""])
def test_a_tag_that_is_not_strong_stays(tag: bytes) -> None:
    assert packed_tag(tag) == tag


def test_tags_without_the_mark_and_other_fields_stay() -> None:
    lines = [b'If-Match: W/"a", "b"', b'If-Range: W/"a-shardgate-gzip"', b'X-Tag: W/"a-shardgate-gzip"']
    fields = fields_of(*lines)
    assert restored(fields) is fields


def test_lists_of_tags_several_lines_and_webdav() -> None:
    lines = [b'If-None-Match: W/"a-shardgate-gzip", W/"b", "c"', b'IF: (["d"] [W/"d-shardgate-gzip"])']
    read = restored(fields_of(*lines))
    assert read.end_to_end == b'If-None-Match: "a", W/"b", "c"\r\nIF: (["d"] ["d"])\r\n'
    assert read.unconditional == b'IF: (["d"] ["d"])\r\n'
    assert read.packed_tags == {b'"a"'}


def test_a_304_has_the_tag_that_the_client_knows() -> None:
    known = frozenset({b'"a"'})
    assert as_known([(b"ETag", b'"a"'), (b"X", b'"a"')], known) == [(b"ETag", packed_tag(b'"a"')), (b"X", b'"a"')]
    assert as_known([(b"ETag", b'"b"')], known) == [(b"ETag", b'"b"')]
