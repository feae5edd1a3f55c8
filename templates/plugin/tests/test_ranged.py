"""The dialect, called as the gateway calls it: with a shard's reply, and with a merged page."""

from dataclasses import dataclass

import pytest

from shardgate.extend import BrokenReplyError, Merged, Page, Reply
from shop_plugins.ranged import Ranged

SHARD = Reply(200, [(b"Content-Type", b"application/json")], b'{"range":"0-1/3","items":[{"id":1},{"id":4}],"v":2}')


@dataclass
class Asked:
    """As much of a request as this dialect's `read` looks at."""

    query: str


def test_a_page_is_read_from_the_applications_parameters() -> None:
    assert Ranged().read(Asked("skip=20&take=10")) == Page(20, 10, (), None)


def test_rows_and_size_are_found_in_a_shards_reply() -> None:
    listing = Ranged().open(SHARD)
    assert (listing.rows, listing.total) == (b'[{"id":1},{"id":4}]', 3)


def test_a_list_without_a_range_is_broken() -> None:
    with pytest.raises(BrokenReplyError):
        Ranged().open(Reply(200, [], b'{"items":[]}'))


@pytest.mark.parametrize(("shown", "stated"), [(2, b'"10-11/12"'), (0, b'"*/12"')])
def test_a_merged_page_states_its_own_range_and_keeps_the_other_members(shown: int, stated: bytes) -> None:
    page = Page(10, 20, (), None)
    merged = Merged(Asked(""), page, b"[1,2]", shown, 12, more=False, reply=SHARD)
    assert Ranged().close(merged).body == b'{"range":%b,"items":[1,2],"v":2}' % stated
