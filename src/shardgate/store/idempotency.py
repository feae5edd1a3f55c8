"""Idempotency keys: who has used which, for what, and what was answered.

Holds: of two requests with one key at once, one runs; a key is written before its request is sent to a shard.
A name that a client gave to what it made is a row of the same table; its fingerprint is the shard.
"""

from typing import Final

import msgspec

from shardgate.core.changes.idempotency import Record, Verdict, judge
from shardgate.core.http import Reply
from shardgate.core.topology import ShardId
from shardgate.store.leases import Leases
from shardgate.store.sqlite import SqliteStore

_NAME: Final = "\0name "  # no Idempotency-Key begins with it (RFC 8941 section 3.3.3)


class Claim(msgspec.Struct, frozen=True):
    """A request with a key, and who would run it."""

    client: str
    key: str
    fingerprint: str
    owner: str
    repeatable: bool


class IdempotencyKeys:
    """The table, through one connection."""

    __slots__ = ("_leases", "_store")

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._leases = Leases(store)

    def begin(self, claim: Claim, at: float, until: float) -> tuple[Verdict, Reply | None]:
        """What becomes of the request; where it runs, the key is taken for it until an instant."""
        with self._store.transaction():
            record = self._record(claim, at)
            verdict = judge(record, claim.fingerprint, repeatable=claim.repeatable)
            if verdict == "run":
                self._store.connection.execute(
                    "INSERT OR REPLACE INTO idempotency (client, key, fingerprint, owner, expires_at)"
                    " VALUES (?, ?, ?, ?, ?)",
                    (claim.client, claim.key, claim.fingerprint, claim.owner, until),
                )
        if verdict == "replay" and record is not None and record.reply is not None:
            return verdict, msgspec.msgpack.decode(record.reply, type=Reply)
        return verdict, None

    def finish(self, claim: Claim, reply: Reply) -> None:
        """Keep the reply, before the client has it."""
        self._update("reply = ?, owner = NULL", claim, msgspec.msgpack.encode(reply))

    def doubt(self, claim: Claim) -> None:
        """The reply was lost: whether the request took effect is not known."""
        self._update("owner = ?", claim, None)

    def forget(self, claim: Claim) -> None:
        """Nothing was done: the key is free again."""
        with self._store.transaction():
            self._store.connection.execute(
                "DELETE FROM idempotency WHERE client = ? AND key = ? AND owner = ?",
                (claim.client, claim.key, claim.owner),
            )

    def follow(
        self, client: str, name: str, shard: ShardId | None, at: float, until: float
    ) -> tuple[ShardId | None, bool]:
        """Where requests of a name go: to the first one's shard, or now to this one; and whether it is the first."""
        with self._store.transaction():
            execute = self._store.connection.execute
            row = execute(
                "SELECT fingerprint FROM idempotency WHERE client = ? AND key = ? AND expires_at >= ?",
                (client, _NAME + name, at),
            ).fetchone()
            if row is not None or shard is None:
                return (None if row is None else str(row[0])), False
            execute(
                "INSERT OR REPLACE INTO idempotency (client, key, fingerprint, expires_at) VALUES (?, ?, ?, ?)",
                (client, _NAME + name, shard, until),
            )
        return shard, True

    def release(self, client: str, name: str) -> None:
        """Nothing was made of this name."""
        with self._store.transaction():
            self._store.connection.execute(
                "DELETE FROM idempotency WHERE client = ? AND key = ?", (client, _NAME + name)
            )

    def purge(self, at: float, count: int) -> int:
        """Forget keys whose time is over."""
        with self._store.transaction():
            gone = self._store.connection.execute(
                "DELETE FROM idempotency WHERE (client, key) IN"
                " (SELECT client, key FROM idempotency WHERE expires_at < ? LIMIT ?)",
                (at, count),
            )
            return gone.rowcount

    def _record(self, claim: Claim, at: float) -> Record | None:
        row = self._store.connection.execute(
            "SELECT fingerprint, owner, reply FROM idempotency WHERE client = ? AND key = ? AND expires_at >= ?",
            (claim.client, claim.key, at),
        ).fetchone()
        if row is None:
            return None
        fingerprint, owner, reply = row
        return Record(fingerprint, reply, owner is not None and self._leases.lives(owner, at))

    def _update(self, change: str, claim: Claim, value: bytes | None) -> None:
        with self._store.transaction():
            self._store.connection.execute(
                f"UPDATE idempotency SET {change} WHERE client = ? AND key = ? AND owner = ?",  # noqa: S608 - constants
                (value, claim.client, claim.key, claim.owner),
            )
