"""The key of an item, at the depth that the rule names."""

import msgspec
import pytest

from shardgate.core.body.item_key import key_of
from shardgate.core.errors import AmbiguousKeyError


def key(item: bytes, path: str = "vendor.id") -> str | None:
    return key_of(msgspec.Raw(item), path)


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (b'{"vendor":{"id":"v1"}}', "v1"),
        (b'{"vendor":{"id":7}}', "7"),
        (b'{"vendor.id":"flat","vendor":{"id":"v1"}}', "flat"),
        (b'{"vendor":{"id":null}}', None),
        (b'{"vendor":{"id":{}}}', None),
        (b'{"vendor":[{"id":"v1"}]}', None),
        (b'{"vendor":"v1"}', None),
        (b"{}", None),
        (b"7", None),
    ],
)
def test_the_key_is_found_where_the_path_leads(item: bytes, found: str | None) -> None:
    assert key(item) == found


def test_a_path_may_be_deeper_and_may_be_one_name() -> None:
    assert key(b'{"a":{"b":{"c":"x"}}}', "a.b.c") == "x"
    assert key(b'{"a":"x"}', "a") == "x"


@pytest.mark.parametrize(
    "item",
    [
        b'{"vendor":{"id":"v1"},"Vendor":{"id":"v2"}}',
        b'{"vendor":{"id":"v1"},"vendor":{"id":"v2"}}',
        b'{"vendor":{"id":"v1","ID":"v2"}}',
        b'{"vendor":{"id":"v1","id":"v2"}}',
    ],
)
def test_what_two_servers_could_read_differently_is_refused(item: bytes) -> None:
    with pytest.raises(AmbiguousKeyError):
        key(item)
