"""A list without rows, however it is written: read as a list, and written as it was."""

import json
from typing import Any

import pytest

from shardgate.core.http import Reply
from shardgate.core.paging.no_rows import NoRows, is_bodiless, with_list, without_list


@pytest.mark.parametrize(
    ("no_rows", "body"),
    [("absent", {"n": 0}), ("object", {"d": {}, "n": 0}), ("text", {"d": "", "n": 0}), ("false", {"d": False, "n": 0})],
)
def test_l3_a_member_without_rows_is_read_and_written(no_rows: NoRows, body: Any) -> None:
    reply = Reply(200, [], json.dumps(body).encode())
    assert not is_bodiless(reply, no_rows, "d")
    read = with_list(reply, no_rows, "d")
    assert json.loads(read.body) == {"n": 0, "d": []}
    assert json.loads(without_list(read, no_rows, "d").body) == body
    full = Reply(200, [], b'{"d":[1],"n":1}')
    assert with_list(full, no_rows, "d") is full


def test_l3_a_body_without_rows() -> None:
    assert with_list(Reply(200, [], b"{}"), "object", None).body == b"[]"
    assert without_list(Reply(200, [], b"[]"), "object", None).body == b"{}"
    assert is_bodiless(Reply(200, [], b" "), "no_body", None)
    assert without_list(Reply(200, [], b"[]"), "no_body", None).body == b""
    assert is_bodiless(Reply(200, [], b'{"data":null}'), "absent", "data.rows")
    assert not is_bodiless(Reply(200, [], b'{"data":{"n":0}}'), "absent", "data.rows")
