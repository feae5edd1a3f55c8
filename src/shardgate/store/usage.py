"""How many calls each client has made in a period: the table that outlives the gateway.

Holds: what gateways write adds up; each learns the sum.
Never: knows what a quota allows.
"""

from collections.abc import Sequence
from typing import Final

from shardgate.store.sqlite import SqliteStore

KEPT_S: Final = 40 * 86_400  # longer than any period: what was not counted in for so long is over


class Usage:
    """The table, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def calls(self, period: str, client: str) -> int:
        """What is written down of a client."""
        row = self._store.connection.execute(
            "SELECT calls FROM usage WHERE period = ? AND client = ?", (period, client)
        ).fetchone()
        return int(row[0]) if row else 0

    def add(self, counted: Sequence[tuple[str, str, int]], at: float) -> list[int]:
        """Add calls, as period, client and number, all or none; the sums. What is long over is forgotten."""
        execute = self._store.connection.execute
        with self._store.transaction():
            execute("DELETE FROM usage WHERE counted_at < ?", (at - KEPT_S,))
            return [
                int(
                    execute(
                        "INSERT INTO usage (period, client, calls, counted_at) VALUES (?, ?, ?, ?)"
                        " ON CONFLICT (period, client) DO UPDATE"
                        " SET calls = calls + excluded.calls, counted_at = excluded.counted_at RETURNING calls",
                        (period, client, calls, at),
                    ).fetchone()[0]
                )
                for period, client, calls in counted
            ]
