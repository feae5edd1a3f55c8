"""The OpenAPI document: what the routes say of themselves, and what holds for all of them."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bookings import division
from bookings.api.operation import SECURITY_SCHEME
from bookings.identity.clients import SCOPES
from bookings.octo import standard

DESCRIPTION = """\
Tours and activities, sold through partners.

- A list is a bare JSON array. A query parameter that is not known is ignored; of a repeated one
  the last counts.
- A trailing slash is optional everywhere.
- `HEAD` is answered wherever `GET` is: the same headers, no body.
- `POST …?method=PATCH` and `POST …?method=DELETE` are that method.
- Instants are text `YYYY-MM-DDThh:mm:ssZ`, amounts of money integers in minor units.
- Below `/octo/` the platform speaks OCTO, the open standard of the sector, in its words and its errors.
- A client of a vendor sees and changes what is that vendor's; the rest does not exist for it.
"""


def describe(app: FastAPI) -> dict[str, Any]:
    """Made once, then kept."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=DESCRIPTION,
            routes=app.routes,
            tags=app.openapi_tags,
        )
        components = document.setdefault("components", {})
        components["schemas"] |= standard.schemas()
        components["securitySchemes"] = {
            SECURITY_SCHEME: {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": dict(SCOPES)}},
            }
        }
        division.add_to(document)
        app.openapi_schema = document
    return app.openapi_schema


def pretty(document: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
