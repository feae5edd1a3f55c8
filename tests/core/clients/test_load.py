"""What a client is counted by."""

import pytest

from shardgate.core.clients.load import ClientBounds, ClientLoad, name_of_address


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_address_is_named_by_what_one_subscriber_has(address: str, name: str) -> None:
    assert name_of_address(address) == name


def test_a_client_is_idle_when_nothing_of_it_is_here() -> None:
    load = ClientLoad("a", None)
    for what in ("connections", "requests", "uploads"):
        assert load.is_idle
        setattr(load, what, 1)
        assert not load.is_idle
        setattr(load, what, 0)


def test_a_bucket_is_made_only_where_there_is_a_rate() -> None:
    assert ClientBounds(1, 1, 1).bucket(0.0) is None
    bucket = ClientBounds(1, 1, 1, rate_per_s=1.0, burst=2).bucket(0.0)
    assert bucket is not None
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
