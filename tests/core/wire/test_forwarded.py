"""Whose word about a client's address counts."""

from ipaddress import ip_network

import pytest

from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.forwarded import TrustedProxies
from shardgate.core.wire.request_head import interpret

TRUSTED = TrustedProxies(tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.1/32", "fd00::/8"))))


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("fd00::7", True),
        ("[fd00::7]", True),
        ("2001:db8::1", False),
        ("::ffff:10.1.2.3", True),
        ("unknown", False),
        ("", False),
    ],
)
def test_which_addresses_are_trusted(address: str, trusted: bool) -> None:
    assert TRUSTED.covers(address) is trusted
    assert not TrustedProxies().covers(address)


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (None, "10.0.0.1"),
        (b"198.51.100.7", "198.51.100.7"),
        (b"6.6.6.6, 198.51.100.7", "198.51.100.7"),  # the nearest that is not trusted: before it all may be invented
        (b"198.51.100.7, 10.9.9.9", "198.51.100.7"),
        (b"198.51.100.7, nonsense, 10.9.9.9", "10.9.9.9"),
        (b"10.2.2.2, 10.9.9.9", "10.2.2.2"),
        (b"198.51.100.7:4711", "198.51.100.7:4711"),
        (b",, ,", "10.0.0.1"),
    ],
)
def test_the_client_is_the_nearest_address_that_is_not_trusted(chain: bytes | None, client: str) -> None:
    lines = [b"Host: a"] + ([] if chain is None else [b"X-Forwarded-For: " + chain])
    fields = interpret(FieldReader().read(b"\r\n".join(lines)))
    assert TRUSTED.client_of(fields, "10.0.0.1") == client
