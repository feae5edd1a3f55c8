"""The size of a whole list is never a sum of only some."""

import pytest

from shardgate.core.errors import BrokenReplyError
from shardgate.core.replies.totals import whole_total

SHARDS = ("north", "south", "east")


def test_sizes_add_up() -> None:
    assert whole_total({"north": 3, "south": 0, "east": 4}, SHARDS) == 7
    assert whole_total({}, SHARDS) is None


def test_a_size_that_only_some_state_is_an_error_that_says_who_does_not() -> None:
    with pytest.raises(BrokenReplyError) as caught:
        whole_total({"south": 3}, SHARDS)
    assert caught.value.log == "1 of 3 shards state it; these do not: north, east"
