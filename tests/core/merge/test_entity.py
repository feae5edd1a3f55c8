"""One entity in parts: the parts that shards show become the whole."""

import json

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.http import Reply
from shardgate.core.merge.entity import Entity
from shardgate.core.parts.whole import Parts
from tests.core.merge.merging import merged, ok

ORDER = Entity(parts=Parts(sum=("price",), lists={"items": ("id",)}, first_of={"status": ("open", "paid")}))
NORTH = '{"id":7,"price":10.50,"items":[{"id":2}],"status":"paid"}'
SOUTH = '{"id":7,"price":20,"items":[{"id":1}],"status":"open"}'


def test_parts_become_the_whole() -> None:
    reply = merged(ORDER, NORTH, Reply(404, []), SOUTH)
    assert reply.body == b'{"id":7,"price":30.50,"items":[{"id":1},{"id":2}],"status":"open"}'


def test_a_whole_that_one_shard_has_keeps_its_bytes() -> None:
    assert merged(ORDER, Reply(404, []), SOUTH).body == SOUTH.encode()


def test_where_no_shard_has_a_part_the_404_is_the_reply() -> None:
    assert merged(ORDER, Reply(404, []), Reply(404, [], b"none")).status == 404


def test_a_shard_that_fails_is_not_one_without_a_part() -> None:
    assert merged(ORDER, ok(NORTH), Reply(500, [])).status == 500


def test_parts_of_which_only_some_have_a_member_are_broken() -> None:
    with pytest.raises(BrokenReplyError) as caught:
        merged(ORDER, NORTH, json.dumps({"id": 7}))
    assert caught.value.log == "1 of 2 parts have 'price', the others do not"
