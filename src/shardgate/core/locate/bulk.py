"""Asks a shard for many keys by one request for a list, and reads from the rows which of them the shard has.

Holds: a key is written into a list only where it cannot be read as anything else than this one key; every other key is
asked for alone.
Never: takes a row for a key that is not exactly the row's own.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import msgspec

from shardgate.core.errors import AmbiguousKeyError, BrokenReplyError
from shardgate.core.json import array
from shardgate.core.json.key_value import key_text
from shardgate.core.json.object import JsonObject
from shardgate.core.limits import BULK_TARGET_BYTES_MAX

# Letters, digits, and what ids and addresses have in them. Quotes, brackets, wildcards and white space mean something
# to some filters, and texts that are not ASCII are equal to others in some databases.
_PLAIN = re.compile(r"[A-Za-z0-9._~:@-]+")
_REPEATED = re.compile(r"[?&]([^=&?{}]+)=\{keys\}(?:&|$)")
_IN_LIST = ",:;@!$'()*"
"""What a separator has of these is not percent-encoded: RFC 3986 section 3.4 allows them in a query."""


class Bulk(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a list tells which of many keys a shard has."""

    path: str
    """The list that every shard is asked for; `{keys}` stands for the keys: `/events?id={keys}`."""
    separator: str | None = ","
    """What stands between two keys; `null`: the parameter is repeated for each key, `id=1&id=2`."""
    rows: str = ""
    """The member of the reply with the rows, such as `data.items`. Empty: the reply is the list."""
    key: str
    """The member of a row that is its key. It may stand deeper: `vendor.id`."""
    keys_max: int = 100
    """How many keys one request asks for, at most. It asks for fewer where its target would be longer than 4,000
    bytes."""
    rows_max: int | None = None
    """How many rows the application gives in one reply to `path`. A reply with fewer rows is then known to be whole.
    `null`: this is not known, and a shard is asked again for the keys that its reply did not show, until it shows no
    more of them."""

    def groups(self, keys: Sequence[str]) -> tuple[list[list[str]], list[str]]:
        """The keys as they are asked for together, and those that must be asked for alone."""
        groups: list[list[str]] = []
        alone: list[str] = []
        room = 0
        empty = len(self.path) - len("{keys}")
        for key in keys:
            size = len(self._between()) + len(quote(key, safe=""))
            if not self._fits(key) or empty + size > BULK_TARGET_BYTES_MAX:
                alone.append(key)
                continue
            if not groups or len(groups[-1]) == self.keys_max or size > room:
                groups.append([])
                room = BULK_TARGET_BYTES_MAX - empty
            groups[-1].append(key)
            room -= size
        alone += [group[0] for group in groups if len(group) == 1]
        return [group for group in groups if len(group) > 1], alone

    def target(self, keys: Sequence[str]) -> bytes:
        """The request target that asks for these keys."""
        listed = self._between().join([quote(key, safe="") for key in keys])
        return self.path.replace("{keys}", listed).encode()

    def shown(self, body: bytes) -> Iterator[str | None]:
        """The key of each row of a reply; None where a row has none. Raises BrokenReplyError."""
        found = array.cut(JsonObject(body).value(self.rows) if self.rows else body)
        path = self.key.split(".")
        for row in found.raw:
            raw = array.value_at(bytes(row), path)
            try:
                yield None if raw is None else key_text(raw, self.key)
            except AmbiguousKeyError:
                yield None
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BrokenReplyError(
                    "a shard's row has a key that is not JSON", where=f"member {self.key}"
                ) from error

    def parameter(self) -> str | None:
        """The parameter whose value the keys are; None where they stand elsewhere."""
        match = _REPEATED.search(self.path)
        return None if match is None else match[1]

    def _between(self) -> str:
        if self.separator is None:
            return f"&{self.parameter()}="
        return quote(self.separator, safe=_IN_LIST)

    def _fits(self, key: str) -> bool:
        return _PLAIN.fullmatch(key) is not None and not set(self.separator or "") & set(key)
