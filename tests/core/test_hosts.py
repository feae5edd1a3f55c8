"""Where a host is, as far as its name says."""

import pytest

from shardgate.core.hosts import address_in, host_of, is_loopback


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.nip.io", "notlocalhost", "", "127.1"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_an_address_is_no_name() -> None:
    assert str(address_in("[fe80::1%eth0]")) == "fe80::1"
    assert address_in("example.com") is None


@pytest.mark.parametrize(
    ("authority", "host"),
    [("a.b:80", "a.b"), ("A.b.", "a.b"), ("[::1]:9901", "::1"), ("[::1]", "::1"), ("10.0.0.1:1", "10.0.0.1"), ("", "")],
)
def test_the_host_of_a_field(authority: str, host: str) -> None:
    assert host_of(authority) == host
