"""Every way a request can fail, with its status and its number.

Holds: an error body is always `{error_code, error, error_description}`.
Never: decides where an error is raised, nor writes a response (api/problems.py does).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of failure: its number never changes once published."""

    status: int
    code: int
    error: str


BAD_REQUEST = Kind(400, 40000, "Bad request")
BAD_GRANT = Kind(400, 40001, "Unsupported grant")
BAD_SCOPE = Kind(400, 40002, "Invalid scope")
UNAUTHORIZED = Kind(401, 40100, "Unauthorized")
BAD_CLIENT = Kind(401, 40101, "Invalid client")
FORBIDDEN = Kind(403, 40300, "Forbidden")
NOT_FOUND = Kind(404, 40400, "Not found")
NO_SUCH_PATH = Kind(404, 40401, "No such path")
METHOD_NOT_ALLOWED = Kind(405, 40500, "Method not allowed")
CONFLICT = Kind(409, 40900, "Conflict")
TOO_LARGE = Kind(413, 41300, "Too large")
INVALID = Kind(422, 42200, "Unprocessable")
TOKEN_ALIVE = Kind(429, 42901, "Too many requests")
QUOTA_SPENT = Kind(429, 42910, "Too many requests")
BROKEN = Kind(500, 50000, "Internal error")
UNAVAILABLE = Kind(503, 50300, "Unavailable")


class ApiError(Exception):
    """A request that is refused, and why."""

    def __init__(self, kind: Kind, description: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(description)
        self.kind = kind
        self.description = description
        self.headers = headers


def bad_parameter(name: str, reason: str) -> ApiError:
    return ApiError(BAD_REQUEST, f"{name}: {reason}")


def not_found(resource: str, id_: str) -> ApiError:
    return ApiError(NOT_FOUND, f"{resource} {id_!r} does not exist")


def conflict(description: str) -> ApiError:
    return ApiError(CONFLICT, description)


def invalid(place: str, reason: str) -> ApiError:
    return ApiError(INVALID, f"{place}: {reason}")


def body_of(kind: Kind, description: str) -> dict[str, object]:
    return {"error_code": kind.code, "error": kind.error, "error_description": description}
