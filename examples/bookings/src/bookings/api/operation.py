"""What all operations share: the route that guards itself, and what is handed to an endpoint.

Holds: an operation enforces exactly the security that its documentation declares.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from bookings.database import Database
from bookings.identity.clients import Client
from bookings.identity.guard import Guard
from bookings.identity.tokens import Tokens

SECURITY_SCHEME = "oauth2"

Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]


def needs(*alternatives: str) -> dict[str, Any]:
    """The `openapi_extra` of an operation: a token with one of these scopes, or just a token."""
    return {"security": [{SECURITY_SCHEME: [scope] if scope else []} for scope in alternatives]}


ANY_TOKEN = ("",)
INVENTORY_WRITE = ("inventory_write",)
CALENDAR_READ = ("calendar_read",)
CALENDAR_WRITE = ("calendar_write",)
ORDERS_READ = ("orders_read_all", "orders_read_owned")
ORDERS_WRITE = ("orders_write_all", "orders_write_owned")


class GuardedRoute(APIRoute):
    """Refuses a client before the body of its request is read."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        declared = (self.openapi_extra or {})["security"]
        alternatives = [frozenset(each[SECURITY_SCHEME]) for each in declared]

        async def guarded(request: Request) -> Response:
            guard: Guard = request.app.state.guard
            authorization = request.headers.get("authorization")
            request.state.client = guard.admit(authorization, alternatives)
            return await handle(request)

        return guarded


# Asynchronous, so that the framework calls them here: a synchronous one costs a trip to a thread.
async def _client(request: Request) -> Client:
    client: Client = request.state.client
    return client


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def _tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


async def _now(request: Request) -> str:
    now: str = request.app.state.now()
    return now


Caller: TypeAlias = Annotated[Client, Depends(_client)]
Data: TypeAlias = Annotated[Database, Depends(_database)]
TokenService: TypeAlias = Annotated[Tokens, Depends(_tokens)]
Now: TypeAlias = Annotated[str, Depends(_now)]
