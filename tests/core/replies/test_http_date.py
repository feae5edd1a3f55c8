"""Times of header fields, in all their forms."""

import pytest

from shardgate.core.replies.http_date import http_time


@pytest.mark.parametrize("text", [b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sunday, 06-Nov-94 08:49:37 GMT"])
def test_every_form_is_the_same_time(text: bytes) -> None:
    assert http_time(text) == 784111777


@pytest.mark.parametrize("text", [None, b"", b"yesterday", b"\xff", b"Sun, 99 Nov 1994 08:49:37 GMT"])
def test_what_is_no_date_is_none(text: bytes | None) -> None:
    assert http_time(text) is None
