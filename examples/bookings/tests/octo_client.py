"""A client of OCTO whose every reply is held against the standard's own schemas."""

from typing import Any
from uuid import uuid4

import httpx
from bookings_running import Platform
from jsonschema import Draft202012Validator, FormatChecker

from bookings.octo import standard

_ERRORS = {
    "INVALID_PRODUCT_ID": "ErrorInvalidProductID",
    "INVALID_OPTION_ID": "ErrorInvalidOptionID",
    "INVALID_UNIT_ID": "ErrorInvalidUnitID",
    "INVALID_AVAILABILITY_ID": "ErrorInvalidAvailabilityID",
    "INVALID_BOOKING_UUID": "ErrorInvalidBookingUUID",
    "UNPROCESSABLE_ENTITY": "ErrorUnprocessableEntity",
    "BAD_REQUEST": "ErrorBadRequest",
    "UNAUTHORIZED": "ErrorUnauthorized",
    "FORBIDDEN": "ErrorForbidden",
}
_SCHEMAS = standard.schemas()


def check(value: Any, name: str) -> None:
    """Refuses a value that the standard would not call `name`, or that says what the standard has no word for."""
    schema = {"$ref": f"#/components/schemas/{standard.PREFIX}{name}", "components": {"schemas": _SCHEMAS}}
    Draft202012Validator(schema, format_checker=FormatChecker()).validate(value)
    known = _SCHEMAS[standard.PREFIX + name]["properties"] if not name.startswith("Error") else value
    assert set(value) <= set(known)


class Octo:
    """What one client may ask; it expects what it asks to go well."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    @classmethod
    def of(cls, platform: Platform, name: str = "marketplace") -> "Octo":
        return cls(platform.client(name))

    def get(self, path: str, name: str, **params: Any) -> Any:
        return self._good(self.http.get(f"/octo{path}", params=params), name)

    def post(self, path: str, body: Any, name: str) -> Any:
        return self._good(self.http.post(f"/octo{path}", json=body), name)

    def patch(self, path: str, body: Any) -> Any:
        return self._good(self.http.patch(f"/octo{path}", json=body), "Booking")

    def refused(self, method: str, path: str, body: Any = None, **params: Any) -> dict[str, Any]:
        """The body of a refusal."""
        reply = self.http.request(method, f"/octo{path}", json=body, params=params)
        assert reply.status_code == 400, reply.text
        assert reply.headers["octo-capabilities"] == ""
        error: dict[str, Any] = reply.json()
        check(error, _ERRORS[error["error"]])
        return error

    def _good(self, reply: httpx.Response, name: str) -> Any:
        assert reply.status_code == 200, reply.text
        assert reply.headers["octo-capabilities"] == ""
        value = reply.json()
        for each in value if isinstance(value, list) else [value]:
            check(each, name)
        return value


def reservation(product: str, date: str, *units: str, **more: Any) -> dict[str, Any]:
    """A body that reserves; one adult unless units are named."""
    items = [{"unitId": unit} for unit in units or ("adult",)]
    return {
        "uuid": str(uuid4()), "productId": product, "optionId": "DEFAULT", "availabilityId": date,
        "unitItems": items, **more,
    }  # fmt: skip
