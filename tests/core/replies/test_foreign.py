"""A reply that a plug-in made is sent only where it is one HTTP message."""

from typing import Any

import pytest

from shardgate.core.guard import PluginError
from shardgate.core.http import Reply
from shardgate.core.replies.foreign import checked


def test_fields_that_frame_the_message_are_left_out() -> None:
    fields = [(b"X-A", b"1"), (b"Content-Length", b"9"), (b"TRANSFER-ENCODING", b"chunked"), (b"connection", b"close")]
    assert checked("a:B", "close", Reply(200, fields, b"{}")).fields == [(b"X-A", b"1")]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"{}",
        Reply("200", []),  # type: ignore[arg-type]
        Reply(True, []),  # noqa: FBT003 - it is no status
        Reply(101, []),
        Reply(600, []),
        Reply(200, [], "text"),  # type: ignore[arg-type]
        Reply(200, [], None),  # type: ignore[arg-type]
        Reply(200, {b"a": b"b"}),  # type: ignore[arg-type]
        Reply(200, None),  # type: ignore[arg-type]
        Reply(200, [("a", "b")]),  # type: ignore[list-item]
        Reply(200, [(b"a", b"b", b"c")]),  # type: ignore[list-item]
        Reply(200, [(b"a b", b"c")]),
        Reply(200, [(b"", b"c")]),
        Reply(200, [(b"a", b"b\r\nSet-Cookie: c=d")]),
        Reply(200, [(b"a", b"b\n")]),
        Reply(200, [(b"a", b"\0")]),
        Reply(200, [], b"", b"OK\r\nA: b"),
        Reply(200, [], b"", "OK"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_reply_is_an_error_of_the_plug_in(reply: Any) -> None:
    with pytest.raises(PluginError, match=r"plug-in a:B: close returned \w+; expected: a Reply"):
        checked("a:B", "close", reply)
