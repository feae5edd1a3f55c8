"""The reply of the first shard that has the thing."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.merge.first import First
from tests.core.merge.merging import merged, ok


def test_the_first_that_has_it_is_the_first_in_the_configuration() -> None:
    nothing, one, two = Reply(404, [], b"none"), ok("one"), ok("two")
    assert merged(First(), nothing, one, two) is one
    assert merged(First(), two, one) is two
    assert merged(First(), nothing, Reply(404, [], b"neither")) is nothing
    assert merged(First(not_here=(404, 410)), Reply(410, []), one) is one
    assert merged(First(empty=True), ok(" [ ]\n"), ok("null"), one) is one
    assert merged(First(empty=False), ok("[]"), one).body == b"[]"
    assert merged(First(empty=True), nothing, ok("{}")).body == b"{}"


def test_a_failure_before_the_first_hides_who_is_first() -> None:
    nothing, failure, one = Reply(404, []), Reply(500, []), ok("one")
    assert merged(First(), nothing, failure, one) is failure
    assert merged(First(), one, failure) is one
    assert merged(First(), nothing, Reply(403, [])).status == 403


def test_a_204_before_the_thing_is_never_guessed_to_be_the_thing() -> None:
    # Found (L1): a shard that has nothing says so by a 204, which was the whole reply.
    with pytest.raises(BrokenReplyError) as caught:
        merged(First(), Reply(204, []), ok("one"))
    assert "not_here: [204, 404]" in caught.value.log
    one = ok("one")
    assert merged(First(not_here=(204, 404)), Reply(204, []), one) is one
    assert merged(First(), Reply(404, []), Reply(204, [])).status == 204
    assert merged(First(), one, Reply(204, [])) is one


@pytest.mark.parametrize("bare", ["[]", "{}", "null", "", " [ ]"])
def test_an_empty_reply_before_the_thing_is_never_guessed_to_be_the_thing(bare: str) -> None:
    # Found: of shards that say by `[]` that they have nothing, the first one's was the reply, with 200.
    one = ok("one")
    with pytest.raises(BrokenReplyError) as caught:
        merged(First(), ok(bare), one)
    assert "empty: true" in caught.value.log
    assert merged(First(), Reply(404, []), ok(bare)).body == bare.encode()
    assert merged(First(), ok(bare), ok("null")).body == bare.encode()
    assert merged(First(), one, ok(bare)) is one
