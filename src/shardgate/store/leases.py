"""Leases: which workers are alive, and which one continues the changes of dead workers.

Holds: a lease that is not renewed expires. Of two workers that take a lease at once, one gets it.
Never: reads the time; the caller passes it, in seconds since 1970.
"""

from shardgate.store.sqlite import SqliteStore


class Leases:
    """The table of leases, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def take(self, name: str, owner: str, at: float, until: float) -> bool:
        """Take a lease, or renew one that `owner` has, until `until`; False if another has it."""
        with self._store.transaction():
            taken = self._store.connection.execute(
                "INSERT INTO leases (name, owner, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                " SET owner = excluded.owner, until = excluded.until WHERE owner = excluded.owner OR until <= ?",
                (name, owner, until, at),
            )
            return taken.rowcount > 0

    def live(self, worker: str, at: float, until: float) -> None:
        """Store that a worker is alive until `until`, and delete workers that died over an hour ago."""
        with self._store.transaction():
            execute = self._store.connection.execute
            execute(
                "INSERT INTO leases (name, owner, until) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET until = excluded.until",
                (f"worker {worker}", worker, until),
            )
            execute("DELETE FROM leases WHERE until < ?", (at - 3600,))

    def give_up(self, owner: str) -> None:
        """Delete all leases of an owner, so that others need not wait for them to expire."""
        with self._store.transaction():
            self._store.connection.execute("DELETE FROM leases WHERE owner = ?", (owner,))

    def lives(self, worker: str | None, at: float) -> bool:
        """Whether a worker is alive."""
        found = self._store.connection.execute(
            "SELECT 1 FROM leases WHERE name = ? AND until > ?", (f"worker {worker}", at)
        )
        return found.fetchone() is not None
