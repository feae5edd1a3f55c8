"""A count is read from a header, and a header is set where it stands."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.replies.fields import read_count, with_field


def test_a_count_is_read_whatever_case_its_header_is_in() -> None:
    reply = Reply(200, [(b"x-total-count", b"42")])
    assert read_count(reply, "X-Total-Count") == 42
    assert read_count(reply, "X-Other") is None
    assert read_count(reply, None) is None


@pytest.mark.parametrize("value", [b"", b"-1", b"4 2", b"1e3", b"9" * 16, b"many"])
def test_a_count_that_is_no_plain_number_is_a_broken_reply(value: bytes) -> None:
    with pytest.raises(BrokenReplyError, match="X-Total-Count is not a number") as caught:
        read_count(Reply(200, [(b"X-Total-Count", value)]), "X-Total-Count")
    assert caught.value.where == "header X-Total-Count"
    assert f"found `{value.decode()}`" in caught.value.log


def test_a_header_is_set_in_its_place_or_at_the_end() -> None:
    reply = Reply(200, [(b"link", b"old"), (b"Age", b"1")])
    with_field(reply, "Link", b"new")
    with_field(reply, "X-Total-Count", b"7")
    assert reply.fields == [(b"link", b"new"), (b"Age", b"1"), (b"X-Total-Count", b"7")]
    with_field(reply, "LINK", None)
    assert reply.fields == [(b"Age", b"1"), (b"X-Total-Count", b"7")]
