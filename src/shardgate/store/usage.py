"""Stores how many calls each client made in a period, so that a restart of the gateway does not reset them.

Holds: the calls that several gateways add are summed, and each learns the sum.
Never: knows a quota.
"""

from collections.abc import Sequence
from typing import Final

from shardgate.store.database import Store

KEPT_S: Final = 40 * 86_400  # longer than any period: a row unchanged for so long is of a past one


_ADD: Final = """INSERT INTO usage (period, client, calls, counted_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (period, client) DO UPDATE
    SET calls = usage.calls + excluded.calls, counted_at = excluded.counted_at RETURNING calls"""


class Usage:
    """The table of usage, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def calls(self, period: str, client: str) -> int:
        """The stored calls of a client; 0 for one that is not known."""
        row = self._store.execute(
            "SELECT calls FROM usage WHERE period = ? AND client = ?", (period, client)
        ).fetchone()
        return int(row[0]) if row else 0

    def claim(self, period: str, client: str, wanted: int, limit: int, at: float) -> tuple[int, int]:
        """Claim up to `wanted` calls of a client that are left below the limit; how many, and the sum with them."""
        with self._store.transaction():
            made = self.calls(period, client)
            claimed = max(0, min(wanted, limit - made))
            if claimed:
                self._store.execute(_ADD, (period, client, claimed, at))
        return claimed, made + claimed

    def add(self, counted: Sequence[tuple[str, str, int]], at: float) -> list[int]:
        """Add calls, given as period, client and number, all or none; return the sums.

        Also deletes rows that were last changed more than KEPT_S before `at`, in seconds since 1970.
        """
        execute = self._store.execute
        with self._store.transaction():
            execute("DELETE FROM usage WHERE counted_at < ?", (at - KEPT_S,))
            return [int(execute(_ADD, (period, client, calls, at)).fetchone()[0]) for period, client, calls in counted]
