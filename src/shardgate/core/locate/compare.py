"""How the keys of a locator compare: two spellings that the application takes for one key have one owner.

Holds: a key that is not of the kind that is compared, such as a text where integers are, stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeVar
from urllib.parse import unquote

from shardgate.core.contracts import UNKNOWN, KeyMemory, Unknown
from shardgate.core.topology import OwnerTable, ShardId

D = TypeVar("D")

Compare = Literal["text", "case_insensitive", "uuid", "integer", "link"]
"""How two keys are equal: `text`: by their characters. `case_insensitive`: `ACME` is `acme`. `uuid`: in capitals,
in braces, without hyphens and with others. `integer`: `007` and `+7` are `7`. `link`: the last segment of a URL's path
is the key, so that `https://api.example.com/vendors/acme` and `/vendors/acme` are `acme`."""

# PostgreSQL reads hyphens behind any four digits, .NET reads parentheses.
_UUID = re.compile(r"(?:urn:uuid:)?[{(]?((?:[0-9a-f]{4}-?){7}[0-9a-f]{4})[)}]?")
_INTEGER = re.compile(r"([+-]?)0*([0-9]+)", re.ASCII)


def compared(key: str, how: Compare) -> str:
    """The one spelling of all keys that are equal."""
    if how == "case_insensitive":
        return key.casefold()
    if how == "uuid":
        match = _UUID.fullmatch(key.lower())
        return key if match is None else _hyphened(match[1].replace("-", ""))
    if how == "link":
        return _last_segment(key)
    if how == "integer":
        match = _INTEGER.fullmatch(key)
        return key if match is None else ("-" if match[1] == "-" and match[2] != "0" else "") + match[2]
    return key


def _hyphened(digits: str) -> str:
    """RFC 9562 section 4."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _last_segment(key: str) -> str:
    """What a link names: `/vendors/acme?view=full` names `acme`. A key without a slash is no link."""
    path = key.partition("#")[0].partition("?")[0]
    if "/" not in path:
        return key
    return unquote(path.rstrip("/").rpartition("/")[2]) or key


class ComparingTable(OwnerTable, Protocol):
    """The keys of a large space, which is no dict: it looks keys up as they compare by itself."""

    def equal(self, key: str, how: Compare, default: D, /) -> ShardId | D:
        """The shard of the keys that are equal; the default where there is none, or where they have several."""


class ComparedShards:
    """Key → shard, looked up as keys compare. The table of a mapping is kept for as long as the mapping is used."""

    __slots__ = ("_of", "_tables")

    def __init__(self) -> None:
        self._of: dict[Compare, Mapping[str, ShardId]] = {}
        self._tables: dict[Compare, dict[str, ShardId | None]] = {}

    def find(self, shards: Mapping[str, ShardId] | ComparingTable, key: str, how: Compare) -> ShardId | Unknown:
        """The shard; UNKNOWN also where equal keys have different ones."""
        if not isinstance(shards, Mapping):
            return shards.equal(key, how, UNKNOWN)
        same = compared(key, how)
        found = shards.get(key) or shards.get(same)
        if found is not None:
            return found
        if self._of.get(how) is not shards:
            table: dict[str, ShardId | None] = {}
            for name, shard in shards.items():
                folded = compared(name, how)
                table[folded] = shard if table.get(folded, shard) == shard else None
            self._of[how], self._tables[how] = shards, table
        return self._tables[how].get(same) or UNKNOWN


class ComparedMemory:
    """A memory of keys in which those of some spaces compare in their own way."""

    __slots__ = ("_how", "_memory")

    def __init__(self, memory: KeyMemory, how: Mapping[str, Compare]) -> None:
        self._memory = memory
        self._how = how

    def recall(self, space: str, key: str) -> ShardId | Unknown:
        """The shard that last showed an equal key."""
        return self._memory.recall(space, compared(key, self._how.get(space, "text")))

    def learn(self, space: str, key: str, shard: ShardId) -> None:
        """Remember that this shard showed the key."""
        self._memory.learn(space, compared(key, self._how.get(space, "text")), shard)

    def learn_rows(self, space: str, rows: Sequence[tuple[str, ShardId]]) -> None:
        """The same for the keys of many rows."""
        how = self._how.get(space, "text")
        self._memory.learn_rows(space, [(compared(key, how), shard) for key, shard in rows])

    def learn_copy(self, space: str, key: str, shard: ShardId) -> None:
        """Remember that this shard showed the key, which others may have, too."""
        self._memory.learn_copy(space, compared(key, self._how.get(space, "text")), shard)

    def settle(self, space: str, key: str, shard: ShardId) -> None:
        """All shards were asked, and this one alone has the key."""
        self._memory.settle(space, compared(key, self._how.get(space, "text")), shard)

    def is_disputed(self, space: str, key: str) -> bool:
        """Whether several shards have shown an equal key."""
        return self._memory.is_disputed(space, compared(key, self._how.get(space, "text")))

    def entries(self) -> list[tuple[str, str]]:
        """The space and the key of everything that is known."""
        return self._memory.entries()

    def forget(self, space: str, key: str) -> None:
        """The shard does not have it any more."""
        self._memory.forget(space, compared(key, self._how.get(space, "text")))
