"""The order of rows: only the sort keys are read, and rows that are not in order are found out."""

from typing import Any

import pytest

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.order.order import total_order
from shardgate.core.order.ranking import Ranking
from shardgate.core.order.sort_key import SortKey

ID = {"id": SortKey()}
By = tuple[tuple[str, bool], ...]
BY_ID: By = (("id", False),)
NUMBER = {"n": SortKey(type="number"), "id": SortKey()}


def rank(by: By, keys: dict[str, SortKey], *bodies: bytes) -> list[int]:
    ranking = Ranking(total_order(by, keys, by[-1][0]))
    for body in bodies:
        ranking.add(body)
    return ranking.sorted()


@pytest.mark.parametrize(
    ("keys", "body"),
    [
        (ID, b'[{"id":7}]'),
        (ID, b'[{"id":null}]'),
        (ID, b'[{"ID":"a"}]'),
        (ID, b"[{}]"),
        (ID, b"[7]"),
        (ID, b"[null]"),
        (ID, b'[["id","a"]]'),
        (ID, b"{}"),
        (ID, b'[{"id":"\\ud800"}]'),
        (ID, b'[{"id":"\xff"}]'),
        (ID, b'[{"id":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}]"),
        (NUMBER, b'[{"n":"1","id":"a"}]'),
        (NUMBER, b'[{"n":true,"id":"a"}]'),
        ({"n": SortKey(type="boolean"), "id": SortKey()}, b'[{"n":1,"id":"a"}]'),
    ],
)
def test_a_row_without_its_sort_key_or_with_another_type_is_a_broken_reply(keys: Any, body: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        rank(tuple((name, False) for name in keys), keys, body)


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ((("n", False), ("id", False)), ['{"n":2,"id":"a"}', '{"n":1,"id":"b"}']),
        ((("n", True), ("id", True)), ['{"n":1,"id":"a"}', '{"n":2,"id":"b"}']),
        ((("n", False), ("id", False)), ['{"n":1,"id":"b"}', '{"n":1,"id":"a"}']),
        ((("n", True), ("id", False)), ['{"n":1,"id":"b"}', '{"n":1,"id":"a"}']),
        ((("n", False), ("id", True)), ['{"n":1,"id":"a"}', '{"n":1,"id":"b"}']),
        ((("n", False), ("id", False)), ['{"n":-0.5,"id":"a"}', '{"n":-1,"id":"a"}']),
    ],
)
def test_a_shard_whose_rows_are_in_another_order_is_found_out(order: By, rows: list[str]) -> None:
    with pytest.raises(OrderBrokenError):
        rank(order, NUMBER, f"[{','.join(rows)}]".encode())
    assert rank(order, NUMBER, f"[{','.join(reversed(rows))}]".encode()) == [0, 1]


def test_text_is_compared_by_code_point() -> None:
    bodies = ['[{"id":"A"},{"id":"a"},{"id":"é"}]', '[{"id":"B"},{"id":"z"},{"id":"😀"}]', '[{"id":"\uffff"}]']
    assert rank(BY_ID, ID, *[body.encode() for body in bodies]) == [0, 3, 1, 4, 2, 6, 5]


def test_numbers_are_compared_as_numbers_however_they_are_written() -> None:
    one = b'[{"n":-1.5,"id":"a"},{"n":1e1,"id":"b"},{"n":9007199254740993,"id":"c"}]'
    two = b'[{"n":9,"id":"d"},{"n":10.0,"id":"e"},{"n":9007199254740992,"id":"f"}]'
    assert rank((("n", False), ("id", False)), NUMBER, one, two) == [0, 3, 1, 4, 5, 2]


def test_an_empty_list_has_no_rows() -> None:
    assert rank(BY_ID, ID, b"[]", b" [ ] ") == []


def test_equal_rows_stay_in_the_order_of_the_shards() -> None:
    assert rank(BY_ID, ID, b'[{"id":"a"},{"id":"b"}]', b'[{"id":"a"},{"id":"b"}]') == [0, 2, 1, 3]
