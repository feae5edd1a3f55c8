"""The head of a reply, as far as it decides whether the reply is kept: read once.

Never: looks at a body.
"""

from collections.abc import Iterable, Sequence

from shardgate.core.replies.cache.directives import Directives

NamedFields = Sequence[tuple[bytes, bytes]]
"""Names, in whatever case, and values."""


class StoredHead:
    """One head."""

    __slots__ = ("_values", "directives", "status")

    def __init__(self, status: int, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self.status = status
        self._values: dict[bytes, list[bytes]] = {}
        for name, value in fields:
            self._values.setdefault(name.lower(), []).append(value)
        self.directives = Directives(self.all(b"cache-control"))
        """What Cache-Control says."""

    def all(self, name: bytes) -> Sequence[bytes]:
        """The values of a field, by its lower-case name."""
        return self._values.get(name, ())

    def only(self, name: bytes) -> bytes | None:
        """The value of a field that stands once; None: it is not there, or more than once."""
        values = self._values.get(name, ())
        return values[0] if len(values) == 1 else None

    @property
    def vary(self) -> frozenset[bytes]:
        """The names of the request's fields that the reply depends on, in lower case; `*`: any (RFC 9110 section
        12.5.5)."""
        return frozenset(name.strip().lower() for value in self.all(b"vary") for name in value.split(b",")) - {b""}

    @property
    def is_public(self) -> bool:
        """Whether it says that all clients may get it, those with credentials too (RFC 9111 section 3.5)."""
        return self.directives.has(b"public", b"s-maxage")
