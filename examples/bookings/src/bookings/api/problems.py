"""Failures as replies: the one error body, whoever noticed the failure.

Holds: the framework's own refusals (validation, 404, 405) leave in the same form as ours.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from bookings import errors
from bookings.errors import NO_HEADERS, ApiError
from bookings.octo.refusals import CAPABILITIES, OctoError, translated

_OF_STATUS = {
    404: errors.NO_SUCH_PATH,
    405: errors.METHOD_NOT_ALLOWED,
    413: errors.TOO_LARGE,
    422: errors.INVALID,
}


def problem(error: ApiError, path: str) -> Response:
    """A refusal as the API at this path says it."""
    if path.startswith("/octo"):
        return octo_problem(translated(error, path), error.headers)
    return Response(
        msgspec.json.encode(errors.body_of(error.kind, error.description)),
        error.kind.status,
        dict(error.headers),
        media_type="application/json",
    )


def octo_problem(error: OctoError, headers: Mapping[str, str] = NO_HEADERS) -> Response:
    return Response(
        msgspec.json.encode(error.body), error.status, {**headers, **CAPABILITIES}, media_type="application/json"
    )


def install(app: FastAPI) -> None:
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(OctoError, _refused_by_octo)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(OperationalError, _no_database)
    app.add_exception_handler(PoolTimeoutError, _no_database)
    app.add_exception_handler(Exception, _broken)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return problem(error, request.url.path)


def _refused_by_octo(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OctoError)
    return octo_problem(error)


def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[dict[str, Any]] = error.errors()
    in_body = any(each["loc"][0] == "body" for each in found)
    kind = errors.INVALID if in_body else errors.BAD_REQUEST
    return problem(ApiError(kind, "; ".join(_sentence(each) for each in found)), request.url.path)


def _sentence(found: dict[str, Any]) -> str:
    """`items.0.quantity: Input should be …`; says nothing of the value, which may be anything."""
    place = ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0])
    if found["type"] == "json_invalid":
        place = "body"
    return f"{place}: {found['msg'].removeprefix('Value error, ')}"


def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _OF_STATUS.get(error.status_code, errors.BAD_REQUEST)
    description = {
        errors.NO_SUCH_PATH: "there is nothing at this path",
        errors.METHOD_NOT_ALLOWED: f"{request.method} is not possible here",
    }.get(kind, str(error.detail))
    headers = dict(error.headers or {})
    if kind is errors.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_allowed(request))}
    return problem(ApiError(kind, description, headers), request.url.path)


def _allowed(request: Request) -> list[str]:
    """Every method of the path: the framework names only those of the first route that fits."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path_regex.match(request.url.path):
            methods |= route.methods or set()
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _no_database(request: Request, _error: Exception) -> Response:
    return problem(ApiError(errors.UNAVAILABLE, "the database does not answer"), request.url.path)


def _broken(request: Request, _error: Exception) -> Response:
    return problem(ApiError(errors.BROKEN, "the request failed; it is in the log"), request.url.path)
