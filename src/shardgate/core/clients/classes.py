"""Priority classes: which requests are refused first while a worker has more to do than it can.

Holds: each request is of one class. A claim counts only once its token is verified. A header field counts only where a
trusted proxy has sent it, or the operator has said that anybody may; one that came twice counts for nothing.
Never: verifies a token, or knows who is a trusted proxy.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from shardgate.core.clients.claims import keys_in
from shardgate.core.http import Request

CLASSES_MAX: Final = 8
"""Each is squeezed before the next, which takes some tenths of a second."""

WantedValues = tuple[tuple[str, frozenset[str]], ...]
"""Names, each with the values of which one must be there."""


class ClassMatch(msgspec.Struct, frozen=True):
    """What puts a request into a class: all that is said here."""

    claims: WantedValues = ()
    headers: WantedValues = ()
    """Their names are in lower case."""
    operations: frozenset[str] | None = None
    """Their names; None: all."""
    from_anyone: bool = False
    """The headers count whoever sends them."""

    def fits(self, request: Request, claims: Mapping[str, object] | None, *, is_proxied: bool) -> bool:
        """Whether the request is of the class, as far as its operation has not decided."""
        if self.headers and not (is_proxied or self.from_anyone):
            return False
        return all(not values.isdisjoint(keys_in(claims, name)) for name, values in self.claims) and all(
            _said(request, name) in values for name, values in self.headers
        )


class PriorityClass(msgspec.Struct, frozen=True):
    """One class."""

    name: str
    matches: tuple[ClassMatch, ...] = ()
    """One of them is enough. Empty: it has what no class has."""


class Classes:
    """The classes of one configuration; rank 0 is refused last."""

    __slots__ = ("_by_route", "_default", "names", "reads_claims")

    def __init__(self, classes: Sequence[PriorityClass], operations: Mapping[int, str]) -> None:
        """One class has no matches. `operations`: identity of a route → its name, `GET /orders`."""
        self.names = tuple(each.name for each in classes)
        self.reads_claims = any(match.claims for each in classes for match in each.matches)
        """The class of a request may depend on its token."""
        self._default = next(rank for rank, each in enumerate(classes) if not each.matches)
        matches = [(rank, match) for rank, each in enumerate(classes) for match in each.matches]
        self._by_route = {
            route: [(rank, match) for rank, match in matches if match.operations is None or name in match.operations]
            for route, name in operations.items()
        }

    def rank_of(self, request: Request, route: int, claims: Mapping[str, object] | None, *, is_proxied: bool) -> int:
        """Of the first class that has the request. `route`: its identity. `claims`: of its verified token."""
        for rank, match in self._by_route.get(route, ()):
            if match.fits(request, claims, is_proxied=is_proxied):
                return rank
        return self._default


def _said(request: Request, name: str) -> str:
    """What the request says in a header field; empty where it does not, or says it twice."""
    key, fields = name.encode("ascii"), request.fields
    return "" if key in fields.repeated else fields.values.get(key, b"").decode("latin-1")
