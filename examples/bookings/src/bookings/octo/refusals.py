"""Every way in which OCTO refuses, with its word for it; and the platform's own refusals in OCTO's words.

Holds: whatever concerns the request is a 400, an unknown id and a missing token too, as the standard has it. Only a
spent quota, a path that is not there and failures of ours keep the status that HTTP has for them.
"""

from collections.abc import Mapping

from bookings import errors
from bookings.errors import ApiError

CAPABILITIES = {"Octo-Capabilities": ""}

_WORDS: Mapping[errors.Kind, tuple[int, str]] = {
    errors.UNAUTHORIZED: (400, "UNAUTHORIZED"),
    errors.FORBIDDEN: (400, "FORBIDDEN"),
    errors.QUOTA_SPENT: (429, "TOO_MANY_REQUESTS"),
    errors.NO_SUCH_PATH: (404, "NOT_FOUND"),
    errors.METHOD_NOT_ALLOWED: (405, "METHOD_NOT_ALLOWED"),
    errors.CONFLICT: (400, "UNPROCESSABLE_ENTITY"),
    errors.UNAVAILABLE: (503, "INTERNAL_SERVER_ERROR"),
    errors.BROKEN: (500, "INTERNAL_SERVER_ERROR"),
}


class OctoError(Exception):
    """A request that is refused, and why; `named` is the id that is at fault."""

    def __init__(self, word: str, message: str, status: int = 400, **named: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": word, "errorMessage": message, **named}


def invalid_product(product_id: str) -> OctoError:
    return OctoError("INVALID_PRODUCT_ID", "The productId was missing or invalid", productId=product_id)


def invalid_option(option_id: str) -> OctoError:
    return OctoError("INVALID_OPTION_ID", "The optionId was missing or invalid", optionId=option_id)


def invalid_unit(unit_id: str) -> OctoError:
    return OctoError("INVALID_UNIT_ID", "The unitId was missing or invalid", unitId=unit_id)


def invalid_availability(availability_id: str) -> OctoError:
    message = "The availabilityId was missing or invalid"
    return OctoError("INVALID_AVAILABILITY_ID", message, availabilityId=availability_id)


def invalid_booking(uuid: str, message: str = "The uuid was already used, missing or invalid") -> OctoError:
    return OctoError("INVALID_BOOKING_UUID", message, uuid=uuid)


def unprocessable(message: str) -> OctoError:
    return OctoError("UNPROCESSABLE_ENTITY", message)


def bad_request(message: str) -> OctoError:
    return OctoError("BAD_REQUEST", message)


def translated(error: ApiError, path: str) -> OctoError:
    """A refusal of the platform as OCTO says it."""
    if error.kind in _WORDS:
        status, word = _WORDS[error.kind]
        return OctoError(word, error.description, status)
    # The standard has no BAD_REQUEST for what is written about bookings.
    refuse = unprocessable if error.kind is errors.INVALID and path.startswith("/octo/bookings") else bad_request
    return refuse(error.description)
