"""Lets a request in: its token, its quota, its scopes, in this order.

Never: touches the database.
"""

from collections.abc import Sequence

from bookings.errors import FORBIDDEN, ApiError
from bookings.identity.clients import Client
from bookings.identity.quota import Quota
from bookings.identity.tokens import Tokens, unauthorized


class Guard:
    """Turns an Authorization header into a client, or refuses."""

    def __init__(self, tokens: Tokens, quota: Quota) -> None:
        self._tokens = tokens
        self._quota = quota

    def admit(self, authorization: str | None, alternatives: Sequence[frozenset[str]]) -> Client:
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized("an access token is needed: Authorization: Bearer …")
        client = self._tokens.verify(token.strip())
        self._quota.count(client.id)
        if not any(scopes <= client.scopes for scopes in alternatives):
            wanted = " or ".join(" ".join(sorted(scopes)) for scopes in alternatives)
            raise ApiError(FORBIDDEN, f"the access token lacks the scope {wanted}")
        return client
