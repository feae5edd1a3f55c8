"""The affinity of a column by its declared type, in the order of SQLite's own rules."""

import pytest

from shardgate.split.sqlite.equality import affinity


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("INTEGER", "number"), ("CHARINT", "number"), ("VARCHAR(3)", "text"), ("clob", "text"), ("", "none"),
        ("BLOB", "none"), ("DOUBLE", "number"), ("DATETIME", "number"), ("STRING", "number"),
    ],
)  # fmt: skip
def test_the_rules_come_in_this_order(declared: str, expected: str) -> None:
    assert affinity(declared) == expected
