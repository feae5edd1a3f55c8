"""One row a line."""

import pytest

from shardgate.core.dialect.ndjson import Ndjson
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from tests.core.dialect.pages_of import written


@pytest.mark.parametrize(
    ("body", "merged"),
    [
        (b'{"id":"a"}\n', b'{"id":"c"}\n{"id":"d"}\n'),
        (b'{"id":"a"}\r\n{"id":"b"}\r\n', b'{"id":"c"}\r\n{"id":"d"}\r\n'),
        (b'{"id":"a"}\n{"id":"b"}', b'{"id":"c"}\n{"id":"d"}'),
        (b"", b'{"id":"c"}\n{"id":"d"}\n'),
    ],
)
def test_lines_end_as_the_application_ends_them(body: bytes, merged: bytes) -> None:
    assert written(Ndjson(), Reply(200, [], body)).body == merged


def test_a_line_that_is_not_one_row_is_named() -> None:
    with pytest.raises(BrokenReplyError) as caught:
        Ndjson().open(Reply(200, [], b'{"id":"a"}\n{"id":"b"},{"id":"c"}\n'))
    assert caught.value.where == "line 1, counted from 0"
    assert caught.value.log == 'found `{"id":"b"},{"id":"c"}`'
