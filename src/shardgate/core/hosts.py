"""What a host's name says of where it is: on this machine, or anywhere; and where a store in PostgreSQL is.

Holds: no text that is made here of a URL has its password, also where the URL is not one that libpq would read: such as
one whose password has characters that must be written as `%40`. Of the parameters, only those that are known to hide
nothing have their values.
Never: connects, or looks a name up.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote

import msgspec

_LOOPBACK_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
_SCHEMES: Final = ("postgresql://", "postgres://")
_HIDDEN: Final = "…"
_PARAMETERS: Final = re.compile(r"\?(?:[a-z_]+=[^&]*(?:&|$))+$")
_SHOWN: Final = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "service", "options", "client_encoding"),
        *("application_name", "fallback_application_name", "target_session_attrs", "load_balance_hosts"),
        *("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
        *("tcp_user_timeout", "gssencmode", "channel_binding", "require_auth", "sslmode", "sslnegotiation", "sslcert"),
        *("sslkey", "sslrootcert", "sslcrl", "sslcrldir", "sslsni"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version"),
    }
)
_KNOWN_NAME: Final = re.compile(r"[\w%-]*")
_SCHEME: Final = re.compile(r"[A-Za-z0-9+.:-]*")
_FOREIGN: Final = re.compile(r"((?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*)://|((?:jdbc:)?postgres(?:ql)?):", re.IGNORECASE)
_WORDS: Final = re.compile(
    r"(?:^|[\s;?&])(?:pg)?(?:host|hostaddr|port|server|user|username|user id|uid|dbname|database|\w*pass\w*|pwd"
    r"|ssl\w+|service)\s*=",
    re.IGNORECASE,
)
_USER: Final = re.compile(r"(?!(?-i:[A-Z]):[/\\])(?://)?[^/:@]*:[^@]*@", re.IGNORECASE)
"""What looks like a user and a password, and is no drive of Windows."""
_SAFE: Final = r"(?:[\w.~$+-]|%(?!3[ABDabd]|40|2[36])[0-9A-Fa-f]{2})"
"""A character that does not end a name, or the escape of one: `:;=@#&` may stand before a password."""
_NAME: Final = re.compile(rf"{_SAFE}*")
_HOST: Final = rf"(?:\[[0-9A-Fa-f:.%\w]*\]|{_SAFE}*)(?::[0-9]{{1,5}})?"
_PLAIN: Final = re.compile(rf"{_HOST}(?:,{_HOST})*(?:/{_SAFE}*)?")
"""Hosts and a database: nothing in them may be a password."""
_UNCLEAR: Final = re.compile(r"[;#'\"\s]")
"""Ends a parameter for other readers than libpq."""
_SECRET: Final = re.compile(
    r"[;#&?'\"]|:.*@|(?:pass|pwd|secret|token|credential|key)\w*\s*=", re.IGNORECASE | re.DOTALL
)
"""In a value of a parameter that is shown: it may be a password all the same."""
_SCRUBBED_CHARACTERS_MIN: Final = 3
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_WRITE_OTHERS: Final = (
    "parameters are `?name=value&name=value`; in a value write ; as %3B, # as %23, a quote as %27 and a space as %20"
)
_WRITE: Final = "in a user's name and a password, write @ as %40, / as %2F, : as %3A and % as %25"


def address_in(host: str) -> IPv4Address | IPv6Address | None:
    """The address that is written there, `[::1]` without its brackets; None: it is a name."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can be meant (RFC 6761 section 6.3). A name that is looked up is never one."""
    address = address_in(host)
    if address is None:
        name = host.lower().rstrip(".")
        return name in _LOOPBACK_NAMES or name.endswith(".localhost")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def host_of(authority: str) -> str:
    """The host of a `Host` field, in lower case, without port, brackets and final dot."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0].lower()
    return authority.rpartition(":")[0 if ":" in authority else 2].lower().rstrip(".")


def server_of(text: str) -> tuple[str, int] | None:
    """A resolver's address and port: `10.0.0.2`, `10.0.0.2:5353`, `[fd00::2]:53`; None: it is none."""
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not text.startswith("[")):
        host, port = text, "53"
    address = address_in(host)
    if address is None or not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        return None
    return str(address), int(port)


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
        if _UNCLEAR.search(head.rpartition("@")[2]) or any(map(_is_unclear, query[1:].split("&"))):
            return f"it is not clear where a name or a value ends: {_WRITE_OTHERS}"
        return ""

    def scrubbed(self, text: str) -> str:
        """What a driver or a server said, without what this URL hides. They repeat what they were given: a database
        that they do not have, a value that they do not know."""
        for secret in sorted(self._hidden(), key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    def _hidden(self) -> set[str]:
        """Texts of the URL that it does not show, as they stand there and as libpq reads them."""
        head, query = _divided(self.text.partition("://")[2])
        user, _, hosts = head.rpartition("@")
        found = {user.partition(":")[2], user[len(_known(user)) :].lstrip(":")}
        if not _PLAIN.fullmatch(hosts):
            found.add(hosts[len(_shown_hosts(hosts)) - 1 :].lstrip("=&;:#"))
        for each in query[1:].split("&"):
            name, _, value = each.partition("=")
            found |= {value} if _hides(name, value) else set()
        both = found | {unquote(each) for each in found}
        return {each for each in both if len(each) >= _SCRUBBED_CHARACTERS_MIN}

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
    if not _SCHEME.fullmatch(scheme):
        return _HIDDEN
    head, query = _divided(rest)
    user, at, hosts = head.rpartition("@")
    if at:
        name = _known(user)
        left = user[len(name) :]
        head = f"{name}{':' * left.startswith(':')}{left and _HIDDEN}@{_shown_hosts(hosts)}"
    elif not _PLAIN.fullmatch(head):  # maybe a password, and its host was forgotten
        name = _known(head)
        head = f"{name}{':' * head.startswith(':', len(name))}{_HIDDEN}"
    return f"{scheme}://{head}{'?' * query.startswith('?')}{'&'.join(map(_shown, query[1:].split('&')))}"


def no_place(text: str) -> str:
    """Why a text that is no URL of PostgreSQL is no path of a file either, without what it says; empty: it may be."""
    cure = "A store is the path of a file, or postgresql://user@host/database"
    text = text.strip()
    if text.startswith(_SCHEMES):
        return f"a URL begins with its scheme, and there is a space before it or behind it. {cure}"
    if (found := _FOREIGN.match(text)) is not None:
        return f"the gateway knows no database by {f'{found[1]}://' if found[1] else f'{found[2]}:'}. {cure}"
    if _WORDS.search(text):
        return f"this is a list of libpq's words. {cure}"
    if _USER.match(text):
        return f"this has a user and no scheme. {cure}"
    return ""


def _divided(rest: str) -> tuple[str, str]:
    """What is before the parameters, and the parameters. A password may have a `?`."""
    found = _PARAMETERS.search(rest)
    if found is None:
        at = rest.find("?", rest.rfind("@") + 1)
        return (rest, "") if at < 0 else (rest[:at], rest[at:])
    head, query = rest[: found.start()], found[0]
    if "@" not in head and "@" in query and ("/" not in head or any(map(_wrong_port, _hosts(head)))):
        return rest, ""  # `user:pass?word=a@host`
    return head, query


def _hosts(head: str) -> list[str]:
    return head.rpartition("@")[2].partition("/")[0].split(",")


def _wrong_port(host: str) -> bool:
    _, colon, port = host.rpartition("]")[2].partition(":")
    return bool(colon) and not ((port.isascii() and port.isdigit()) or not port)


def _known(text: str) -> str:
    """The beginning of a text that is a name."""
    found = _NAME.match(text)
    return found[0] if found is not None else ""


def _shown_hosts(hosts: str) -> str:
    found = _PLAIN.match(hosts)
    plain = found[0] if found is not None else ""
    return plain if len(plain) == len(hosts) else f"{plain}{_HIDDEN}"


def _shown(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return _HIDDEN * bool(name)
    if not _KNOWN_NAME.fullmatch(name):
        return f"{_HIDDEN}={_HIDDEN}"
    return f"{name}={_HIDDEN * bool(value)}" if _hides(name, value) else parameter


def _hides(name: str, value: str) -> bool:
    known, plain = unquote(name).lower(), unquote(value)
    return known not in _SHOWN or _SECRET.search(plain) is not None or (known == "user" and ":" in plain)


def _is_unclear(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return unquote(name).lower() in _SHOWN and _UNCLEAR.search(value) is not None
