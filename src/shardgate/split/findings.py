"""Collects what is wrong with single rows, and says it so that a person can mend it.

Holds: of each kind of mistake a few rows are named and the rest counted, whatever their number.
"""

from typing import Final

from shardgate.split.ownership import Owned
from shardgate.split.rows import Key, show_key
from shardgate.split.schema import ForeignKey

NAMED_MAX: Final = 3  # enough to see what went wrong, few enough to read


class Findings:
    """The mistakes found so far, by kind."""

    __slots__ = ("_counts", "_named")

    def __init__(self) -> None:
        self._named: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def lines(self) -> tuple[str, ...]:
        return tuple(line for kind in self._named for line in self._lines(kind))

    def dangling(self, owned: Owned, link: ForeignKey, row: Key, parent: Key) -> None:
        name = owned.table.name
        self.add(
            f"dangling {name} {link}",
            f"{name}: row {show_key(row)} refers to {link.parent} {show_key(parent)}, which does"
            " not exist. Correct or delete the row",
        )

    def torn(self, owned: Owned, row: Key, tenants: tuple[str, str]) -> None:
        name = owned.table.name
        self.add(
            f"torn {name}",
            f"{name}: row {show_key(row)} has parents in two tenants, {tenants[0]} and"
            f" {tenants[1]}, and can live on one shard only. Correct the row, or declare a table"
            " on the way --reference or --empty",
        )

    def orphan(self, owned: Owned, row: Key) -> None:
        name = owned.table.name
        keys = " and ".join(str(link) for link in owned.links)
        self.add(
            f"orphan {name}",
            f"{name}: row {show_key(row)} belongs to no tenant, {keys} is NULL. Give it an owner or delete it",
        )

    def ambiguous(self, owned: Owned, key: Key) -> None:
        name = owned.table.name
        self.add(
            f"ambiguous {name}",
            f"{name}: {show_key(key)} is a key that others refer to, and stands in rows of two"
            " tenants. Refer to a unique column, with --link",
        )

    def nameless(self, owned: Owned, by: str) -> None:
        name = owned.table.name
        self.add(
            f"nameless {name}",
            f"{name}: a row has no {by}. Choose a column with --by that is never NULL",
        )

    def namesake(self, owned: Owned, by: str, tenant: str) -> None:
        name = owned.table.name
        self.add(
            f"namesake {name}",
            f"{name}: two rows have {by} {tenant}. Choose a column with --by that is unique",
        )

    def add(self, kind: str, line: str) -> None:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        named = self._named.setdefault(kind, [])
        if len(named) < NAMED_MAX:
            named.append(line)

    def _lines(self, kind: str) -> list[str]:
        rest = self._counts[kind] - NAMED_MAX
        more = [f"{kind.split()[1]}: {rest:,} more rows like these"] if rest > 0 else []
        return self._named[kind] + more
