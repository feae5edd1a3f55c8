"""Cache-Control as it is written: what stands twice, in quotes, or wrongly (RFC 9111 sections 4.2.1 and 5.2)."""

from math import inf

import pytest

from shardgate.core.replies.cache.directives import SECONDS_MAX, Directives


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"max-age=60", 60),
        (b"MAX-AGE=60", 60),
        (b"public, max-age=60 , x", 60),
        (b"max-age=0060", 60),
        (b'max-age="60"', 60),
        (b"max-age=60, max-age=1", 1),
        (b"max-age=1, max-age=60", 1),
        (b'x="max-age=60"', None),
        (b'x="a, max-age=60", y', None),
        (b'x="a\\", max-age=60", y', None),
        (b"max-age = 60", 0),
        (b"max-age =60", 0),
        (b"max-age= 60", 0),
        (b"max-age='60'", 0),
        (b"max-age=60.5", 0),
        (b"max-age=-1", 0),
        (b"max-age=a60", 0),
        (b"max-age", 0),
        (b"max-age=99999999999999999999", SECONDS_MAX),
        (b"s-max-age=60", None),
        (b"", None),
        (b'"', None),
        (b",,=,", None),
    ],
)
def test_max_age(value: bytes, seconds: int | None) -> None:
    assert Directives([value]).seconds(b"max-age") == seconds


def test_lines_count_together() -> None:
    said = Directives([b"public", b'no-cache="x", max-age=3'])
    assert said.has(b"public")
    assert said.has(b"private", b"no-cache")
    assert not said.has(b"private")
    assert said
    assert not Directives([])


def test_patience_without_a_number_is_without_end() -> None:
    assert Directives([b"max-stale"]).patience_s(b"max-stale") == inf
    assert Directives([b"max-stale=5"]).patience_s(b"max-stale") == 5
    assert Directives([b"max-stale=a"]).patience_s(b"max-stale") == 0
    assert Directives([]).patience_s(b"max-stale") == 0


def test_a_long_text_is_read_in_a_moment() -> None:
    assert Directives([b'"' * 30_000]).seconds(b"max-age") is None
    assert Directives([b'x="' + b"\\" * 30_000]).seconds(b"max-age") is None
    assert Directives([b" " * 30_000 + b"max-age=1"]).seconds(b"max-age") == 1
