"""The journal: what is to be done on which shard, written before it is done.

Holds: a call is begun on the disk first; who drives an entry owns it, and writes nothing once another has taken it
over. Changes of one order (`every`) begin on a shard only when all earlier ones are through there.
Never: decides what to do next.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from shardgate.core.changes.entry import OPEN, Branch, BranchPhase, ChangeKind, ChangeState, Entry, Sent, Terms
from shardgate.core.changes.steps import ChangeStep, begin
from shardgate.core.http import Reply
from shardgate.store.parts import record_leftovers, record_parts
from shardgate.store.sqlite import SqliteStore

_OPEN_STATES = ", ".join(f"'{state}'" for state in OPEN)
_SETTLED = "('done', 'confirmed', 'refused', 'undone')"
# An earlier change is through on a shard when it is over, or decided and done there. Both looks are by an index.
_UNDECIDED = """
    SELECT 1 FROM journal e WHERE e.state IN ('trying', 'undoing') AND e.kind = 'every' AND e.id < ?
      AND EXISTS (SELECT 1 FROM journal_branches b WHERE b.entry = e.id AND b.shard = ?) LIMIT 1"""
_BEHIND = f"""
    SELECT 1 FROM journal_branches b JOIN journal e ON e.id = b.entry
    WHERE b.shard = ? AND b.entry < ? AND b.state NOT IN {_SETTLED}
      AND e.kind = 'every' AND e.state IN ('finishing', 'stuck') LIMIT 1"""  # noqa: S608 - constants

Begun = Literal["begun", "busy", "behind"]
"""`busy`: an earlier change is under way on this shard. `behind`: the shard has missed earlier ones."""


class _Content(msgspec.Struct, frozen=True):
    """What of an entry never changes."""

    operation: str
    request: Sent
    terms: Terms
    variables: dict[str, str]
    space: str
    tenant: str
    placed_by: str
    made: tuple[tuple[str, str], ...] = ()


class _Part(msgspec.Struct, frozen=True):
    """What of a branch never changes."""

    body: bytes | None
    positions: tuple[int, ...]


class _Progress(msgspec.Struct, frozen=True):
    tries: int
    reply: Reply | None
    before: bytes | None
    problem: str
    stuck_in: BranchPhase


class Orphan(msgspec.Struct, frozen=True):
    """An open entry that nobody drives."""

    id: int
    kind: ChangeKind
    waits_for: frozenset[str]
    """Where it is decided: the shards that have not got it yet."""


class NotOwnerError(Exception):
    """Another worker has taken the entry over."""


class Journal:
    """The table, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def add(self, entry: Entry, owner: str, at: float) -> None:
        """Write an entry down; from now on it is known by its number."""
        with self._store.transaction():
            shards = [branch.shard for branch in entry.branches]
            entry.made = tuple(made for made in entry.made if record_parts(self._store, *made, shards))
            execute = self._store.connection.execute
            cursor = execute(
                "INSERT INTO journal (token, kind, state, owner, created_at, content) VALUES (?, ?, ?, ?, ?, ?)",
                (entry.token, entry.kind, entry.state, owner, at, _content(entry)),
            )
            entry.id = cursor.lastrowid or 0
            for number, branch in enumerate(entry.branches):
                part = msgspec.msgpack.encode(_Part(branch.body, branch.positions))
                execute(
                    "INSERT INTO journal_branches (entry, number, shard, state, content, progress)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (entry.id, number, branch.shard, branch.phase, part, _progress(branch)),
                )

    def begin(self, entry: Entry, number: int, step: ChangeStep, owner: str) -> Begun:
        """Note that a call is about to be made, if earlier changes are through on this shard."""
        branch = entry.branches[number]
        with self._store.transaction():
            self._require_owner(entry, owner)
            if entry.kind == "every" and branch.phase == "waiting" and (why := self._earlier(entry, branch)):
                return why
            begin(branch, step)
            self._write(entry, number)
        return "begun"

    def save(
        self,
        entry: Entry,
        owner: str,
        *numbers: int,
        release: bool = False,
        also: Callable[[], None] | None = None,
    ) -> None:
        """Keep how far the entry and some of its branches have come, and what `also` writes, or nothing of it.

        With `release` anyone may go on with it.
        """
        with self._store.transaction():
            self._require_owner(entry, owner)
            if also is not None:
                also()
            if entry.state == "undone":
                left = [branch.shard for branch in entry.branches if branch.phase == "undone" and not branch.before]
                for made in entry.made:
                    record_leftovers(self._store, *made, left)
            for number in numbers:
                self._write(entry, number)
            self._store.connection.execute(
                "UPDATE journal SET state = ?, stuck_in = ?, owner = ? WHERE id = ?",
                (entry.state, entry.stuck_in, None if release or not entry.open else owner, entry.id),
            )

    def load(self, number: int) -> Entry | None:
        """One entry, by its number."""
        return self._load("id = ?", number)

    def find(self, token: str) -> Entry | None:
        """One entry, by the name that its client has."""
        return self._load("token = ?", token)

    def adopt(self, number: int, owner: str, at: float) -> Entry | None:
        """Take over an entry that nobody drives; None: somebody does."""
        with self._store.transaction():
            taken = self._store.connection.execute(
                f"UPDATE journal SET owner = ? WHERE id = ? AND state IN ({_OPEN_STATES}) AND {_ORPHANED}",  # noqa: S608 - constants
                (owner, number, at),
            )
            return self.load(number) if taken.rowcount else None

    def seize(self, number: int, owner: str, *states: ChangeState) -> Entry | None:
        """Take an entry away from whoever drives it, if it is in one of the states: a person has decided."""
        with self._store.transaction():
            entry = self.load(number)
            if entry is None or entry.state not in states:
                return None
            self._store.connection.execute("UPDATE journal SET owner = ? WHERE id = ?", (owner, number))
            return entry

    def replace_lines(self, entry: Entry, lines: bytes) -> None:
        """Send other header lines from now on."""
        entry.request = msgspec.structs.replace(entry.request, lines=lines)
        with self._store.transaction():
            self._store.connection.execute("UPDATE journal SET content = ? WHERE id = ?", (_content(entry), entry.id))

    def orphans(self, at: float, count: int) -> list[Orphan]:
        """Open entries that nobody drives, the oldest first."""
        rows = self._store.connection.execute(
            "SELECT id, kind, state, (SELECT group_concat(shard, char(10)) FROM journal_branches"  # noqa: S608 - constants
            f" WHERE entry = journal.id AND journal_branches.state NOT IN {_SETTLED})"
            f" FROM journal WHERE state IN ({_OPEN_STATES}) AND {_ORPHANED} ORDER BY id LIMIT ?",
            (at, count),
        )
        return [
            Orphan(number, kind, frozenset((shards or "").split("\n")) if state == "finishing" else frozenset())
            for number, kind, state, shards in rows
        ]

    def numbers(self, *, everything: bool, count: int) -> list[tuple[int, float]]:
        """Entries and when they were made, the newest first: what is open or stuck, or everything."""
        states = "1" if everything else f"state IN ({_OPEN_STATES}, 'stuck')"
        return self._store.connection.execute(
            f"SELECT id, created_at FROM journal WHERE {states} ORDER BY id DESC LIMIT ?",  # noqa: S608 - constants
            (count,),
        ).fetchall()

    def purge(self, before: float, count: int) -> int:
        """Forget entries that are over, and older than an instant."""
        with self._store.transaction():
            execute = self._store.connection.execute
            old = execute(
                "SELECT id FROM journal WHERE state IN ('done', 'undone', 'abandoned') AND created_at < ? LIMIT ?",
                (before, count),
            ).fetchall()
            for (number,) in old:
                execute("DELETE FROM journal_branches WHERE entry = ?", (number,))
                execute("DELETE FROM journal WHERE id = ?", (number,))
        return len(old)

    def _load(self, where: str, value: object) -> Entry | None:
        execute = self._store.connection.execute
        columns = "id, token, kind, state, stuck_in, content"
        row = execute(f"SELECT {columns} FROM journal WHERE {where}", (value,)).fetchone()  # noqa: S608 - constants
        if row is None:
            return None
        number, token, kind, state, stuck_in, content = row
        made = msgspec.msgpack.decode(content, type=_Content)
        rows = execute(
            "SELECT shard, state, content, progress FROM journal_branches WHERE entry = ? ORDER BY number", (number,)
        )
        branches = [_branch(*each) for each in rows]
        entry = Entry(token, kind, made.operation, made.request, made.terms, made.variables, branches, state, id=number)
        entry.space, entry.tenant, entry.placed_by = made.space, made.tenant, made.placed_by
        entry.made, entry.stuck_in = made.made, stuck_in
        return entry

    def _earlier(self, entry: Entry, branch: Branch) -> Literal["busy", "behind"] | None:
        execute = self._store.connection.execute
        if execute(_BEHIND, (branch.shard, entry.id)).fetchone():
            return "behind"
        return "busy" if execute(_UNDECIDED, (entry.id, branch.shard)).fetchone() else None

    def _require_owner(self, entry: Entry, owner: str) -> None:
        row = self._store.connection.execute("SELECT owner FROM journal WHERE id = ?", (entry.id,)).fetchone()
        if row is None or row[0] != owner:
            raise NotOwnerError(f"entry {entry.id} has another owner")

    def _write(self, entry: Entry, number: int) -> None:
        branch = entry.branches[number]
        self._store.connection.execute(
            "UPDATE journal_branches SET state = ?, progress = ? WHERE entry = ? AND number = ?",
            (branch.phase, _progress(branch), entry.id, number),
        )


_ORPHANED = "(owner IS NULL OR NOT EXISTS (SELECT 1 FROM leases WHERE name = 'worker ' || journal.owner AND until > ?))"


def _content(entry: Entry) -> bytes:
    content = _Content(
        entry.operation,
        entry.request,
        entry.terms,
        entry.variables,
        entry.space,
        entry.tenant,
        entry.placed_by,
        entry.made,
    )
    return msgspec.msgpack.encode(content)


def _progress(branch: Branch) -> bytes:
    progress = _Progress(branch.tries, branch.reply, branch.before, branch.problem, branch.stuck_in)
    return msgspec.msgpack.encode(progress)


def _branch(shard: str, phase: BranchPhase, content: bytes, progress: bytes) -> Branch:
    part = msgspec.msgpack.decode(content, type=_Part)
    come = msgspec.msgpack.decode(progress, type=_Progress)
    return Branch(
        shard,
        part.body,
        part.positions,
        phase,
        come.tries,
        come.reply,
        come.before,
        come.problem,
        come.stuck_in,
    )
