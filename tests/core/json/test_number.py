"""Numbers are added and compared exactly, and written as JSON."""

from decimal import Decimal

import pytest

from shardgate.core.json.number import Average, add, least, read_number, write_number


def test_sums_are_exact() -> None:
    assert write_number(add([b"0.1", b"0.2", b"-0.30"])) == b"0.00"
    assert write_number(add([b"9007199254740993", b"1"])) == b"9007199254740994"
    assert add([b"null", b"null"]) is None
    assert add([b"null", b"7"]) == 7


def test_a_sum_that_would_be_rounded_is_an_error() -> None:
    with pytest.raises(ArithmeticError):
        add([b"1e9000", b"1e-9000"])


def test_the_least_and_the_greatest_keep_their_bytes() -> None:
    assert least([b"2.50", b"10", b"null"]) == b"2.50"
    assert least([b'"b"', b'"a"'], greatest=True) == b'"b"'
    assert least([b"null"]) == b"null"
    with pytest.raises(TypeError):
        least([b"1", b'"1"'])


@pytest.mark.parametrize("text", [b"+5", b"05", b"5_0", b"", b"true", b" 5", b"1."])
def test_what_is_no_json_number_is_refused_and_shown(text: bytes) -> None:
    with pytest.raises(ValueError, match=f"`{text.decode()}` is no number".replace("+", r"\+")):
        read_number(text)


def test_an_average_is_computed_from_the_sums() -> None:
    average = Average("revenue", "orders", decimals=2)
    assert average.again(Decimal("10.00"), 3) == 3.33
    assert average.again(10, 4) == 2.5
    assert average.again(None, 3) == 0.0
    assert Average("a", "b", empty=None).again(0, 0) is None
