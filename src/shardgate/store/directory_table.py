"""Changes the directory in the store, keeps the log of its changes, and counts the keys of each shard.

Each change has an epoch: a number, and a token by chance. A reader that knows the epoch of what it has asks for the
changes since; the token tells it whether the store is still the one that it has read, and not, for example, an older
copy of it that was put back.

Holds: in the transaction that changes keys, the epoch rises, the changed keys are in the log with their new shards, and
the counts are right. Where many keys change at once the log begins anew instead: readers then read all keys.
Never: reads or writes all keys for the change of a few.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from secrets import randbits
from typing import Final

import msgspec

from shardgate.core.topology import ShardId
from shardgate.store.statements import Statements

LOGGED_AT_ONCE_MAX: Final = 10_000  # more keys at once are read as a whole: a log of them would be no shorter
LOG_ROWS_MAX: Final = 100_000  # 10 MB; a reader that is further behind reads all keys
_PURGED_EVERY: Final = 256  # epochs

Kind = str
KEY: Final[Kind] = "key"
"""A change of the log: the shard of a key; NULL: the key was removed."""
PARTS: Final[Kind] = "parts"
"""A change of the log: the shards of an entity in parts, as `parts_value` writes them."""

_LOG: Final = """INSERT INTO directory_log (epoch, kind, space, key, value) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (epoch, kind, space, key) DO UPDATE SET value = excluded.value"""

MIGRATION: Final = (
    "CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, token INTEGER NOT NULL)",
    "INSERT INTO epochs (epoch, token) SELECT value, random() FROM meta WHERE name = 'epoch'",
    """CREATE TABLE directory_log (
         epoch INTEGER NOT NULL, kind TEXT NOT NULL, space TEXT NOT NULL, key TEXT NOT NULL, value TEXT,
         PRIMARY KEY (epoch, kind, space, key)) WITHOUT ROWID""",
    """CREATE TABLE directory_counts (
         space TEXT NOT NULL, shard TEXT NOT NULL, keys INTEGER NOT NULL,
         PRIMARY KEY (space, shard)) WITHOUT ROWID""",
    "INSERT INTO directory_counts SELECT space, shard, count(*) FROM directory GROUP BY space, shard",
    "CREATE INDEX placements_open ON placements (space, shard) WHERE made = 0",
)


class Epoch(msgspec.Struct, frozen=True):
    """One state of the directory."""

    number: int
    token: int | None
    """None: it was made by an older version, which knows no tokens; its successors are then read whole."""


class LoggedChange(msgspec.Struct, frozen=True, array_like=True):
    """One line of the log."""

    epoch: int
    kind: Kind
    space: str
    key: str
    value: str | None


# Changing. Everything runs in the transaction that is open.


def advance(store: Statements) -> int:
    """Raise the epoch; returns the new one."""
    (number,) = store.execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch' RETURNING value").fetchone()
    store.execute("INSERT INTO epochs (epoch, token) VALUES (?, ?)", (number, randbits(62)))
    if number % _PURGED_EVERY == 0:
        _purge(store)
    return int(number)


def record(store: Statements, space: str, pairs: Iterable[tuple[str, ShardId]]) -> int:
    """Store the shard of each key; returns the new epoch. Reads `pairs` once, and holds few of them."""
    pairs = iter(pairs)
    first = [*islice(pairs, LOGGED_AT_ONCE_MAX + 1)]
    if len(first) > LOGGED_AT_ONCE_MAX:
        return _record_many(store, space, chain(first, pairs))
    return _record_few(store, space, dict(first))


def remove(store: Statements, space: str, keys: Iterable[str]) -> int:
    """Remove keys, at most LOGGED_AT_ONCE_MAX; returns the new epoch."""
    return _record_few(store, space, dict.fromkeys(keys))


def log(store: Statements, epoch: int, kind: Kind, space: str, key: str, value: str | None) -> None:
    """Note a change in the log, under the epoch that it has raised."""
    store.execute(_LOG, (epoch, kind, space, key, value))


def parts_value(shards: Sequence[ShardId], *, taken_back: bool) -> str:
    """The shards of an entity in parts, as the log has them."""
    return json.dumps([list(shards), taken_back])


def _record_few(store: Statements, space: str, pairs: dict[str, ShardId] | dict[str, None]) -> int:
    epoch = advance(store)
    counts: dict[str, int] = {}
    changed: list[tuple[str, ShardId | None]] = []
    for key, shard in pairs.items():
        found = store.execute("SELECT shard FROM directory WHERE space = ? AND key = ?", (space, key)).fetchone()
        before = found[0] if found is not None else None
        if before == shard:
            continue
        changed.append((key, shard))
        if before is not None:
            counts[before] = counts.get(before, 0) - 1
        if shard is not None:
            counts[shard] = counts.get(shard, 0) + 1
    _upsert(store, space, ((key, shard) for key, shard in changed if shard is not None))
    store.executemany(
        "DELETE FROM directory WHERE space = ? AND key = ?", [(space, key) for key, shard in changed if shard is None]
    )
    store.executemany(_LOG, [(epoch, KEY, space, key, shard) for key, shard in changed])
    store.executemany(
        "INSERT INTO directory_counts VALUES (?, ?, ?) ON CONFLICT (space, shard)"
        " DO UPDATE SET keys = directory_counts.keys + excluded.keys",
        [(space, shard, change) for shard, change in counts.items()],
    )
    store.execute("DELETE FROM directory_counts WHERE space = ? AND keys < 1", (space,))
    if len(changed) > _PURGED_EVERY:
        _purge(store)
    return epoch


def _record_many(store: Statements, space: str, pairs: Iterable[tuple[str, ShardId]]) -> int:
    _upsert(store, space, pairs)
    store.execute("DELETE FROM directory_log")
    store.execute("DELETE FROM epochs")
    store.execute("DELETE FROM directory_counts WHERE space = ?", (space,))
    store.execute(
        "INSERT INTO directory_counts"
        " SELECT space, shard, count(*) FROM directory WHERE space = ? GROUP BY space, shard",
        (space,),
    )
    return advance(store)


def _upsert(store: Statements, space: str, pairs: Iterable[tuple[str, ShardId]]) -> None:
    store.executemany(
        "INSERT INTO directory (space, key, shard) VALUES (?, ?, ?)"
        " ON CONFLICT (space, key) DO UPDATE SET shard = excluded.shard",
        ((space, key, shard) for key, shard in pairs),
    )


def _purge(store: Statements) -> None:
    """Forget the oldest changes, and all epochs that came before the end of them."""
    row = store.execute(
        "SELECT epoch FROM directory_log ORDER BY epoch DESC LIMIT 1 OFFSET ?", (LOG_ROWS_MAX,)
    ).fetchone()
    (newest,) = store.execute("SELECT value FROM meta WHERE name = 'epoch'").fetchone()
    oldest = max(row[0] if row is not None else 0, newest - LOG_ROWS_MAX)
    # An epoch is the state after its changes: who has the oldest of them needs the changes of the later ones alone.
    store.execute("DELETE FROM directory_log WHERE epoch <= ?", (oldest,))
    store.execute("DELETE FROM epochs WHERE epoch < ?", (oldest,))


# Reading.


def current(store: Statements) -> Epoch:
    """The newest state."""
    number, token = store.execute(
        "SELECT value, token FROM meta LEFT JOIN epochs ON epoch = value WHERE name = 'epoch'"
    ).fetchone()
    return Epoch(number, token)


def is_known(store: Statements, epoch: Epoch) -> bool:
    """Whether the log has every change since this state."""
    found = store.execute("SELECT token FROM epochs WHERE epoch = ?", (epoch.number,)).fetchone()
    return found is not None and epoch.token is not None and found[0] == epoch.token


def changes_since(store: Statements, epoch: Epoch, rows_max: int) -> tuple[Epoch, list[LoggedChange]] | None:
    """The newest state and the changes that lead to it; None: the log does not reach so far back.

    More than `rows_max` changes mean that there are more than those that are returned.
    """
    with store.reading():
        if not is_known(store, epoch):
            return None
        rows = store.execute(
            "SELECT epoch, kind, space, key, value FROM directory_log WHERE epoch > ? ORDER BY epoch LIMIT ?",
            (epoch.number, rows_max + 1),
        ).fetchall()
        return current(store), [LoggedChange(*row) for row in rows]


def token_of(store: Statements, number: int) -> int | None:
    """The token of an epoch that is still in the log."""
    found = store.execute("SELECT token FROM epochs WHERE epoch = ?", (number,)).fetchone()
    return None if found is None else int(found[0])


def log_pages(store: Statements, after: int, until: int, rows: int) -> Iterator[list[LoggedChange]]:
    """The changes of the epochs behind `after`, so many at a time; no transaction stays open between two pages."""
    last: tuple[int, str, str, str] = (after, "~", "", "")  # behind every kind
    while True:
        found = [
            LoggedChange(*row)
            for row in store.execute(
                "SELECT epoch, kind, space, key, value FROM directory_log"
                " WHERE (epoch, kind, space, key) > (?, ?, ?, ?) AND epoch <= ?"
                " ORDER BY epoch, kind, space, key LIMIT ?",
                (*last, until, rows),
            )
        ]
        if found:
            yield found
        if len(found) < rows:
            return
        last = (found[-1].epoch, found[-1].kind, found[-1].space, found[-1].key)


def counts(store: Statements) -> dict[str, dict[ShardId, int]]:
    """How many keys each shard has: space → shard → keys."""
    found: dict[str, dict[ShardId, int]] = {}
    for space, shard, keys in store.execute("SELECT space, shard, keys FROM directory_counts ORDER BY space"):
        found.setdefault(space, {})[shard] = keys
    return found


def find(store: Statements, space: str, key: str) -> ShardId | None:
    """The shard of one key."""
    found = store.execute("SELECT shard FROM directory WHERE space = ? AND key = ?", (space, key)).fetchone()
    return None if found is None else str(found[0])


def find_many(store: Statements, space: str, keys: Sequence[str]) -> dict[str, ShardId]:
    """The shards of those of these keys, a thousand at most, that the directory has."""
    sql = f"SELECT key, shard FROM directory WHERE space = ? AND key IN ({', '.join('?' * len(keys))})"  # noqa: S608
    return dict(iter(store.execute(sql, (space, *keys))))


def pages(store: Statements, space: str, rows: int) -> Iterator[list[tuple[str, ShardId]]]:
    """All keys of a space in order, so many at a time. No transaction stays open between two pages: what changes
    meanwhile may be seen or not, and is in the log."""
    after = None
    while True:
        if after is None:
            found = store.execute(
                "SELECT key, shard FROM directory WHERE space = ? ORDER BY key LIMIT ?", (space, rows)
            ).fetchall()
        else:
            found = store.execute(
                "SELECT key, shard FROM directory WHERE space = ? AND key > ? ORDER BY key LIMIT ?",
                (space, after, rows),
            ).fetchall()
        if found:
            yield found
        if len(found) < rows:
            return
        after = found[-1][0]
