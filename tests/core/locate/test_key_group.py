"""Whatever lists an application gives, a key has an owner by them only where one shard alone has it."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardgate.core.contracts import Outcome
from shardgate.core.errors import ShardDownError
from shardgate.core.http import Reply
from shardgate.core.limits import BULK_ROUNDS_MAX
from shardgate.core.locate.bulk import Bulk
from shardgate.core.locate.key_group import KeyGroup

KEYS = list("abcdefgh")
BULK = Bulk(path="/x?id={keys}", key="id")


def listed(rows: Sequence[str]) -> Reply:
    return Reply(200, [], json.dumps([{"id": row} for row in rows]).encode())


def asked_of(target: bytes) -> list[str]:
    return target.decode().partition("=")[2].split(",")


HELD = st.lists(st.sampled_from([*KEYS, "y", "z"]), unique=True)


@given(
    held=st.lists(HELD, min_size=2, max_size=3),
    page=st.integers(1, 12),
    heeds=st.booleans(),
    knows_page=st.booleans(),
    down=st.sets(st.integers(0, 2), max_size=1),
)
def test_an_owner_is_the_only_one_that_has_the_key(
    held: list[list[str]], page: int, heeds: bool, knows_page: bool, down: set[int]
) -> None:
    """`heeds`: the application reads the keys; otherwise each list is its first page. A shard that is down says nothing
    of any key, as with probes of one key."""
    shards = [f"s{number}" for number in range(len(held))]
    bulk = Bulk(path="/x?id={keys}", key="id", rows_max=page if knows_page else None)
    group = KeyGroup(bulk, KEYS, shards)
    rounds = 0
    while asks := group.asks():
        rounds += 1
        outcomes: dict[str, Outcome] = {}
        for ask in asks:
            number = shards.index(ask.shard)
            asked = asked_of(ask.target)
            rows = [key for key in held[number] if not heeds or key in asked][:page]
            outcomes[ask.shard] = ShardDownError("down") if number in down else listed(rows)
        group.take(outcomes)
    assert rounds <= BULK_ROUNDS_MAX
    for key, shard in group.owners().items():
        holders = [f"s{number}" for number, own in enumerate(held) if key in own and number not in down]
        assert holders == [shard]


@pytest.mark.parametrize("page", [1, 3, 100])
def test_keys_of_an_application_that_heeds_them_need_no_question_of_their_own(page: int) -> None:
    group = KeyGroup(BULK, KEYS[:6], ["n", "s"])
    held = {"n": "abc", "s": "def"}
    while asks := group.asks():
        group.take(
            {ask.shard: listed([key for key in held[ask.shard] if key in asked_of(ask.target)][:page]) for ask in asks}
        )
    assert group.owners() == {key: shard for shard, keys in held.items() for key in keys}


def test_keys_are_put_into_lists_that_can_be_read_in_one_way() -> None:
    keys = ["a", "b,c", "7", "", "e f", "é", "x" * 5000, "%41", "a.b~c_d:e@f-g"]
    assert BULK.groups(keys) == ([["a", "7", "a.b~c_d:e@f-g"]], ["b,c", "", "e f", "é", "x" * 5000, "%41"])
    assert BULK.target(["a", "7", "a:b"]) == b"/x?id=a,7,a%3Ab"
    piped = Bulk(path="/x/{keys}?a=1", key="id", separator="-|-")
    assert piped.groups(["a-b", "c", "d"]) == ([["c", "d"]], ["a-b"])
    assert piped.target(["c", "d"]) == b"/x/c-%7C-d?a=1"


def test_a_list_has_no_more_keys_than_the_rule_says_and_one_key_needs_none() -> None:
    bulk = Bulk(path="/x?id={keys}", key="id", keys_max=3)
    assert bulk.groups(KEYS[:7]) == ([["a", "b", "c"], ["d", "e", "f"]], ["g"])


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ('{"id":"a"}', "a"),
        ('{"id":7}', "7"),
        ('{"id":7.0}', None),
        ('{"id":null}', None),
        ("{}", None),
        ('{"id":{"id":"a"}}', None),
        ('{"id":true}', None),
    ],
)
def test_the_key_of_a_row_is_a_text_or_an_integer(row: str, key: str | None) -> None:
    assert list(BULK.shown(f"[{row}]".encode())) == [key]
