"""Tokens from the secrets of clients: `API_CLIENTS="whole=id:secret vendor=id:secret narrow=id:secret:scope"`.

Holds: a client has one living token, so a token is kept in a file that only its owner reads, until it ends.
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from api_tests.environment import FRESH, NARROW, SPENT, VENDOR, WHOLE, claims_of

CLIENTS = "API_CLIENTS"
VARIABLES: Mapping[str, str] = {"whole": WHOLE, "vendor": VENDOR, "narrow": NARROW, "spent": SPENT, "fresh": FRESH}
_TIMEOUT_S = 30
_LEFT_S = 300  # a token that ends during the run is of no use


class TokenError(Exception):
    """No token could be had. The text says why, and what to do."""


def resolved(clients: str, url: str, kept: Path) -> Mapping[str, str]:
    """The variables that the roles in `clients` stand for. Raises TokenError."""
    found: dict[str, str] = {}
    for role, client, secret, scope in map(_parsed, clients.split()):
        if role == "fresh":
            found[FRESH] = f"{client}:{secret}"
            continue
        token = _kept_token(url, client, secret, scope, kept)
        name = VARIABLES[role]
        found[name] = f"{found[name]} {token}" if name in found else token
    return found


def _parsed(text: str) -> tuple[str, str, str, str]:
    role, equals, rest = text.partition("=")
    client, colon, rest = rest.partition(":")
    secret, _, scope = rest.partition(":")
    if not equals or not colon or not secret or role not in VARIABLES:
        raise TokenError(f"{CLIENTS}: write role=id:secret or role=id:secret:scope; a role is one of {[*VARIABLES]}")
    return role, client, secret, scope


def _kept_token(url: str, client: str, secret: str, scope: str, kept: Path) -> str:
    tokens: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    key = f"{client} {scope}"
    if key in tokens and float(str(claims_of(tokens[key]).get("exp", 0))) > time.time() + _LEFT_S:
        return tokens[key]
    tokens[key] = _asked(url, client, secret, scope)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(tokens, file)
    return tokens[key]


def _asked(url: str, client: str, secret: str, scope: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": scope}
    request = urllib.request.Request(f"{url}/oauth/token", urllib.parse.urlencode(form).encode())
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return str(json.load(answer)["access_token"])
    except urllib.error.HTTPError as error:
        cure = "; the client has a living token: give that one by its variable" if error.code == 429 else ""
        raise TokenError(f"{url}/oauth/token answered {error.code} to client {client!r}{cure}") from None
    except OSError as error:
        raise TokenError(f"{url}/oauth/token cannot be asked: {error}") from None
