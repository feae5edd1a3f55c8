"""Where a store in PostgreSQL is: a URL as libpq reads it, with several hosts where there are several servers.

Never: shows a password.
"""

import re
from typing import Final

import msgspec

_SCHEMES: Final = ("postgresql://", "postgres://")
_USER: Final = re.compile(r"(?<=://)([^:@/?#]*):[^@/?#]*@")
_PASSWORD: Final = re.compile(r"(?<=[?&])((?:ssl)?password)=[^&#]*", re.IGNORECASE)


class PostgresUrl(msgspec.Struct, frozen=True):
    """The URL of a database. Its text as `str` has no password."""

    text: str
    """The whole URL, with the password where it has one."""

    @property
    def name(self) -> str:
        """The URL without a password."""
        return str(self)

    def __str__(self) -> str:
        return _PASSWORD.sub(r"\1=…", _USER.sub(r"\1:…@", self.text))

    def __repr__(self) -> str:
        return f"PostgresUrl({str(self)!r})"


def postgres_url(text: str) -> PostgresUrl | None:
    """The URL, where the text is one of PostgreSQL; None for anything else, such as the path of a file."""
    return PostgresUrl(text) if text.startswith(_SCHEMES) else None
