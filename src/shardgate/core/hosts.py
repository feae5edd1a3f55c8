"""What a host's name says of where it is: on this machine, or anywhere.

Never: looks a name up.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


def address_in(host: str) -> IPv4Address | IPv6Address | None:
    """The address that is written there, `[::1]` without its brackets; None: it is a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant (RFC 6761 section 6.3). A name that is looked up is never one."""
    address = address_in(host)
    if address is None:
        name = host.lower().rstrip(".")
        return name in _LOOPBACK_NAMES or name.endswith(".localhost")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def host_of(authority: str) -> str:
    """The host of a `Host` field, in lower case, without port, brackets and final dot."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.rpartition(":")[0 if ":" in authority else 2].lower().rstrip(".")


def server_of(text: str) -> tuple[str, int] | None:
    """A resolver's address and port: `10.0.0.2`, `10.0.0.2:5353`, `[fd00::2]:53`; None: it is none."""
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not text.startswith("[")):
        host, port = text, "53"
    address = address_in(host)
    if address is None or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    return str(address), int(port)
