"""Who the tests may be, as environment variables say it.

Holds: a token or a secret is never printed.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

WHOLE, VENDOR, NARROW = "API_TOKEN", "API_VENDOR_TOKEN", "API_NARROW_TOKENS"
SPENT, FRESH = "API_SPENT_TOKEN", "API_FRESH_CLIENT"

MEANING: Mapping[str, str] = {
    WHOLE: "the token of a marketplace client with all scopes",
    VENDOR: "the token of a client of one vendor",
    NARROW: "tokens, separated by blanks, so that for each scope one of them lacks it",
    SPENT: "the token of a client whose monthly quota is spent",
    FRESH: "id:secret of a client that has no living token",
}


@dataclass(frozen=True)
class Tokens:
    """The clients that were given."""

    whole: str
    vendor: str | None
    narrow: tuple[str, ...]
    spent: str | None
    fresh: tuple[str, str] | None
    """Id and secret."""

    def lacking(self, alternatives: tuple[frozenset[str], ...]) -> str | None:
        """A token that has none of these."""
        for token in self.narrow:
            if not any(scopes <= scopes_of(token) for scopes in alternatives):
                return token
        return None


class MissingTokenError(Exception):
    """The environment does not say what every run needs. The text says what to set."""


def tokens(environment: Mapping[str, str] | None = None) -> Tokens:
    """Read the variables. Raises MissingTokenError."""
    given = os.environ if environment is None else environment
    if not given.get(WHOLE):
        raise MissingTokenError(f"set {WHOLE}: {MEANING[WHOLE]}; or API_CLIENTS, from whose secrets tokens are made")
    name, _, secret = given.get(FRESH, "").partition(":")
    return Tokens(
        whole=given[WHOLE],
        vendor=given.get(VENDOR) or None,
        narrow=tuple(given.get(NARROW, "").split()),
        spent=given.get(SPENT) or None,
        fresh=(name, secret) if secret else None,
    )


def scopes_of(token: str) -> frozenset[str]:
    """The scopes that a token (RFC 7519) says it has; the signature is the server's business."""
    return frozenset(str(claims_of(token).get("scope", "")).split())


def claims_of(token: str) -> Mapping[str, object]:
    """What a token says. Empty where it is no JWT."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
