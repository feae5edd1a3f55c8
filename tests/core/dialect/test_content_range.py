"""A bare array with its range in a header."""

import pytest

from shardgate.core.dialect.content_range import ContentRange
from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from tests.core.dialect.pages_of import header, written


def shard(content_range: bytes) -> Reply:
    return Reply(206, [(b"Content-Range", content_range)], b'[{"id":"c"}]')


@pytest.mark.parametrize(("text", "total"), [(b"0-0/5", 5), (b"items 0-0/5", 5), (b"*/0", 0), (b"0-0/*", None)])
def test_the_size_that_a_shard_states(text: bytes, total: int | None) -> None:
    assert ContentRange().open(shard(text)).total == total


def test_the_range_of_the_merged_page() -> None:
    reply = written(ContentRange(unit="items"), shard(b"items 0-0/5"))
    assert (reply.status, header(reply, "Content-Range")) == (206, "items 2-3/9")
    assert header(written(ContentRange(), shard(b"0-0/5"), rows=b"[]", shown=0), "Content-Range") == "*/9"
    assert written(ContentRange(), shard(b"0-0/*"), total=None).status == 200


def test_a_refusal_states_the_size_of_the_whole_list() -> None:
    refused = ContentRange().refused(Reply(416, [(b"Content-Range", b"*/5")]), 9)
    assert header(refused, "Content-Range") == "*/9"


@pytest.mark.parametrize(("reply", "found"), [(Reply(200, []), "``"), (shard(b"bytes"), "`bytes`")])
def test_a_range_that_cannot_be_read_is_shown(reply: Reply, found: str) -> None:
    with pytest.raises(BrokenReplyError) as caught:
        ContentRange().open(reply)
    assert caught.value.where == "header Content-Range"
    assert caught.value.log.startswith(f"found {found}, expected")
