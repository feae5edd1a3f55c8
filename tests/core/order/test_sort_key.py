"""The sort keys of rows: read exactly, wherever they stand in the row, and only they."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.errors import BrokenReplyError, OrderBrokenError
from shardgate.core.order.order import total_order
from shardgate.core.order.ranking import Ranking
from shardgate.core.order.sort_key import KeyConfig, SortKey, clash, instant, sort_key, transform


def ranked(key: KeyConfig, *values: str, down: bool = False, path: str = '{"k":%s}') -> list[str]:
    """JSON values, each a shard's only row, in the order of the key."""
    ranking = Ranking(total_order((("k", down),), {"k": key}, "k"))
    for value in values:
        ranking.add(f"[{path % value}]".encode())
    return [values[n] for n in ranking.sorted()]


NUMBER = "number"
TIME = "time"


@pytest.mark.parametrize(
    "numbers",
    [
        ["9007199254740992", "9007199254740993", "9007199254740994"],
        ["9007199254740992.5", "9007199254740993", "9007199254740993.1"],
        ["0.1000000000000000055511151231257827", "0.10000000000000000555111512312578271", "0.2"],
        ["-1e-400", "0", "1e-401", "1e-400"],
        ["123456789012345678901234567890", "123456789012345678901234567890.5", "123456789012345678901234567891"],
        ["-1.5e1", "-15e-1", "1", "1.0000000000000000001", "1E+1"],
    ],
)
def test_numbers_compare_exactly_however_they_are_written(numbers: list[str]) -> None:
    # Found: numbers with a point or an exponent were rounded to 53 bits, so that different ones were taken for equal.
    assert ranked(NUMBER, *reversed(numbers)) == numbers
    assert ranked(NUMBER, *numbers, down=True) == list(reversed(numbers))
    assert ranked("decimal", *[f'"{number}"' for number in reversed(numbers)])[0] == f'"{numbers[0]}"'


def test_equal_numbers_are_equal_however_they_are_written() -> None:
    ranking = Ranking(total_order((("k", False),), {"k": "number", "id": "text"}, "id"))
    ranking.add(b'[{"k":9007199254740993.0,"id":"b"}]')
    ranking.add(b'[{"k":9007199254740993,"id":"a"}]')
    ranking.add(b'[{"k":9007199254740993e0,"id":"c"}]')
    assert ranking.sorted() == [1, 0, 2]


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=3) | st.integers(), min_size=1, max_size=6))
def test_any_numbers_are_in_order(numbers: list[Decimal | int]) -> None:
    got = ranked("decimal", *[str(number) for number in numbers])
    assert [Decimal(text) for text in got] == sorted(numbers)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (NUMBER, '"1"'),
        (NUMBER, "1" * 5000),
        ("decimal", '"NaN"'),
        ("decimal", '"Infinity"'),
        ("decimal", '"x"'),
        (TIME, '"2026-01-01"'),
        (TIME, '"2026-01-01T00:00:00"'),
        (TIME, '"2026-02-30T00:00:00Z"'),
        (TIME, '"2026-01-01T24:00:00Z"'),
        (TIME, '"٢٠٢٦-01-01T00:00:00Z"'),
        (TIME, "1767225600"),
        (TIME, "null"),
    ],
)
def test_a_value_of_another_type_is_a_broken_reply(key: KeyConfig, value: str) -> None:
    with pytest.raises(BrokenReplyError):
        ranked(key, value)


def test_times_compare_as_instants_whatever_their_offset() -> None:
    times = [
        '"2026-03-01T01:30:00+02:00"',
        '"2026-02-28T23:30:00.000000001Z"',
        '"2026-02-28t20:00:00-03:30"',
        '"2026-02-28T23:30:00.5z"',
        '"2026-02-28 23:30:00.50001Z"',
        '"2026-02-28T23:30:60Z"',
        '"2026-02-28T23:31:00.1Z"',
    ]
    assert instant("2026-03-01T01:30:00+02:00") == instant("2026-02-28T20:00:00-03:30") == (
        instant("2026-02-28T23:30:00.000Z")
    )  # fmt: skip
    ordered = [times[0], *times[1:2], *times[3:]]
    assert ranked(TIME, *reversed(ordered)) == ordered


@given(st.lists(st.datetimes(timezones=st.just(UTC)), min_size=2, max_size=5), st.integers(-1439, 1439))
def test_any_times_are_in_order(times: list[datetime], offset_min: int) -> None:
    other = timezone(timedelta(minutes=offset_min))
    shown = [time.isoformat() for time in times]
    try:
        shown[0] = times[0].astimezone(other).isoformat()
    except OverflowError:
        return
    got = ranked(TIME, *[f'"{time}"' for time in shown])
    assert [datetime.fromisoformat(time.strip('"')) for time in got] == sorted(times)


def test_a_key_may_stand_deeper_in_the_row() -> None:
    rows = [f'{{"id":"{i}","vendor":{{"name":"{name}","x":[1]}}}}' for i, name in ("bA", "cA", "aB")]
    keys = {"vendor.name": SortKey(), "id": SortKey()}
    ranking = Ranking(total_order((("vendor.name", False),), keys, "id"))
    for row in reversed(rows):
        ranking.add(f"[{row}]".encode())
    assert ranking.sorted() == [2, 1, 0]
    with pytest.raises(BrokenReplyError):
        ranking.add(b'[{"id":"a","vendor":null}]')
    with pytest.raises(OrderBrokenError):
        ranking.add(f"[{','.join(reversed(rows))}]".encode())


@pytest.mark.parametrize("missing", ["null", '{"name":null}'])
def test_a_deeper_key_has_no_value_where_nothing_leads_to_it(missing: str) -> None:
    key = SortKey(nulls="last", path="vendor.name")
    assert ranked(key, missing, '{"name":"z"}', path='{"vendor":%s}') == ['{"name":"z"}', missing]


def test_a_key_may_have_another_name_than_its_value_or_a_name_with_dots() -> None:
    assert ranked(SortKey(path="created_at"), '"b"', '"a"', path='{"created_at":%s}') == ['"a"', '"b"']
    assert ranked(SortKey(path=("a.b",)), '"b"', '"a"', path='{"a.b":%s}') == ['"a"', '"b"']


def test_two_keys_of_one_value_and_deeper_ones_side_by_side() -> None:
    keys = {
        "name": SortKey(collation="case_insensitive", path="v.name"),
        "exact": SortKey(path="v.name"),
        "city": SortKey(path="v.city", nulls="first"),
    }
    ranking = Ranking(total_order((("city", False), ("name", False)), keys, "exact"))
    rows = [("b", "x"), ("B", "x"), ("a", "x")]
    for name, city in rows:
        ranking.add(f'[{{"v":{{"name":"{name}","city":"{city}"}}}}]'.encode())
    assert ranking.sorted() == [2, 1, 0]


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        (SortKey(collation="case_insensitive"), ["b", "A"], "the order k by case_insensitive that"),
        (
            SortKey(type="time"),
            ["2026-01-01T01:00:00+02:00", "2026-01-01T00:00:00+02:00"],
            "the order k as a time that",
        ),
        (SortKey(collation="icu:sv"), ["ö", "z"], "the order k by icu:sv that"),
    ],
)
def test_rows_in_another_order_than_the_collations_are_found_out(key: SortKey, values: list[str], said: str) -> None:
    if "icu" in key.collation:
        pytest.importorskip("icu")
    right, wrong = [",".join(f'{{"k":"{value}"}}' for value in order) for order in (reversed(values), values)]
    ranking = Ranking(total_order((("k", False),), {"k": key}, "k"))
    ranking.add(f"[{right}]".encode())
    with pytest.raises(OrderBrokenError, match=said):
        ranking.add(f"[{wrong}]".encode())


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"vendor": "text", "vendor.name": "text"}, "'vendor' is a value, and 'vendor.name' is inside of it"),
        ({"a": "text", "b": SortKey(type="time", path="a")}, "are the same value, in different types"),
        ({"a": "text", "b": SortKey(collation="utf16", path="a"), "c.d": "text", "c.e": "number"}, None),
    ],
)
def test_keys_that_cannot_be_of_one_row(keys: dict[str, Any], problem: str | None) -> None:
    found = clash({name: sort_key(key) for name, key in keys.items()})
    assert found is None if problem is None else problem in (found or "")


def test_pad_space_makes_spaces_at_the_end_count_for_nothing() -> None:
    padded = transform(SortKey(pad_space=True))
    assert padded is not None
    assert padded("Bern") == padded("Bern  ") != padded(" Bern")
    # As the manual of MySQL compares them: the end counts as a space, which a tab stands before.
    assert sorted(["a", "a\t", "ab", "a b", ""], key=padded) == ["", "a\t", "a", "a b", "ab"]
    both = transform(SortKey(collation="case_insensitive", pad_space=True, type="any"))
    assert both is not None
    assert both("Bern") == both("BERN ")
    for wrong in ({"type": "number"}, {"collation": "case_insensitive", "deterministic": True}):
        with pytest.raises(ValueError, match="pad_space"):
            SortKey(pad_space=True, **wrong)  # type: ignore[arg-type]
