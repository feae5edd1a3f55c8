"""A text that is not JSON: the error says at which byte, why, and what stands there."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import cut, value_at, without
from shardgate.core.json.array_stream import RowStream
from shardgate.core.json.object import JsonObject


def rows_of(stream: RowStream) -> int:
    count = 0
    while (rows := stream.take()) is not None:
        count += len(rows.raw)
    return count


@pytest.mark.parametrize(
    ("body", "where", "found"),
    [
        (b'[{"id":1},,{"id":2}]', "byte 10", '`[{"id":1},,{"id":2}]`'),
        (b'[{"id":1},{"id"', "byte 15", "truncated"),
        (b'[{"id":"\xff"}]', "byte 8", '`[{"id":"\\xff"}]`'),
        (b'[{"id":1}] x', "byte 11", "trailing characters"),
        (b'{"id":1}', "", "Expected `array`, got `object`"),
        (b"", "byte 0", "truncated"),
    ],
)
def test_a_list_that_is_no_array(body: bytes, where: str, found: str) -> None:
    with pytest.raises(BrokenReplyError, match="not a JSON array in UTF-8") as caught:
        cut(body)
    assert caught.value.where == where
    assert found in caught.value.log


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_list_that_breaks_off_while_it_arrives_counts_from_the_beginning_of_the_body(size: int) -> None:
    body = b"[" + b",".join(b'{"id":%d,"text":"%b"}' % (n, b"x" * 40) for n in range(3000)) + b",tru"
    stream = RowStream()
    for start in range(0, len(body), size * 100):
        stream.feed(body[start : start + size * 100])
    stream.end()
    with pytest.raises(BrokenReplyError) as caught:
        rows_of(stream)
    assert caught.value.where == f"byte {len(body)}"


def test_two_rows_without_a_comma_while_they_arrive() -> None:
    row = b'{"id":1,"text":"%b"}' % (b"x" * 100)
    body = b"[" + b",".join([row] * 2000) + row + b"," + b",".join([row] * 2000) + b"]"
    stream = RowStream()
    stream.feed(body)
    stream.end()
    with pytest.raises(BrokenReplyError) as caught:
        rows_of(stream)
    assert caught.value.where.startswith("byte ")


@pytest.mark.parametrize(
    ("body", "where", "log"),
    [
        (b'{"total":1,"total":2}', "byte 11", "found"),
        (b"[1]", "", "Expected `object`, got `array`"),
        (b'{"total":}', "byte 9", "invalid character"),
        (b'{"total":"\xff"}', "byte 10", "codec"),
    ],
)
def test_a_reply_that_is_no_object(body: bytes, where: str, log: str) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        JsonObject(body)
    assert caught.value.where == where
    assert log in caught.value.log


def test_a_member_that_is_missing_or_of_another_type_is_named() -> None:
    body = JsonObject(b'{"data":[],"meta":{"total":"nine","more":1}}')
    for read, where, log in [
        (lambda: body.value("items"), "member items", "the object has data, meta"),
        (lambda: body.number("meta.total"), "member meta.total", 'found `"nine"`, expected a number'),
        (lambda: body.flag("meta.more"), "member meta.more", "found `1`"),
    ]:
        with pytest.raises(BrokenReplyError) as caught:
            read()
        assert caught.value.where == where
        assert log in caught.value.log


def test_a_row_that_is_no_object_or_has_a_member_twice() -> None:
    row = cut(b'[{"a":1,"b":2,"a":3}]').raw[0]
    with pytest.raises(BrokenReplyError, match="one member twice") as caught:
        without(row, {"b"})
    assert caught.value.where.endswith("of the row")
    with pytest.raises(BrokenReplyError) as caught:
        value_at(b'{"vendor":7}', ("vendor", "name"))
    assert "Expected `object`, got `int`" in caught.value.log
