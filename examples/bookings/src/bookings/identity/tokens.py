"""Access tokens: signed, so that they are verified without the database; one alive per client.

Holds: what was verified once is remembered by the token's text, in bounded memory, until it ends.
"""

import uuid
from collections.abc import Sequence

import jwt
from sqlalchemy import Connection, insert, update
from sqlalchemy.exc import IntegrityError

from bookings import tables as t
from bookings.clock import Clock
from bookings.errors import TOKEN_ALIVE, UNAUTHORIZED, ApiError
from bookings.identity.clients import Client, Registration

_ALGORITHM = "HS256"
_VERIFIED_MAX = 10_000  # tokens remembered; a client has one, so this is also a number of clients


class Tokens:
    """Signs and verifies."""

    def __init__(self, secret: str, lifetime_s: int, clock: Clock) -> None:
        self._secret = secret
        self.lifetime_s = lifetime_s
        self._clock = clock
        self._verified: dict[str, tuple[Client, float]] = {}

    def issue(self, client: Registration, scopes: Sequence[str]) -> str:
        now = int(self._clock().timestamp())
        claims = {
            "sub": client.id,
            "vendor": client.vendor_id,
            "scope": " ".join(scopes),
            "iat": now,
            "exp": now + self.lifetime_s,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def verify(self, token: str) -> Client:
        client, expires_at = self._verified.get(token) or self._decode(token)
        if expires_at <= self._clock().timestamp():
            self._verified.pop(token, None)
            raise unauthorized("the access token has expired")
        return client

    def claim(self, connection: Connection, client_id: str, *, replace: bool = False) -> None:
        """Makes the client's next token its only living one, or refuses while another lives.

        Two steps that are each atomic: of two callers at once, one gets the row.
        """
        now = int(self._clock().timestamp())
        statement = update(t.tokens).where(t.tokens.c.client_id == client_id)
        if not replace:
            statement = statement.where(t.tokens.c.expires_at <= now)
        row = {"client_id": client_id, "expires_at": now + self.lifetime_s}
        if connection.execute(statement.values(row)).rowcount:
            return
        try:
            connection.execute(insert(t.tokens).values(row))
        except IntegrityError:
            raise ApiError(TOKEN_ALIVE, "please reuse your oauth tokens") from None

    def _decode(self, token: str) -> tuple[Client, float]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                # The time is judged by our own clock, in verify().
                options={"verify_exp": False, "verify_iat": False, "require": ["sub", "exp"]},
            )
        except jwt.PyJWTError:
            raise unauthorized("the access token is not valid") from None
        client = Client(claims["sub"], claims["vendor"], frozenset(claims["scope"].split()))
        if len(self._verified) >= _VERIFIED_MAX:
            self._verified.pop(next(iter(self._verified)))
        found = (client, float(claims["exp"]))
        self._verified[token] = found
        return found


def unauthorized(description: str) -> ApiError:
    return ApiError(UNAUTHORIZED, description, {"WWW-Authenticate": "Bearer"})
