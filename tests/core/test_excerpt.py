"""An excerpt is short and printable, whatever was found."""

from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.excerpt import EXCERPT_CHARACTERS_MAX, excerpt


def test_a_short_text_is_shown_whole() -> None:
    assert excerpt(b'{"id":7}') == '{"id":7}'
    assert excerpt("order=pricce") == "order=pricce"
    assert excerpt(b"") == ""


def test_a_long_text_is_shown_around_the_position() -> None:
    text = b"x" * 500 + b"HERE" + b"y" * 500
    assert excerpt(text) == "x" * 60 + "..."
    assert excerpt(text, 500) == "..." + "x" * 20 + "HERE" + "y" * 36 + "..."
    assert excerpt(text, len(text)) == "..." + "y" * 20


def test_what_is_not_printable_ascii_is_escaped() -> None:
    assert excerpt(b"a\r\nGET /\x00\x7f") == "a\\x0d\\x0aGET /\\x00\\x7f"
    assert excerpt("é€") == "\\xe9\\u20ac"
    assert excerpt(b"\xff\xfe") == "\\xff\\xfe"


@given(st.binary(max_size=300) | st.text(max_size=300), st.integers(0, 400))
def test_any_excerpt_is_bounded_and_printable(text: bytes | str, at: int) -> None:
    shown = excerpt(text, at)
    assert len(shown) <= EXCERPT_CHARACTERS_MAX
    assert shown.isascii()
    assert shown.isprintable()
