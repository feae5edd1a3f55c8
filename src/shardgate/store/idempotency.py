"""Stores idempotency keys: the client and the request that used a key, and the reply that it got.

A name that a client gives to what it creates is a row of the same table; its fingerprint is the shard.

Holds: of two requests with the same key at once, one runs. A key is on the disk before its request goes to a shard.
"""

from collections.abc import Callable, Collection
from typing import Final

import msgspec

from shardgate.core.changes.idempotency import Record, Verdict, judge
from shardgate.core.http import Reply
from shardgate.core.topology import ShardId
from shardgate.store.database import Store
from shardgate.store.leases import Leases
from shardgate.store.purged import Purged, within

_NAME: Final = "\0name "  # no Idempotency-Key begins with it (RFC 8941 section 3.3.3)
_TAKE: Final = """INSERT INTO idempotency (client, key, fingerprint, owner, expires_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (client, key) DO UPDATE SET fingerprint = excluded.fingerprint, owner = excluded.owner, reply = NULL,
      expires_at = excluded.expires_at"""


def move_names(store: Store, source: ShardId, target: ShardId, moved: Collection[str]) -> None:
    """Let later requests of a name go to the target, in the open transaction, where what it names has moved there."""
    for client, key in _names_on(store, source):
        if key.rpartition(" ")[2] in moved:
            store.execute("UPDATE idempotency SET fingerprint = ? WHERE client = ? AND key = ?", (target, client, key))


def named_on(store: Store, shard: ShardId) -> list[str]:
    """What clients have named that went to this shard."""
    return [key.rpartition(" ")[2] for _, key in _names_on(store, shard)]


def _names_on(store: Store, shard: ShardId) -> list[tuple[str, str]]:
    rows = store.execute("SELECT client, key FROM idempotency WHERE fingerprint = ?", (shard,)).fetchall()
    return [(str(client), str(key)) for client, key in rows if key.startswith(_NAME)]


class Claim(msgspec.Struct, frozen=True):
    """A request with a key, and the worker that would run it."""

    client: str
    key: str
    fingerprint: str
    owner: str
    repeatable: bool


class IdempotencyKeys:
    """The table of idempotency keys, through one connection. Times are seconds since 1970, by the store's clock."""

    __slots__ = ("_leases", "_store")

    def __init__(self, store: Store, leases: Leases) -> None:
        """`leases`: tell which workers are alive."""
        self._store = store
        self._leases = leases

    def begin(self, claim: Claim, at: float, until: float) -> tuple[Verdict, Reply | None]:
        """Decide about a request; if it is to run, its key is taken until `until`.

        With the verdict `replay` comes the stored reply.
        """
        with self._store.transaction():
            at, until = self._on_its_clock(at, until)
            record = self._record(claim, at)
            verdict = judge(record, claim.fingerprint, repeatable=claim.repeatable)
            if verdict == "run":
                self._store.execute(
                    _TAKE,
                    (claim.client, claim.key, claim.fingerprint, claim.owner, until),
                )
        if verdict == "replay" and record is not None and record.reply is not None:
            return verdict, msgspec.msgpack.decode(record.reply, type=Reply)
        return verdict, None

    def seems_dead(self, claim: Claim) -> bool:
        """Whether the worker that runs the request with this key has no lease now."""
        row = self._store.execute(
            "SELECT owner FROM idempotency WHERE client = ? AND key = ?", (claim.client, claim.key)
        ).fetchone()
        return row is not None and row[0] is not None and not self._leases.lives(row[0])

    def finish(self, claim: Claim, reply: Reply) -> None:
        """Store the reply. Called before the client gets it."""
        self._update("reply = ?, owner = NULL", claim, msgspec.msgpack.encode(reply))

    def doubt(self, claim: Claim) -> None:
        """Note that the reply was lost: it is not known whether the request took effect."""
        self._update("owner = ?", claim, None)

    def forget(self, claim: Claim) -> None:
        """Free the key: the request did nothing."""
        with self._store.transaction():
            self._store.execute(
                "DELETE FROM idempotency WHERE client = ? AND key = ? AND owner = ?",
                (claim.client, claim.key, claim.owner),
            )

    def follow(
        self, client: str, name: str, shard: ShardId | None, at: float, until: float
    ) -> tuple[ShardId | None, bool]:
        """The shard that requests of a name go to, and whether this request is the first of the name.

        The first request decides: its shard is stored until `until`. With `shard` None nothing is stored, and None is
        returned for an unknown name.
        """
        with self._store.transaction():
            execute = self._store.execute
            at, until = self._on_its_clock(at, until)
            row = execute(
                "SELECT fingerprint FROM idempotency WHERE client = ? AND key = ? AND expires_at >= ?",
                (client, _NAME + name, at),
            ).fetchone()
            if row is not None or shard is None:
                return (None if row is None else str(row[0])), False
            execute(_TAKE, (client, _NAME + name, shard, None, until))
        return shard, True

    def release(self, client: str, name: str) -> None:
        """Forget a name: its create did nothing."""
        with self._store.transaction():
            self._store.execute("DELETE FROM idempotency WHERE client = ? AND key = ?", (client, _NAME + name))

    def purge(self, at: float, count: int, bytes_max: int, clock: Callable[[], float]) -> Purged:
        """Delete expired keys, first those that expired first: no more than `count`, none after `bytes_max` bytes."""
        execute = self._store.execute
        old = execute(  # to look needs no lock
            "SELECT client, key, length(reply) FROM idempotency WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
            (at, count),
        ).fetchall()
        if not old:
            return Purged(0, more=False, held_s=0.0)
        chosen = within(old, bytes_max)
        with self._store.transaction():
            began_at = clock()
            for client, key in chosen:
                execute("DELETE FROM idempotency WHERE client = ? AND key = ? AND expires_at < ?", (client, key, at))
        more = len(chosen) < len(old) or len(old) == count
        return Purged(len(chosen), more, clock() - began_at)

    def _on_its_clock(self, at: float, until: float) -> tuple[float, float]:
        """An instant and a later one of the caller's clock, on the clock of the store."""
        there = self._store.wall(at)
        return there, there + (until - at)

    def _record(self, claim: Claim, at: float) -> Record | None:
        row = self._store.execute(
            "SELECT fingerprint, owner, reply FROM idempotency WHERE client = ? AND key = ? AND expires_at >= ?",
            (claim.client, claim.key, at),
        ).fetchone()
        if row is None:
            return None
        fingerprint, owner, reply = row
        # One whose lease was ended by others still drives the request: it is not run a second time beside that.
        return Record(fingerprint, reply, owner is not None and not self._leases.is_dead(owner))

    def _update(self, change: str, claim: Claim, value: bytes | None) -> None:
        with self._store.transaction():
            self._store.execute(
                f"UPDATE idempotency SET {change} WHERE client = ? AND key = ? AND owner = ?",  # noqa: S608 - constants
                (value, claim.client, claim.key, claim.owner),
            )
