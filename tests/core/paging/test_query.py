"""The parts of a query string are decoded where they are compared."""

import pytest

from shardgate.core.paging.query import encoded, name_of, pairs_of, values_of


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("a=1&b=&c", [("a", "1"), ("b", ""), ("c", "")]),
        ("a=x%20y&b=x+y", [("a", "x y"), ("b", "x y")]),
        ("&&a=1&", [("a", "1")]),
        ("", []),
    ],
)
def test_names_and_values(query: str, pairs: list[tuple[str, str]]) -> None:
    assert pairs_of(query) == pairs


def test_a_name_is_the_same_however_it_is_encoded() -> None:
    assert name_of("page%5Bsize%5D=5") == name_of("page[size]=5") == "page[size]"
    assert encoded("page[size]") == "page%5Bsize%5D"


def test_all_values_of_a_name() -> None:
    assert values_of("a=1&b=2&%61=x+y", "a") == ["1", "x y"]
