"""Where a store in PostgreSQL is: a URL as libpq reads it, and what of it may be shown.

Holds: no text that this module makes of a URL has its password, also where the URL is not one that libpq would read:
such as one whose password has characters that must be written as `%40`. Of the parameters, only those that are known to
hide nothing have their values.
Never: connects, or looks a name up.
"""

import re
from typing import Final
from urllib.parse import unquote

import msgspec

_SCHEMES: Final = ("postgresql://", "postgres://")
_HIDDEN: Final = "…"
_PARAMETERS: Final = re.compile(r"\?(?:[a-z_]+=[^&]*(?:&|$))+$")
_SHOWN: Final = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "passfile", "service", "options", "client_encoding"),
        *("application_name", "fallback_application_name", "target_session_attrs", "load_balance_hosts"),
        *("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
        *("tcp_user_timeout", "gssencmode", "channel_binding", "require_auth", "sslmode", "sslnegotiation", "sslcert"),
        *("sslkey", "sslrootcert", "sslcrl", "sslcrldir", "sslsni"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version"),
    }
)
_FOREIGN: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_WORDS: Final = re.compile(r"(?:^|\s)(?:host|hostaddr|port|user|dbname|password|service)\s*=", re.IGNORECASE)
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_WRITE: Final = "in a user's name and a password, write @ as %40, / as %2F, : as %3A and % as %25"


class PostgresUrl(msgspec.Struct, frozen=True):
    """The URL of a database, as libpq reads it. Its text as `str` has no password."""

    text: str
    """The whole URL, with the password where it has one."""

    @property
    def name(self) -> str:
        """The URL without a password."""
        return str(self)

    @property
    def mistake(self) -> str:
        """Why libpq would read something else than what was meant, and what to do; empty: it would not."""
        head, query = _divided(self.text.partition("://")[2])
        user, _, _ = head.rpartition("@")
        if "@" in user or "/" in user:
            return f"it is not clear where the host begins: {_WRITE}"
        if _ESCAPE.search(head + query):
            return f"a % begins no character: {_WRITE}"
        if any(_wrong_port(each) for each in _hosts(head)):
            return f"a port is no number: {_WRITE}"
        return ""

    def __str__(self) -> str:
        return without_password(self.text)

    def __repr__(self) -> str:
        return f"PostgresUrl({str(self)!r})"


def postgres_url(text: str) -> PostgresUrl | None:
    """The URL, where the text is one of PostgreSQL; None for anything else, such as the path of a file."""
    return PostgresUrl(text) if text.startswith(_SCHEMES) else None


def without_password(url: str) -> str:
    """The URL of any database as it may be shown."""
    scheme, begins, rest = url.partition("://")
    if not begins:
        return url
    head, query = _divided(rest)
    user, at, hosts = head.rpartition("@")
    if at:
        name, colon, _ = user.partition(":")
        head = f"{name}{colon and ':' + _HIDDEN}@{hosts}"
    elif any(_wrong_port(each) for each in _hosts(head)):  # maybe a password, and its host was forgotten
        head = f"{head.partition(':')[0]}:{_HIDDEN}"
    return f"{scheme}://{head}{'?' * query.startswith('?')}{'&'.join(map(_shown, query[1:].split('&')))}"


def no_place(text: str) -> str:
    """Why a text that is no URL of PostgreSQL is no path of a file either, without what it says; empty: it may be."""
    cure = "A store is the path of a file, or postgresql://user@host/database"
    if (found := _FOREIGN.match(text)) is not None:
        return f"the gateway knows no database by {found[1]}://. {cure}"
    if _WORDS.search(text):
        return f"this is a list of libpq's words. {cure}"
    return ""


def _divided(rest: str) -> tuple[str, str]:
    """What is before the parameters, and the parameters. A password may have a `?`."""
    found = _PARAMETERS.search(rest)
    if found is None:
        at = rest.find("?", rest.rfind("@") + 1)
        return (rest, "") if at < 0 else (rest[:at], rest[at:])
    head, query = rest[: found.start()], found[0]
    if "@" not in head and "@" in query and any(map(_wrong_port, _hosts(head))):
        return rest, ""  # `user:pass?word=a@host`
    return head, query


def _hosts(head: str) -> list[str]:
    return head.rpartition("@")[2].partition("/")[0].split(",")


def _wrong_port(host: str) -> bool:
    _, colon, port = host.rpartition("]")[2].partition(":")
    return bool(colon) and not ((port.isascii() and port.isdigit()) or not port)


def _shown(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return _HIDDEN * bool(name)
    return parameter if unquote(name).lower() in _SHOWN else f"{name}={_HIDDEN * bool(value)}"
