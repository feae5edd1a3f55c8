"""Access tokens for clients (RFC 6749 section 4.4), by form or by HTTP Basic.

Holds: one token lives per client; asking for another meanwhile is refused, by design of the API.
"""

import base64
import binascii
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import APIRouter, Form, Header, Response

from bookings import errors
from bookings.api.operation import Data, TokenService
from bookings.api.replies import json_reply
from bookings.errors import ApiError
from bookings.identity.clients import SCOPES_OF, Registration, authenticate
from bookings.schemas.trade import TokenReply
from bookings.schemas.values import Failure

router = APIRouter(prefix="/oauth", tags=["oauth"])

GRANT = "client_credentials"


@router.post(
    "/token",
    operation_id="create_token",
    response_model=TokenReply,
    responses={
        400: {"model": Failure, "description": "Another grant, or a scope that is not allowed."},
        401: {"model": Failure, "description": "Not a client, or not its secret."},
        429: {"model": Failure, "description": "The client has a living token already."},
        "default": {"model": Failure, "description": "Something failed on our side."},
    },
)
def create_token(
    *,
    database: Data,
    tokens: TokenService,
    grant_type: Annotated[str, Form(description=f"Always `{GRANT}`.")] = "",
    client_id: Annotated[str, Form(description="Unless given by HTTP Basic.")] = "",
    client_secret: Annotated[str, Form(description="Unless given by HTTP Basic.")] = "",
    scope: Annotated[str, Form(description="Some of the client's scopes; default all.")] = "",
    authorization: Annotated[str | None, Header(description="HTTP Basic.")] = None,
) -> Response:
    if grant_type != GRANT:
        raise ApiError(errors.BAD_GRANT, f"grant_type must be {GRANT}")
    if authorization is not None:
        client_id, client_secret = _basic(authorization)
    with database.read() as connection:
        client = authenticate(connection, client_id, client_secret)
    if client is None:
        raise _unknown_client()
    scopes = _scopes(client, scope)
    with database.write() as connection:
        tokens.claim(connection, client.id)
    reply = json_reply(
        {
            "access_token": tokens.issue(client, scopes),
            "token_type": "Bearer",
            "expires_in": tokens.lifetime_s,
            "scope": " ".join(scopes),
        }
    )
    reply.headers["Cache-Control"] = "no-store"
    return reply


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if not colon:
        raise _unknown_client()
    # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
    return unquote_plus(client_id), unquote_plus(secret)


def _scopes(client: Registration, wanted: str) -> list[str]:
    allowed = SCOPES_OF[client.kind]
    for scope in wanted.split():
        if scope not in allowed:
            raise ApiError(errors.BAD_SCOPE, f"the client has no scope {scope!r}")
    return [scope for scope in allowed if not wanted.split() or scope in wanted.split()]


def _unknown_client() -> ApiError:
    return ApiError(
        errors.BAD_CLIENT,
        "the client is not known, or the secret is not its own",
        {"WWW-Authenticate": 'Basic realm="bookings"'},
    )
