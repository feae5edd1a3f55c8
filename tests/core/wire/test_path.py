"""A value that fills a path is one segment of it, or the path is not filled."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.wire.path import filled, is_segment, names_of, segment

TEMPLATE = "/orders/{id}/confirm"


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "/", "\\", "a;b", "%2e%2e", "%2f", "\0", "\n", "a\r\nb", "\x7f", "\x85", "\ud800"]
)
def test_what_cannot_be_one_segment_fills_no_path(value: str) -> None:
    assert not is_segment(value)
    assert segment(value) is None
    assert filled(TEMPLATE, {"id": value}) is None


@pytest.mark.parametrize(
    ("value", "written"), [("7", "7"), ("a b", "a%20b"), ("a?b#c", "a%3Fb%23c"), ("é", "%C3%A9"), ("...", "...")]
)
def test_every_other_value_is_percent_encoded(value: str, written: str) -> None:
    assert filled(TEMPLATE, {"id": value}) == f"/orders/{written}/confirm"


def test_a_value_that_is_not_known_fills_no_path() -> None:
    assert filled(TEMPLATE, {}) is None
    assert filled("/orders", {}) == "/orders"


def test_a_value_that_looks_like_a_name_is_a_value() -> None:
    assert filled("/{a}/{b}", {"a": "{b}", "b": "x"}) == "/%7Bb%7D/x"


def test_behind_the_question_mark_a_separator_is_a_value_and_nothing_is_none() -> None:
    assert filled("/orders?code={code}", {"code": "a/b&c=d"}) == "/orders?code=a%2Fb%26c%3Dd"
    assert filled("/orders?code={code}", {"code": ""}) is None
    assert filled("/orders?code={code}", {"code": "a\n"}) is None


def test_a_name_may_have_dots() -> None:
    assert names_of("/a/{data.id}?b={c}") == ["data.id", "c"]
    assert names_of(None) == []
    assert filled("/a/{data.id}", {"data.id": "7"}) == "/a/7"


@given(value=st.text(max_size=30))
def test_whatever_the_value_the_path_keeps_its_form(value: str) -> None:
    path = filled(TEMPLATE, {"id": value})
    if path is not None:
        parts = urlsplit(path)
        assert (parts.query, parts.fragment) == ("", "")
        before, orders, written, confirm = parts.path.split("/")
        assert (before, orders, confirm) == ("", "orders", "confirm")
        assert unquote(written) == value
        assert written not in {"", ".", ".."}
