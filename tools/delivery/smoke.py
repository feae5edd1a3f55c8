"""A few questions to a version before clients are sent to it: one of each kind of operation, reads only, so that it may
be asked of production.

    python -m tools.delivery.smoke http://127.0.0.1:8080
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from tools.delivery.deployment import RefusedError
from tools.delivery.traffic import access_token

TIMEOUT_S = 30.0
EVENTS = 10


class Question(NamedTuple):
    """A path, and the status that its reply must have."""

    path: str
    status: int = 200


QUESTIONS = (
    Question("/health"),
    Question("/v3/categories"),
    Question("/v3/vendors?limit=5"),
    Question("/v3/events?order=name&limit=50&with_count=true"),
    Question("/v3/events?order=name&limit=20&offset=100"),
    Question("/v3/dates?available=true&order=start_date&limit=20"),
    Question("/v3/orders?order=-created_at&limit=20"),
    Question("/v3/coupons?limit=5"),
    Question("/v3/vouchers?limit=5"),
    Question("/v3/users?limit=5"),
    Question("/v3/reports/sales?group_by=month"),
    Question("/octo/supplier"),
    Question("/octo/products"),
    Question("/v3/events/00000000000000000000000000000000", 404),
    Question("/v3/nothing", 404),
)


def smoke(url: str, token: str) -> str:
    """Ask, as the client of a token. Returns how many questions were answered as they must be.

    Raises RefusedError at the first that was not.
    """
    asked = 0
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
        try:
            client.headers["Authorization"] = f"Bearer {token}"
            for question in (*QUESTIONS, *_events(client)):
                _expect(client.get(question.path), question)
                asked += 1
        except httpx.HTTPError as error:
            raise RefusedError(f"{url}: {type(error).__name__}: {error}") from error
    return f"{asked} questions were answered as they must be"


def _events(client: httpx.Client) -> Iterator[Question]:
    rows = client.get(f"/v3/events?order=name&limit={EVENTS}").json()
    return (Question(f"/v3/events/{row['id']}") for row in rows)


def _expect(reply: httpx.Response, question: Question) -> None:
    if reply.status_code != question.status:
        raise RefusedError(f"{question.path}: {reply.status_code}, {question.status} is due: {reply.text[:200]}")


def main() -> int:
    """Ask the URL of the command line."""
    try:
        print(f"smoke: {smoke(sys.argv[1], access_token(sys.argv[1]))}")
    except (RefusedError, httpx.HTTPError) as refused:
        print(f"smoke: {refused}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
