"""Which replies say that the application did nothing."""

import pytest

from shardgate.core.changes.busy import did_nothing
from shardgate.core.http import Reply

AGAIN = [(b"Content-Type", b"text/plain"), (b"Retry-After", b"1")]


@pytest.mark.parametrize("fields", [AGAIN, [(b"retry-after", b"Fri, 31 Dec 1999 23:59:59 GMT")]])
def test_a_503_with_retry_after_says_that_nothing_was_done(fields: list[tuple[bytes, bytes]]) -> None:
    assert did_nothing(Reply(503, fields))


@pytest.mark.parametrize("fields", [[], [(b"Content-Type", b"text/plain")], [(b"Retry-After", b"")]])
def test_a_503_without_it_may_be_a_router_s_that_has_waited_for_too_long(fields: list[tuple[bytes, bytes]]) -> None:
    assert not did_nothing(Reply(503, fields))


def test_a_429_says_so_in_any_case_and_another_5xx_in_none() -> None:
    assert did_nothing(Reply(429, []))
    assert [did_nothing(Reply(status, AGAIN)) for status in (500, 502, 504, 201)] == [False] * 4
