"""Whose word about a client's address counts."""

from ipaddress import ip_network

import pytest

from shardgate.core.limits import HOPS_MAX
from shardgate.core.wire.fields import FieldReader
from shardgate.core.wire.forwarded import TrustedProxies
from shardgate.core.wire.request_fields import interpret

NETWORKS = tuple(map(ip_network, ("10.0.0.0/8", "192.0.2.1/32", "fd00::/8")))
TRUSTED = TrustedProxies(NETWORKS)
STANDARD = TrustedProxies(NETWORKS, standard=True)
PROXY = "10.0.0.1"


def read(trusted: TrustedProxies, *lines: bytes) -> tuple[list[bytes], str, str]:
    """The lines for the shard, the client's scheme, and the client."""
    fields = interpret(FieldReader().read(b"\r\n".join([b"Host: a", *lines])))
    sent, scheme, client = trusted.read(fields, PROXY, "http")
    return sent.removesuffix(b"\r\n").split(b"\r\n"), scheme, client


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("10.1.2.3", True),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("fd00::7", True),
        ("[fd00::7]", True),
        ("[fd00::7]:4711", True),
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
        (None, PROXY),
        (b"198.51.100.7", "198.51.100.7"),
        (b"6.6.6.6, 198.51.100.7", "198.51.100.7"),  # the nearest that is not trusted: before it all may be invented
        (b"198.51.100.7, 10.9.9.9", "198.51.100.7"),
        (b"198.51.100.7, nonsense, 10.9.9.9", "10.9.9.9"),
        (b"10.2.2.2, 10.9.9.9", "10.2.2.2"),
        (b"198.51.100.7:4711", "198.51.100.7"),
        (b"[2001:db8::1]:4711", "2001:db8::1"),
        (b",, ,", PROXY),
    ],
)
def test_the_client_is_the_nearest_address_that_is_not_trusted(chain: bytes | None, client: str) -> None:
    lines = [] if chain is None else [b"X-Forwarded-For: " + chain]
    assert read(TRUSTED, *lines)[2] == client


@pytest.mark.parametrize(
    ("value", "chain", "scheme", "client"),
    [
        (b"for=198.51.100.7", b"198.51.100.7, 10.0.0.1", "http", "198.51.100.7"),
        (b"for=198.51.100.7;proto=https;by=10.0.0.1", b"198.51.100.7, 10.0.0.1", "https", "198.51.100.7"),
        (b'For="198.51.100.7:4711";Proto="HTTPS"', b"198.51.100.7, 10.0.0.1", "https", "198.51.100.7"),
        (b'proto=https;for="[2001:db8::1]:80"', b"2001:db8::1, 10.0.0.1", "https", "2001:db8::1"),
        # The scheme is the client's, not that of a hop between proxies, nor what the client says of itself.
        (
            b"for=198.51.100.7;proto=https, for=10.9.9.9;proto=http",
            b"198.51.100.7, 10.9.9.9, 10.0.0.1",
            "https",
            "198.51.100.7",
        ),
        (b"for=6.6.6.6;proto=https, for=198.51.100.7", b"6.6.6.6, 198.51.100.7, 10.0.0.1", "http", "198.51.100.7"),
        (b"for=_hidden, for=10.9.9.9", b"unknown, 10.9.9.9, 10.0.0.1", "http", "10.9.9.9"),
        (b"for=unknown;proto=https", b"unknown, 10.0.0.1", "http", PROXY),
        (b'host="a, b";for=198.51.100.7', b"198.51.100.7, 10.0.0.1", "http", "198.51.100.7"),
        # Malformed, for instance by a client that hopes that what a proxy appends is read as its own words.
        (b'for="6.6.6.6, for=198.51.100.7', b"10.0.0.1", "http", PROXY),
        (b'for="6.6.6.6, for="[2001:db8::1]"', b"10.0.0.1", "http", PROXY),
        (b"for = 6.6.6.6", b"10.0.0.1", "http", PROXY),
        (b"", b"10.0.0.1", "http", PROXY),
    ],
)
def test_forwarded_says_the_same_where_proxies_write_it(value: bytes, chain: bytes, scheme: str, client: str) -> None:
    lines, *found = read(STANDARD, b"Forwarded: " + value, b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: gopher")
    assert found == [scheme, client]
    assert lines[:2] == [b"X-Forwarded-For: " + chain, b"X-Forwarded-Proto: " + scheme.encode()]
    kept = value + b", " if chain != b"10.0.0.1" else b""
    assert lines[3:] == [b"Forwarded: %bfor=10.0.0.1;proto=http" % kept]


def test_of_a_chain_longer_than_any_real_one_the_nearest_addresses_are_read() -> None:
    chain = b",".join(b"10.0.%d.%d" % divmod(n, 250) for n in range(1500))
    sent, _, client = read(TRUSTED, b"X-Forwarded-For: 203.0.113.7," + chain)
    assert client == "10.0.5.150"
    assert sent[0].count(b",") == HOPS_MAX
    sent, _, client = read(STANDARD, b"Forwarded: " + b"," * HOPS_MAX)
    assert client == PROXY
    assert sent[-1] == b"Forwarded: for=10.0.0.1;proto=http"


def test_what_trusted_proxies_do_not_write_is_their_clients_word_and_is_dropped() -> None:
    lines, scheme, client = read(TRUSTED, b"X-Forwarded-For: 198.51.100.7", b"Forwarded: for=6.6.6.6;proto=https")
    assert (scheme, client) == ("http", "198.51.100.7")
    assert not any(line.startswith(b"Forwarded") for line in lines)


def test_further_fields_pass_where_proxies_are_said_to_set_them() -> None:
    sent = [b"X-Forwarded-Host: shop.example", b"X-Forwarded-Port: 443", b"X-Forwarded-Port: 80"]
    lines, _, _ = read(TRUSTED, *sent)
    assert not any(b"shop.example" in line for line in lines)
    lines, _, _ = read(TrustedProxies(NETWORKS, also=(b"x-forwarded-host", b"x-forwarded-port")), *sent)
    assert lines[3:] == [b"X-Forwarded-Host: shop.example"], "what stands twice says nothing"


def test_a_client_that_comes_directly_is_named_in_both_forms() -> None:
    assert TRUSTED.direct_lines("2001:db8::1", "http").count(b"\r\n") == 3
    assert STANDARD.direct_lines("2001:db8::1", "https").endswith(b'\r\nForwarded: for="[2001:db8::1]";proto=https\r\n')
