"""What is settled about a request before it is routed: its path, its method.

Holds: `/v3/events/` is `/v3/events`; `POST …?method=PATCH` is a PATCH; HEAD is GET without a body.
"""

from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookings.api.problems import problem
from bookings.errors import BAD_REQUEST, ApiError, bad_parameter

OVERRIDES = ("PATCH", "DELETE")


class Conventions:
    """An ASGI middleware for the three conventions of the API that no route needs to know."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            settled = {**scope, "path": _path(scope), "method": _method(scope)}
        except ApiError as error:
            await problem(error, scope["path"])(scope, receive, send)
            return
        await self._app(settled, receive, _silent(send) if scope["method"] == "HEAD" else send)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    # PostgreSQL cannot even compare with it, and no id, name or code has one.
    if "\0" in path or b"%00" in scope["query_string"]:
        raise ApiError(BAD_REQUEST, "a NUL character is not allowed in a URL")
    return path.rstrip("/") or "/"


def _method(scope: Scope) -> str:
    method: str = scope["method"]
    if method == "HEAD":
        return "GET"
    if method != "POST" or not scope["query_string"]:
        return method
    given = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    override: str = given.get("method", method)
    if override != method and override not in OVERRIDES:
        raise bad_parameter("method", f"must be PATCH or DELETE, not {override!r}")
    return override


def _silent(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
