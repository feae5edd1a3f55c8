"""Parsers of JSON: lists of shards whole and in pieces, objects, numbers, items of requests."""

import json

from shardgate.core.body.items import Items, open_items
from shardgate.core.body.reading import read_object
from shardgate.core.errors import BrokenReplyError
from shardgate.core.json.array import cut, join, value_at, with_only, without
from shardgate.core.json.array_stream import RowStream
from shardgate.core.json.number import read_number, write_number
from shardgate.core.json.object import JsonObject
from shardgate.core.json.surrogates import masked
from tests.fuzz.target import Target, of_client, of_shard


def array(data: bytes) -> None:
    """Rows that are cut are JSON, and joined again they are the list."""
    rows = cut(data)
    whole = join(rows.raw, [rows])
    assert cut(whole).raw == rows.raw
    for row in rows.raw[:20]:
        value_at(bytes(row), ("a", "b"))
        without(row, ("a",))
        with_only(row, (("id",),))


def array_stream(data: bytes) -> None:
    """In pieces it gives the rows of the whole, and refuses what that refuses."""
    try:
        whole: list[bytes] | None = [bytes(row) for row in cut(data).raw]
    except BrokenReplyError:
        whole = None
    for size in (max(7, len(data) // 500), 1000):
        assert _streamed(data, size) == whole
    if whole is None:
        raise BrokenReplyError("refused")


def _streamed(data: bytes, size: int) -> list[bytes] | None:
    stream, rows = RowStream(), []
    try:
        for at in range(0, len(data), size):
            stream.feed(data[at : at + size])
            while (taken := stream.take()) is not None:
                rows += [bytes(row) for row in taken.raw]
        stream.end()
        while (taken := stream.take()) is not None:
            rows += [bytes(row) for row in taken.raw]
    except BrokenReplyError:
        return None
    return rows


def json_object(data: bytes) -> None:
    """What is put is there, what is taken out is not, and all else keeps its bytes."""
    document = JsonObject(data)
    assert document.edited({}) == data
    assert json.loads(JsonObject(document.put("zz", 7)).value("zz")) == 7
    assert JsonObject(document.without("a")).raw("a") is None
    for path in ("a", "a.b", "id", "total"):
        document.raw(path)
        document.has_twin(path)
    document.number("total")
    document.flag("more")


def number(data: bytes) -> None:
    """A number that is read is written as an equal one."""
    try:
        read = read_number(data)
    except (ValueError, ArithmeticError):  # its callers expect both
        raise BrokenReplyError("refused") from None
    assert read_number(write_number(read)) == read


def items(data: bytes) -> None:
    """Items of a request, and its object."""
    for path in ("", "items", "a.items"):
        opened = open_items(data, path, 1000)
        if isinstance(opened, Items):
            opened.part(range(min(3, len(opened.found.raw))))
    read_object(data)


def surrogates(data: bytes) -> None:
    """What is masked is as long as before."""
    text = masked(data)
    assert text is None or len(text) == len(data)


_LIST = b'[{"id":"a","n":1.5e3,"a":{"b":[1,2]}},{"id":"\\u00e9","n":null},\n {"id":"b"}]'
JSON: dict[str, Target] = {
    "array": of_shard(array, _LIST, b"[]", b' [ {"a" : 1} , {"a" : 2} ]\n', b"[1,[2],null]"),
    "array_stream": of_shard(
        array_stream, _LIST, _LIST[:-1] + b"," + _LIST[1:], b"[]", b'[{"a":"]},{"},{"a":"\\\\"}]', b"[ 1 , 2 ]"
    ),
    "json_object": of_shard(
        json_object, b'{"a":{"b":1},"id":"x","total":10,"more":true}', b'{ "a" : [1, 2] ,\n "b.c" : true }', b"{}"
    ),
    "number": of_shard(number, b"-12.50", b"1e300", b"0", b"null", b"123456789012345678901234567890", b"1E-9"),
    "items": of_client(
        items, b'{"items":[{"id":"a"},{"id":"b","n":1}],"x":1}', b'[{"id":"a"}]', b'{"a":{"items":[]}}', b""
    ),
    "surrogates": of_client(surrogates, b'"\\ud83d\\ude00"', b'"\\ud800"', b'"\\\\ud800"'),
}
