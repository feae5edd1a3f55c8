"""How the replies of operations are documented: what each kind of operation may answer.

Never: sends a reply (replies.py and problems.py do).
"""

from typing import Any, TypeAlias

from bookings.api.replies import COUNT_HEADER
from bookings.schemas.values import Failure

Answers: TypeAlias = dict[int | str, dict[str, Any]]

_REFUSALS: dict[int | str, str] = {
    400: "The URL, or a parameter in it, is not right.",
    401: "No access token, or not a valid one.",
    403: "The token lacks the scope, or the client may not do this.",
    404: "There is no such thing.",
    409: "It conflicts with what is there.",
    422: "The body is not right.",
    429: "The monthly quota is spent.",
    "default": "Something failed on our side.",
}


def _refused(*statuses: int) -> Answers:
    chosen = (*statuses, 400, 401, 403, 429, "default")
    return {status: {"model": Failure, "description": text} for status, text in _REFUSALS.items() if status in chosen}


_COUNT = {
    COUNT_HEADER: {
        "description": "The size of the whole, if `with_count` is true.",
        "schema": {"type": "integer"},
    }
}

LISTED: Answers = {
    200: {
        "description": "The rows; with `fields`, each has only those properties.",
        "headers": _COUNT,
    },
    **_refused(),
}
LISTED_BELOW: Answers = {**LISTED, **_refused(404)}
REPORTED: Answers = _refused()
FOUND: Answers = _refused(404)
CREATED: Answers = _refused(409, 422)
CREATED_BELOW: Answers = _refused(404, 409, 422)
CHANGED: Answers = _refused(404, 409, 422)
ACTED: Answers = _refused(404, 409)
ANSWERED: Answers = _refused(404, 422)
