"""The end of a request's body is found, however its bytes arrive."""

import pytest

from shardgate.core.errors import MalformedRequestError
from shardgate.core.wire.body import BodyReader


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(("length", "sent"), [(5, b"helloGET /"), (None, b"5\r\nhello\r\n0\r\n\r\nGET /")])
def test_the_body_and_what_stands_behind_it(length: int | None, sent: bytes, size: int) -> None:
    reader, body, position = BodyReader(length), b"", 0
    while not reader.done:
        body += reader.feed(sent[position : position + size])
        position += size
    assert body == b"hello"
    assert reader.rest + sent[position:] == b"GET /"


def test_an_empty_body_is_over_at_once() -> None:
    assert BodyReader(0).done
    assert not BodyReader(None).done


def test_trailers_that_may_pass() -> None:
    reader = BodyReader(None)
    reader.feed(b"0\r\nX-Sum: 7\r\nHost: other\r\n\r\n")
    assert reader.trailers == b"X-Sum: 7\r\n"


def test_a_broken_frame_shows_what_stands_there() -> None:
    with pytest.raises(MalformedRequestError, match="the chunk size `five` is not 1 to 15 hexadecimal digits"):
        BodyReader(None).feed(b"five\r\nhello\r\n")
    with pytest.raises(MalformedRequestError, match="`!!` stands there"):
        BodyReader(None).feed(b"5\r\nhello!!")
