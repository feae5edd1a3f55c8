"""Admits a request: verifies its token, then counts it against its client's quota.

Holds: a request is verified and counted once, also when its body arrives later. Its claims are used only after its
token is verified.
Never: plans a request or sends one.
"""

import asyncio
from collections.abc import Callable, Mapping

from shardgate.clients.keys import KeyRing
from shardgate.clients.quota import Quota
from shardgate.clients.tokens import Tokens, UnseenKeyError
from shardgate.core.clients.terms import ClientTerms
from shardgate.core.errors import InvalidTokenError, ShardgateError
from shardgate.core.http import Request
from shardgate.core.plan.operators import Operators
from shardgate.core.routes.route import Route, Routes
from shardgate.net import tasks
from shardgate.net.client.contracts import Client
from shardgate.net.clock import wall
from shardgate.store.tally import Tally
from shardgate.store.writer import Writer


class Callers:
    """The clients of one worker."""

    __slots__ = ("_binding", "_open", "_passes", "_quota", "_refused", "_tokens", "operators", "ring")

    def __init__(self, terms: ClientTerms, routes: Routes, quota: Quota | None) -> None:
        """Raises KeysError."""
        self.ring = KeyRing(terms.tokens.source, terms.tokens.algorithms)
        """The keys that tokens are verified with."""
        self.ring.load()
        self._tokens = Tokens(self.ring, terms.tokens)
        self._passes = terms.passes
        self._refused = terms.refused
        self._binding = terms.binding
        self.operators = Operators(terms.operators) if terms.operators else None
        """Who may look behind the gateway; None: nobody."""
        self._quota = quota
        # By identity: a route is one object for as long as its configuration is in force.
        self._open = frozenset(id(each) for each in routes.routes if f"{each.method} {each.template}" in terms.open)

    def admit(self, request: Request, route: Route, client: Client, again: Callable[[], None]) -> bool:
        """Whether the request may be handled now.

        False: its key is being fetched; `again` is called when the fetch is over. Raises ShardgateError where the
        request is refused.
        """
        if request.claims is not None or id(route) in self._open:
            return True
        request.binding = self._binding
        try:
            caller = self._tokens.caller(request, wall())
        except InvalidTokenError as error:
            if isinstance(error, UnseenKeyError) and self.ring.may_refresh:
                client.adopt(tasks.start(self._wait(again), "keys"))
                return False
            self._refuse(error, request)
            return True
        request.claims = caller.claims
        if self._quota is not None:
            counted = self._quota.count(caller.client, request.path)
            if counted is None:
                request.claims = None  # it is counted when it comes again
                client.adopt(tasks.start(self._claim(self._quota, caller.client, again), "quota"))
                return False
            lines, spent = counted
            client.annotate(lines)
            if spent is not None:
                raise spent
        return True

    def claims_of(self, request: Request, route: Route, *, verifies: bool) -> Mapping[str, object] | None:
        """The claims of a request that is not admitted yet; None: no good token is known of it.

        `verifies`: a token that was not seen before is verified. Nothing is counted.
        """
        if request.claims is not None or id(route) in self._open:
            return request.claims
        if not (verifies or self._tokens.remembers(request)):
            return None
        try:
            return self._tokens.caller(request, wall()).claims
        except ShardgateError:  # `admit` says it
            return None

    def know(self, request: Request, client: Client, again: Callable[[], None]) -> bool:
        """Verify who asks for something of the gateway's own, and count nothing.

        False: the key of the token is being fetched; `again` is called when the fetch is over. A request without a
        good token has no claims, and is nobody's.
        """
        if request.claims is not None:
            return True
        try:
            request.claims = self._tokens.caller(request, wall()).claims
        except InvalidTokenError as error:
            if isinstance(error, UnseenKeyError) and self.ring.may_refresh:
                client.adopt(tasks.start(self._wait(again), "keys"))
                return False
        return True

    def identify(self, request: Request, route: Route) -> None:
        """Verify a request that is only explained, and count nothing. Raises ShardgateError where it is refused."""
        if id(route) in self._open:
            return
        request.binding = self._binding
        try:
            request.claims = self._tokens.caller(request, wall()).claims
        except InvalidTokenError as error:
            self._refuse(error, request)

    async def fetch_keys(self) -> None:
        """Fetch keys that are at a URL. A failure is logged; the next fetch is in `KeyRing.follow`."""
        await self.ring.refresh()

    async def start(self) -> list[asyncio.Task[None]]:
        """Fetch keys, then start the tasks that renew keys and store counts. The caller cancels them."""
        await self.fetch_keys()
        running = [tasks.start(self.ring.follow(), "keys")]
        if self._quota is not None:
            running.append(tasks.start(self._quota.follow(), "usage"))
        return running

    async def stop(self) -> None:
        """Store what was counted."""
        if self._quota is not None:
            await self._quota.store_counts()

    def close(self) -> None:
        """Close the quota's store."""
        if self._quota is not None:
            self._quota.close()

    @staticmethod
    async def _claim(quota: Quota, client: str, again: Callable[[], None]) -> None:
        await quota.claim(client)
        again()

    def _refuse(self, error: InvalidTokenError, request: Request) -> None:
        """Raise the refusal, unless the request is a preflight, or the configuration lets unverified requests pass for
        the application to judge."""
        if _is_preflight(request):
            request.binding = frozenset()
        elif not self._passes:
            raise self._refused.say(error, request.path)

    async def _wait(self, again: Callable[[], None]) -> None:
        await self.ring.refresh()
        again()


def _is_preflight(request: Request) -> bool:
    """Whether a browser asks what it may send: it never sends a token with that (Fetch standard, CORS-preflight)."""
    values = request.fields.values
    return request.method == "OPTIONS" and b"origin" in values and b"access-control-request-method" in values


def callers_for(
    terms: ClientTerms | None, routes: Routes, tally: Tally | None, writer: Writer | None
) -> Callers | None:
    """Make what the configuration asks for: None where it has no `clients`. Raises KeysError."""
    if terms is None:
        return None
    quota = None
    if terms.quota is not None and tally is not None and writer is not None:
        quota = Quota(terms.quota, tally, writer)
    return Callers(terms, routes, quota)
