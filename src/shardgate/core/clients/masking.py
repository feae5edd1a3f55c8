"""Hides credentials in the query of a request's target before it is logged or shown (RFC 6750 section 5.3).

A parameter is judged by its name alone: a table of whole names, and a table of endings. Case, separators, brackets and
percent-encoding do not matter: `apiKey`, `API-KEY`, `user[api_key]` and `api%5Fkey` are one name.

Holds: no value of such a parameter is shown, however its name is written.
Never: judges a value. A secret in a path, or in a parameter with a harmless name, is shown.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import unquote_plus

from shardgate.core.excerpt import excerpt

MASK: Final = "***"

_NAMES: Final = frozenset(
    {
        # OAuth 2.0 and OpenID Connect: RFC 6749, 7521, 7636, 8628, 9126; SAML 2.0 bindings
        "assertion", "clientassertion", "code", "codeverifier", "devicecode", "requesturi", "samlart", "samlrequest",
        "samlresponse", "usercode",
        # keys and tokens
        "accesskeyid", "appkey", "auth", "authkey", "authorization", "authsig", "awsaccesskeyid", "bearer",
        "googleaccessid", "jwt", "subscriptionkey", "ticket",
        # signatures of a whole URL: `sig` of Azure
        "hmac", "policysignature", "sig", "sign",
        # sessions
        "aspsessionid", "cookie", "csrf", "jsessionid", "phpsessid", "session", "sessionkey", "sid", "xsrf",
        # what persons type
        "creditcard", "cvc", "cvv", "otp", "pass", "passcode", "passwd", "pin", "pwd", "totp",
    }
)  # fmt: skip
"""Names that are secrets as a whole, in lower case, letters and digits alone."""

_ENDINGS: Final = (
    "accesskey",
    "apikey",
    "cardnumber",
    "credential",
    "credentials",
    "passphrase",
    "password",
    "privatekey",
    "secret",
    "secretkey",
    "sessionid",
    "signature",
    "token",
)
"""What secrets' names end with: `X-Amz-Security-Token`, `new_password`."""

_SPLIT: Final = re.compile(r"([&;])")
_PARTS: Final = re.compile(r"[\[\].]+")
_OTHER: Final = re.compile(r"[\W_]+")
_DECODINGS_MAX = 3


def masked(target: str, more: Collection[str] = ()) -> str:
    """A path and query with a mask for the value of each secret; also in parameters of the path (`;jsessionid=…`).

    `more`: further names of secrets, as `plain` gives them.
    """
    path, mark, query = target.partition("?")
    shown = "".join([each if at % 2 else _masked(each, more) for at, each in enumerate(_SPLIT.split(query))])
    return f"{_masked_path(path, more)}{mark}{shown}"


def is_secret(name: str, more: Collection[str] = ()) -> bool:
    """Whether the values of a parameter, a member or a header of this name are hidden."""
    return any(_is_secret(part, more) for part in _readings(name))


def shown(name: str, value: str) -> str:
    """What an error may say of a value: a few characters of it, or the mask."""
    return MASK if is_secret(name) else excerpt(value)


def plain(name: str) -> str:
    """A name without what does not matter: `X-Api-Key` → `xapikey`."""
    return _OTHER.sub("", name).lower()


def _masked_path(path: str, more: Collection[str]) -> str:
    if ";" not in path:
        return path
    return "/".join([";".join([_masked(part, more) for part in segment.split(";")]) for segment in path.split("/")])


def _masked(pair: str, more: Collection[str]) -> str:
    name, equals, _ = pair.partition("=")
    return f"{name}={MASK}" if equals and is_secret(name, more) else pair


def _readings(name: str) -> Iterator[str]:
    """The parts of a name, as an application may read it: some decode twice."""
    for _ in range(_DECODINGS_MAX):
        yield from _PARTS.split(name)
        decoded = unquote_plus(name)
        if decoded == name:
            return
        name = decoded


def _is_secret(part: str, more: Collection[str]) -> bool:
    word = plain(part)
    return word in _NAMES or word.endswith(_ENDINGS) or word in more
