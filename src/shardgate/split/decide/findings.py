"""Collects what is wrong with single rows, in words that say how to correct them.

Holds: for each kind of mistake, a few rows are named and the others are counted. A million wrong rows need no more
memory than three.
"""

from typing import Final

from shardgate.split.database.rows import RowKey, show_key
from shardgate.split.database.schema import ForeignKey
from shardgate.split.decide.ownership import OwnedTable

NAMED_MAX: Final = 3  # enough to recognize the mistake, few enough to read


class Findings:
    """The mistakes found so far, by kind. Each method but `lines` records one."""

    __slots__ = ("_counts", "_named")

    def __init__(self) -> None:
        self._named: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}

    def lines(self) -> tuple[str, ...]:
        """All mistakes as the user reads them."""
        return tuple(line for kind in self._named for line in self._lines(kind))

    def dangling(self, owned: OwnedTable, link: ForeignKey, row: RowKey, parent: RowKey) -> None:
        """A row refers to a parent that does not exist."""
        name = owned.table.name
        self._add(
            f"dangling {name} {link}",
            f"{name}: row {show_key(row)} refers to {link.parent} {show_key(parent)}, which does"
            " not exist. Correct the row, or add the row that it refers to",
        )

    def torn(self, owned: OwnedTable, row: RowKey, tenants: tuple[str, str]) -> None:
        """Two foreign keys of a row lead to two tenants."""
        name = owned.table.name
        self._add(
            f"torn {name}",
            f"{name}: row {show_key(row)} has parents in two tenants, {tenants[0]} and"
            f" {tenants[1]}. If that is right, say where such rows go: --shared {name}=each sends them, and the rows"
            f" that they refer to, to the shard of each tenant, --shared {name}=SHARD to one. If not, correct the row",
        )

    def orphan(self, owned: OwnedTable, row: RowKey) -> None:
        """All foreign keys that could lead a row to its tenant are NULL."""
        name = owned.table.name
        keys = " and ".join(str(link) for link in owned.links)
        self._add(
            f"orphan {name}",
            f"{name}: row {show_key(row)} belongs to no tenant: {keys} is NULL. Set it, or {_unowned(name)}",
        )

    def leading_nowhere(self, owned: OwnedTable, link: ForeignKey, row: RowKey, parent: RowKey) -> None:
        """A row refers, by a key that the database does not declare, to a parent that does not exist."""
        name = owned.table.name
        self._add(
            f"nowhere {name} {link}",
            f"{name}: row {show_key(row)} refers to {link.parent} {show_key(parent)}, which does not exist, so it"
            f" belongs to no tenant. Set it, or {_unowned(name)}",
        )

    def ambiguous(self, owned: OwnedTable, key: RowKey) -> None:
        """Rows of two tenants have the same value in columns that a foreign key refers to."""
        name = owned.table.name
        self._add(
            f"ambiguous {name}",
            f"{name}: a foreign key refers to {show_key(key)}, but rows of two tenants have that value."
            " Give a --link to a column whose values are unique",
        )

    def nameless(self, owned: OwnedTable, by: str) -> None:
        """A tenant has NULL where the directory needs its name."""
        name = owned.table.name
        self._add(
            f"nameless {name}",
            f"{name}: a row has NULL in {by}, which names the tenants in the directory. With --by, name a column"
            " that is never NULL",
        )

    def partly_binary(self, owned: OwnedTable, by: str) -> None:
        """Some tenants have binary keys, and others have not."""
        name = owned.table.name
        self._add(
            f"partly binary {name}",
            f"{name}: {by} is binary in some rows, and not in others, so that two of them could get one name in the"
            " directory. Correct the rows, or name another column with --by",
        )

    def namesake(self, owned: OwnedTable, by: str, tenant: str) -> None:
        """Two tenants would have the same name in the directory."""
        name = owned.table.name
        self._add(
            f"namesake {name}",
            f"{name}: two rows have {by} {tenant}, but {by} names the tenants in the directory. With --by, name a"
            " column whose values are unique",
        )

    def _add(self, kind: str, line: str) -> None:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        named = self._named.setdefault(kind, [])
        if len(named) < NAMED_MAX:
            named.append(line)

    def _lines(self, kind: str) -> list[str]:
        rest = self._counts[kind] - NAMED_MAX
        more = [f"{kind.split()[1]}: {rest:,} more rows like these"] if rest > 0 else []
        return self._named[kind] + more


def _unowned(table: str) -> str:
    return (
        f"say where such rows go: --unowned {table}=all sends them to every shard, --unowned {table}=SHARD to one,"
        f" --unowned {table}=none to no shard"
    )
