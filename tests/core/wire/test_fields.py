"""The memory of header lines: bounded, and never a way past the grammar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import ClientError
from shardgate.core.limits import REMEMBERED_LINE_BYTES_MAX, REMEMBERED_LINES_MAX
from shardgate.core.wire.fields import FieldReader

SHARED = FieldReader()


def test_a_line_that_was_seen_is_the_same_field_again() -> None:
    reader = FieldReader()
    assert reader.read(b"X: y") == reader.read(b"X: y") == [(b"x", b"y", b"X: y\r\n")]


def test_no_fields_are_no_fields() -> None:
    assert FieldReader().read(b"") == []


def test_the_memory_is_bounded_in_lines_and_in_bytes() -> None:
    reader = FieldReader()
    for number in range(REMEMBERED_LINES_MAX + 10):
        reader.read(b"X: %d" % number)
    assert len(reader._memory) <= REMEMBERED_LINES_MAX
    reader = FieldReader()
    reader.read(b"X: " + b"y" * REMEMBERED_LINE_BYTES_MAX)
    assert not reader._memory


def test_a_line_that_was_refused_is_refused_again() -> None:
    for _ in range(2):
        with pytest.raises(ClientError):
            SHARED.read(b"X : y")


@given(st.lists(st.text("Xx:\r\n\t \0é-", max_size=6).map(str.encode), max_size=4))
def test_a_reader_with_a_memory_says_what_one_without_says(lines: list[bytes]) -> None:
    section = b"\r\n".join(lines)
    assert verdict(SHARED, section) == verdict(FieldReader(), section)


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=4))
def test_what_passes_is_one_plain_line_for_each_field(lines: list[bytes]) -> None:
    read = verdict(FieldReader(), b"\r\n".join(lines))
    if isinstance(read, list):
        for name, value, line in read:
            assert line.lower() == name + b": " + value.lower() + b"\r\n"
            assert not set(line[:-2]) & {0, 10, 13}
            assert value == value.strip(b" \t")


def verdict(reader: FieldReader, section: bytes) -> object:
    try:
        return reader.read(section)
    except ClientError as error:
        return str(error)
