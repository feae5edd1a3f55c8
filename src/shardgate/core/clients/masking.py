"""Hides credentials in the query of a request's target before it is logged or shown (RFC 6750 section 5.3).

Holds: no value that an application could read as a credential is shown, however its parameter is written.
"""

from typing import Final
from urllib.parse import unquote_plus

_SECRET: Final = frozenset({"access_token", "client_assertion", "client_secret", "id_token", "refresh_token", "token"})
MASK: Final = "***"


def masked(target: str) -> str:
    """A path and query with a mask for the value of each credential."""
    path, mark, query = target.partition("?")
    if not mark:
        return target
    return f"{path}?{'&'.join([_masked(pair) for pair in query.split('&')])}"


def _masked(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    known = unquote_plus(name).strip().lower().replace("-", "_").partition("[")[0] in _SECRET
    return f"{name}={MASK}" if equals and known else pair
