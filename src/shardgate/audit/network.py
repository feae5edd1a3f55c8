"""Rules about who can reach the gateway, whom it believes, and what travels in the clear."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from shardgate.audit.rule import Danger
from shardgate.config.load import Loaded
from shardgate.core.hosts import is_loopback

# Content delivery networks publish ranges down to /12 and /29; nobody's proxies need more of the public Internet.
_IPV4_PREFIX_MIN = 12
_IPV6_PREFIX_MIN = 24
_IPV4_SUBNET = 24
_IPV6_SUBNET = 64
_PRIVATE = [
    ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16")
]
_PRIVATE_IPV6 = [ip_network(each) for each in ("fc00::/7", "fe80::/10", "::1/128")]


def admin_that_others_reach(loaded: Loaded) -> Iterator[Danger]:
    """SGA10."""
    if loaded.admin is not None and not is_loopback(loaded.admin[0]):
        yield Danger("admin", f"the admin address {_shown(*loaded.admin)} can be reached from other machines")


def proxies_that_anybody_can_be(loaded: Loaded) -> Iterator[Danger]:
    """SGA11."""
    for number, network in enumerate(loaded.trusted.networks):
        if _is_wide(network):
            yield Danger(f"trusted_proxies[{number}]", f"{network} are {network.num_addresses:,} addresses")


def shards_in_the_clear(loaded: Loaded) -> Iterator[Danger]:
    """SGA12."""
    for name, shard in loaded.shards.items():
        for instance in shard.instances if shard.tls is None else ():
            if not is_loopback(instance.host):
                yield Danger(f"shards.{name}", f"{instance.host} is on another machine, and is spoken to without TLS")


def clients_in_the_clear(loaded: Loaded) -> Iterator[Danger]:
    """SGA13."""
    if loaded.tls is None and not loaded.trusted.networks and is_public(loaded):
        yield Danger("listen", f"{_shown(loaded.host, loaded.port)} takes clients of other machines, without TLS")


def trailers_that_pass(loaded: Loaded) -> Iterator[Danger]:
    """SGA14."""
    if loaded.config.request_trailers == "pass":
        yield Danger("request_trailers", "trailer fields of clients go on to the shards")


def shared_network(loaded: Loaded) -> IPv4Network | IPv6Network | None:
    """A network of `trusted_proxies` in which clients may be, too: no subnet that proxies have alone is so large."""
    for network in loaded.trusted.networks:
        prefix_min = _IPV4_SUBNET if isinstance(network, IPv4Network) else _IPV6_SUBNET
        if network.prefixlen < prefix_min and not network.is_loopback:
            return network
    return None


def is_public(loaded: Loaded) -> bool:
    """Whether other machines can reach the clients' address."""
    return not is_loopback(loaded.host)


def _is_wide(network: IPv4Network | IPv6Network) -> bool:
    if isinstance(network, IPv4Network):
        known = any(network.subnet_of(each) for each in _PRIVATE if isinstance(each, IPv4Network))
        return network.prefixlen < _IPV4_PREFIX_MIN and not known
    known = any(network.subnet_of(each) for each in _PRIVATE_IPV6 if isinstance(each, IPv6Network))
    return network.prefixlen < _IPV6_PREFIX_MIN and not known


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
