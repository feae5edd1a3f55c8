"""The locator, called as the gateway calls it: with the key of a request."""

import pytest

from shardgate.extend import UNKNOWN, Known, Topology
from shop_plugins.ranges import Ranges

KNOWN = Known(Topology({}), memory=None)  # this locator looks at neither
RANGES = Ranges(up_to={"north": 999, "south": 1999})


@pytest.mark.parametrize(("key", "shard"), [("0", "north"), ("999", "north"), ("1000", "south"), ("1999", "south")])
def test_a_key_is_on_the_shard_of_its_range(key: str, shard: str) -> None:
    assert RANGES.locate("product", key, KNOWN) == shard


@pytest.mark.parametrize("key", ["", "-1", "2000", "1e3", "٣", "9" * 5000])
def test_a_key_in_no_range_is_unknown(key: str) -> None:
    assert RANGES.locate("product", key, KNOWN) is UNKNOWN
