"""Whether a reply is one client's, so that no other gets it though it has asked the same."""

from collections.abc import Iterable

_OF_ONE_CLIENT = (b"private", b"no-store")


def is_of_one_client(fields: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a reply says that it is for its client alone (RFC 9111 sections 5.2.2.5 and 5.2.2.7)."""
    for name, value in fields:
        lower = name.lower()
        if lower == b"set-cookie":
            return True
        if lower == b"cache-control" and any(word in value.lower() for word in _OF_ONE_CLIENT):
            return True
    return False
