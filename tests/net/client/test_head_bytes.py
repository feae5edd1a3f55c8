"""Empty lines before a request, and heads that are too long."""

import pytest

from shardgate.core.errors import HeadTooLargeError, TargetTooLongError
from shardgate.core.limits import TARGET_BYTES_MAX
from shardgate.net.client.head_bytes import head_too_large, without_empty_lines


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b"\r\n\r\nGET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n"),
        (b"\r\n", b""),
        (b"\r\n\rGET", b"\rGET"),
    ],
)
def test_only_empty_lines_at_the_beginning_are_ignored(data: bytes, left: bytes) -> None:
    assert without_empty_lines(data) == left


def test_a_long_request_line_is_another_refusal_than_a_long_head() -> None:
    assert isinstance(head_too_large(b"GET /" + b"a" * TARGET_BYTES_MAX), TargetTooLongError)
    assert isinstance(head_too_large(b"GET / HTTP/1.1\r\nX: " + b"a" * TARGET_BYTES_MAX), HeadTooLargeError)
