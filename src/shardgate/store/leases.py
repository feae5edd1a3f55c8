"""Leases: who lives, and which worker goes on with what the dead have left.

Holds: a lease that is not renewed in time ends by itself; of two that take one at once, one gets it.
Never: reads the time; whoever asks says it.
"""

from shardgate.store.sqlite import SqliteStore


class Leases:
    """The table, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def take(self, name: str, owner: str, at: float, until: float) -> bool:
        """Take a lease, or renew one's own; False: another has it."""
        with self._store.transaction():
            taken = self._store.connection.execute(
                "INSERT INTO leases (name, owner, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until <= ?",
                (name, owner, until, at),
            )
            return taken.rowcount > 0

    def live(self, worker: str, at: float, until: float) -> None:
        """Say that a worker lives, and forget those that died long ago."""
        with self._store.transaction():
            execute = self._store.connection.execute
            execute(
                "INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET until = excluded.until",
                (f"worker {worker}", worker, until),
            )
            execute("DELETE FROM leases WHERE until < ?", (at - 3600,))

    def give_up(self, owner: str) -> None:
        """Give back all that an owner has, so that another need not wait."""
        with self._store.transaction():
            self._store.connection.execute("DELETE FROM leases WHERE owner = ?", (owner,))

    def lives(self, worker: str | None, at: float) -> bool:
        """Whether a worker has said so lately."""
        found = self._store.connection.execute(
            "SELECT 1 FROM leases WHERE name = ? AND until > ?", (f"worker {worker}", at)
        )
        return found.fetchone() is not None
