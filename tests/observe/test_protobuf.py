"""Numbers and texts in the form of Protocol Buffers, as its documentation gives them."""

import pytest

from shardgate.observe.protobuf import fixed, many_fixed, nested, real, text, whole


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0800"), (1, "0801"), (127, "087f"), (128, "088001"), (150, "089601"), (2**63, "0880808080808080808001")],
)
def test_a_number_takes_as_many_bytes_as_it_needs(value: int, written: str) -> None:
    assert whole(1, value).hex() == written


def test_a_text_has_its_length_in_bytes() -> None:
    assert text(2, "testing").hex() == "120774657374696e67"
    assert text(2, "ü").hex() == "1202c3bc"
    assert len(text(1, "x" * 300)) == 1 + 2 + 300


def test_a_message_holds_its_fields() -> None:
    assert nested(3, whole(1, 150)).hex() == "1a03089601"
    assert nested(16).hex() == "820100"


def test_numbers_of_eight_bytes_begin_with_the_lowest() -> None:
    assert fixed(2, 1).hex() == "110100000000000000"
    assert fixed(2, -1).hex() == "11" + "ff" * 8
    assert real(4, 1.0).hex() == "21000000000000f03f"
    assert many_fixed(6, [1, 2]).hex() == "3210" + "0100000000000000" + "0200000000000000"
