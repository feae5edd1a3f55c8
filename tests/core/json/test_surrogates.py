"""Half a surrogate pair in a text, as JavaScript writes what is left of an emoji: rows keep it, byte for byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.dialect.envelope import Envelope
from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.dialect.offset import Offset
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.json.array import cut, without
from shardgate.core.json.array_stream import RowStream
from shardgate.core.json.surrogates import masked
from shardgate.core.limits import ESCAPES_MASKED_MAX, HALVES_MASKED_MAX, MASKED_BYTES_MAX
from shardgate.core.merge.listed import Listed
from tests.core.requests import request

PIECES = ["\ud83d", "\ude00", "\U0001f600", "\\", '"', "u", "d83d", "\\ud83d", "é", "a"]
HALVES = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
ROWS = st.lists(st.dictionaries(st.sampled_from(["id", "x", "y z"]), HALVES, min_size=1), max_size=6)


@given(HALVES)
def test_a_copy_is_as_long_and_only_the_halves_differ(text: str) -> None:
    said = json.dumps(text).encode()
    copy = masked(said)
    if copy is None:
        assert not any("\ud800" <= character <= "\udfff" for character in json.loads(said))
    else:
        assert len(copy) == len(said)
        assert json.loads(copy) == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in json.loads(said))


def test_a_long_text_or_one_of_many_escapes_is_not_searched_for_halves() -> None:
    """Found: 20 MB of line ends with one half held a worker for 4 s."""
    most = ESCAPES_MASKED_MAX - 1
    assert masked(rb"\n" * most + rb"\ud83d") == rb"\n" * most + rb"\ufffd"
    assert masked(rb"\n" * (most + 1) + rb"\ud83d") is None
    assert masked(rb"\ud83d" * HALVES_MASKED_MAX) == rb"\ufffd" * HALVES_MASKED_MAX
    assert masked(rb"\ud83d" * (HALVES_MASKED_MAX + 1)) is None
    assert masked(b"x" * (MASKED_BYTES_MAX - 6) + rb"\ud83d") == b"x" * (MASKED_BYTES_MAX - 6) + rb"\ufffd"
    assert masked(b"x" * MASKED_BYTES_MAX + rb"\ud83d") is None


@given(ROWS, st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}]))
def test_rows_are_cut_and_trimmed_as_if_nothing_was_missing(rows: Any, style: Any) -> None:
    found = cut(json.dumps(rows, **style).encode()).raw
    assert [json.loads(bytes(row)) for row in found] == json.loads(json.dumps(rows))
    for row, raw in zip(json.loads(json.dumps(rows)), found, strict=True):
        assert json.loads(bytes(without(raw, {"x"}))) == {name: row[name] for name in row if name != "x"}


def test_rows_are_cut_while_they_come() -> None:
    rows = [json.dumps({"id": n, "x": "\ud83d"}) for n in range(20_000)]
    stream = RowStream()
    text = f"[{','.join(rows)}]".encode()
    for start in range(0, len(text), 50_001):
        stream.feed(text[start : start + 50_001])
    stream.end()
    found: list[str] = []
    while not stream.over:
        taken = stream.take()
        found += [] if taken is None else [bytes(row).decode() for row in taken.raw]
    assert found == rows


@pytest.mark.parametrize(
    ("dialect", "around"),
    [(Offset(fields="fields"), b"[%b]"), (Envelope(total=None), b'{"note":"\\udfff","items":[%b]}'), (Ndjson(), b"%b")],
)
def test_a_list_of_any_dialect_keeps_them(dialect: Any, around: bytes) -> None:
    """Found: one such text in any row made the whole list a 502."""
    rule = Listed(dialect=dialect, keys={"id": "text", "n": "number"})
    merging = rule.begin(request("GET /rows?order=-n"), ["s0", "s1"])
    one, two = rb'{"id":"a","n":1,"x":"\ud83d"}', rb'{"n":2,"y\udc00":"\\ud83d","id":"b"}'
    reply = merging.take({"s0": Reply(200, [], around % one), "s1": Reply(200, [], around % two)})
    assert isinstance(reply, Reply)
    rows = two + (b"\n" if around == b"%b" else b",") + one
    assert reply.body.rstrip() == (around % rows)


def test_a_text_that_is_compared_must_be_whole() -> None:
    rule = Listed(dialect=Offset(), keys={"id": "text"})
    with pytest.raises(BrokenReplyError):
        rule.begin(request("GET /rows"), ["s0"]).take({"s0": Reply(200, [], rb'[{"id":"\ud83d"}]')})
