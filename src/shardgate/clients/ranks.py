"""Which priority class a request is of, before it is taken on.

A claim decides only once its token is verified, and a token is verified before its request is taken on where it was not
seen before. Whoever sends tokens that are not good would make the worker do that again and again: so each address may
send a few in a moment; beyond that, its requests are of the class of those without a token until the moment is over.

Holds: what a client cannot prove does not put it into a class.
Never: refuses a request.
"""

from collections.abc import Mapping
from typing import Final

from shardgate.clients.callers import Callers
from shardgate.core.clients.classes import Classes
from shardgate.core.http import Request
from shardgate.core.routes.route import Route
from shardgate.net.client.contracts import Client
from shardgate.net.clock import now

MOMENT_S: Final = 0.25
BAD_TOKENS_MAX: Final = 4
"""From one address, in a moment: 1.6 ms a second for each, at 0.1 ms a signature."""
BAD_TOKENS_OF_ALL_MAX: Final = 64


class Ranks:
    """The classes of one worker's requests."""

    __slots__ = ("_bad", "_bad_until", "_callers", "classes")

    def __init__(self, classes: Classes, callers: Callers | None) -> None:
        self.classes = classes
        self._callers = callers
        self._bad: dict[str, int] = {}
        """Address → tokens that were not good, in this moment."""
        self._bad_until = 0.0

    def rank_of(self, request: Request, route: Route, client: Client) -> int:
        """The rank of a request's class."""
        claims = request.claims
        if claims is None and self.classes.reads_claims and self._callers is not None:
            claims = self._claims(self._callers, request, route, client.peer)
        return self.classes.rank_of(request, id(route), claims, is_proxied=client.is_proxied)

    def _claims(self, callers: Callers, request: Request, route: Route, address: str) -> Mapping[str, object] | None:
        instant = now()
        if instant >= self._bad_until:
            self._bad_until = instant + MOMENT_S
            self._bad.clear()
        bad = self._bad
        few = bad.get(address, 0) < BAD_TOKENS_MAX and len(bad) < BAD_TOKENS_OF_ALL_MAX
        claims = callers.claims_of(request, route, verifies=few)
        if claims is None and few and b"authorization" in request.fields.values:
            bad[address] = bad.get(address, 0) + 1
        return claims
