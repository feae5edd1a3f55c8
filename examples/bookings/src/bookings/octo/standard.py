"""The published standard, as far as the platform keeps to it, for the document and for the tests.

Holds: the schemas are the standard's own, in the JSON Schema of OpenAPI 3.1, without what belongs to capabilities that
the platform does not have.
"""

from importlib.resources import files
from typing import Any

import msgspec

PREFIX = "Octo"

REFUSED_ALWAYS = ("Unauthorized", "Forbidden", "InternalServerError")


def schemas() -> dict[str, Any]:
    """Every schema under its name in our document."""
    text = files("bookings.octo").joinpath("standard.json").read_bytes()
    found: dict[str, Any] = msgspec.json.decode(text)["schemas"]
    return found


def answers(name: str, *refusals: str, many: bool = False) -> dict[int | str, dict[str, Any]]:
    """What an operation may answer: one `name` or many; or one of the errors, all of them with status 400."""
    one = _ref(name)
    errors = [_ref(f"Error{each}") for each in (*refusals, *REFUSED_ALWAYS)]
    failed = {"application/json": {"schema": _ref("BaseError")}}
    return {
        200: _answer("Done.", {"type": "array", "items": one} if many else one),
        400: _answer("Refused; `error` says why, whatever the reason is.", {"anyOf": errors}),
        429: {"description": "The monthly quota is spent.", "content": failed},
        "default": {"description": "Something failed on our side.", "content": failed},
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    header = {"description": "The capabilities in use: none.", "schema": {"type": "string"}}
    return {
        "description": description,
        "headers": {"Octo-Capabilities": header},
        "content": {"application/json": {"schema": schema}},
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{PREFIX}{name}"}
