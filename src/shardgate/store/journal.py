"""The journal: stores which calls a change makes to which shards, before they are made.

Holds: the start of a call is on the disk before the call is sent. The worker that drives an entry owns it, and writes
nothing after another has taken it over: each owner has a higher fence. A change by `every` begins on a shard only after
all earlier ones of the same thing are done there (core/changes/thing.py), and after all others that are on their way.
Creates of one name by `place` begin one after another.
Never: decides what to do next; core/changes does.
"""

from collections.abc import Callable, Collection
from typing import Literal

import msgspec

from shardgate.core.changes.entry import OPEN, Branch, BranchPhase, ChangeKind, ChangeState, Entry, Sent, Terms
from shardgate.core.changes.phases import ChangeStep
from shardgate.core.changes.steps import begin
from shardgate.core.changes.thing import thing_of
from shardgate.core.http import Reply
from shardgate.core.limits import ORDER_KEPT_S
from shardgate.store.database import Store
from shardgate.store.parts import record_leftovers, record_parts
from shardgate.store.purged import Purged, within

_OPEN_STATES = ", ".join(f"'{state}'" for state in OPEN)
_SETTLED = "('done', 'confirmed', 'refused', 'undone')"
_SAME_THING = """(e.thing = '' OR :thing = '' OR e.thing = :thing
      OR substr(e.thing, 1, length(:thing) + 1) = :thing || '/'
      OR substr(:thing, 1, length(e.thing) + 1) = e.thing || '/')"""
# An earlier change is done on a shard if it is over, or if it is decided and was done there. What is not on its way
# any more, because a person or a shard must settle it first, holds up its own thing alone. Both queries use an index.
_UNDECIDED = f"""
    SELECT 1 FROM journal e WHERE e.state IN ('trying', 'undoing') AND e.kind = 'every' AND e.id < :id
      AND EXISTS (SELECT 1 FROM journal_branches b WHERE b.entry = e.id AND b.shard = :shard)
      AND ({_SAME_THING} OR (e.boot = :boot AND e.began_at > :since)) LIMIT 1"""  # noqa: S608 - constants
_MISSED = f"""
    SELECT CASE WHEN {_SAME_THING} THEN CASE WHEN e.unsettled = 1 OR e.state = 'stuck' THEN 'held' ELSE 'behind' END
                WHEN e.unsettled = 1 THEN 'busy' ELSE 'behind' END AS why
    FROM journal_branches b JOIN journal e ON e.id = b.entry
    WHERE b.shard = :shard AND b.entry < :id AND b.state NOT IN {_SETTLED}
      AND e.kind = 'every' AND e.state IN ('finishing', 'stuck')
      AND ({_SAME_THING} OR (e.state = 'finishing' AND (e.unsettled = 0 OR (e.boot = :boot AND e.began_at > :since))))
    ORDER BY why DESC LIMIT 1"""  # noqa: S608 - constants; `held` before `busy` before `behind`

_SIZE = """length(content) + (SELECT coalesce(sum(length(b.content) + length(b.progress)), 0) FROM journal_branches b
    WHERE b.entry = journal.id)"""
_NAMED = """
    SELECT 1 FROM journal WHERE state IN ('trying', 'undoing') AND kind = 'place' AND thing = ? AND id < ? LIMIT 1"""

Begun = Literal["begun", "busy", "behind", "held"]
"""`busy`: an earlier change is under way on this shard. `behind`: the shard missed earlier changes. `held`: an earlier
change of the same thing must be settled by a person, or by a shard that does not say what it did."""


class _EntryContent(msgspec.Struct, frozen=True):
    """The immutable part of an entry."""

    operation: str
    request: Sent
    terms: Terms
    variables: dict[str, str]
    space: str
    tenant: str
    placed_by: str
    made: tuple[tuple[str, str], ...] = ()
    client: str = ""


class _BranchContent(msgspec.Struct, frozen=True):
    """The immutable part of a branch."""

    body: bytes | None
    positions: tuple[int, ...]
    conditions: bytes | None = None


class _BranchProgress(msgspec.Struct, frozen=True):
    """The part of a branch that changes, but for its phase."""

    tries: int
    reply: Reply | None
    before: bytes | None
    problem: str
    stuck_in: BranchPhase
    judges: bool = False


class Orphan(msgspec.Struct, frozen=True):
    """An open entry that no living worker drives."""

    id: int
    owner: str | None
    """The worker that drove it; None: it was given up."""
    kind: ChangeKind
    waits_for: frozenset[str]
    """For a decided change, the shards that it was not done on yet; else empty."""
    unsettled: bool = False
    """A shard was reached and has not settled it."""


class Instant(msgspec.Struct, frozen=True):
    """An instant, in seconds: on a clock that people may set, and on one that only goes forward until the next boot."""

    wall_s: float
    """Since 1970."""
    up_s: float = 0.0
    boot: str = ""
    """Names the boot since which `up_s` goes forward."""


class JournalBounds(msgspec.Struct, frozen=True):
    """How much of all workers may be in the journal and not over."""

    entries_max: int
    bytes_max: int
    """Of the requests."""


class JournalFullError(Exception):
    """A bound is reached; nothing was stored."""


class NotOwnerError(Exception):
    """Another worker, or an operator, has taken the entry over."""


class Journal:
    """The tables of entries and branches, through one connection."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, entry: Entry, owner: str, at: Instant, bounds: JournalBounds | None = None) -> None:
        """Store an entry, owned by a worker, and give it its number. Raises JournalFullError."""
        content = _content(entry)
        with self._store.transaction():
            if bounds is not None:
                self._require_room(bounds, len(content))
            boot, up_s = self._store.clock(at.boot, at.up_s)
            made_at = self._store.wall(at.wall_s)
            shards = [branch.shard for branch in entry.branches]
            entry.made = tuple(made for made in entry.made if record_parts(self._store, *made, shards))
            execute = self._store.execute
            (entry.id,) = execute(
                "INSERT INTO journal (token, kind, state, owner, created_at, boot, began_at, content, thing)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    entry.token,
                    entry.kind,
                    entry.state,
                    owner,
                    made_at,
                    boot,
                    up_s,
                    content,
                    entry.thing,
                ),
            ).fetchone()
            for number, branch in enumerate(entry.branches):
                part = msgspec.msgpack.encode(_BranchContent(branch.body, branch.positions, branch.conditions))
                execute(
                    "INSERT INTO journal_branches (entry, number, shard, state, content, progress)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (entry.id, number, branch.shard, branch.phase, part, _progress(branch)),
                )

    def begin(self, entry: Entry, number: int, step: ChangeStep, owner: str, at: Instant) -> Begun:
        """Store that a call of a branch starts, unless earlier changes on its shard come first.

        `at`: now; changes that were made long before hold up their own thing alone. Raises NotOwnerError. Where it
        raises anything, the branch is as before.
        """
        branch = entry.branches[number]
        before = branch.phase, branch.tries, branch.judges

        def undo() -> None:
            branch.phase, branch.tries, branch.judges = before

        with self._store.transaction(undo):
            self._require_owner(entry, owner)
            if branch.phase == "waiting" and (why := self._earlier(entry, branch, at)):
                return why
            begin(entry, branch, step)
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
        """Store the state of the entry and of some branches, and what `also` writes, in one transaction.

        With `release` any worker may continue it. Raises NotOwnerError.
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
            self._store.execute(
                "UPDATE journal SET state = ?, stuck_in = ?, owner = ?, unsettled = ? WHERE id = ?",
                (
                    entry.state,
                    entry.stuck_in,
                    None if release or not entry.open else owner,
                    int(entry.unsettled),
                    entry.id,
                ),
            )

    def load(self, number: int) -> Entry | None:
        """The entry with a number; None if there is none."""
        return self._load("id = ?", number)

    def size(self, number: int) -> int:
        """How many bytes the entry with a number has here; 0 if there is none."""
        row = self._store.execute(
            f"SELECT {_SIZE} FROM journal WHERE id = ?",  # noqa: S608 - constants
            (number,),
        ).fetchone()
        return 0 if row is None else int(row[0])

    def find(self, token: str) -> Entry | None:
        """The entry with a token, which is what its client knows it by; None if there is none."""
        return self._load("token = ?", token)

    def adopt(self, number: int, owner: str, before: str | None) -> Entry | None:
        """Take over an entry from a dead worker, or one that was given up; None if it is another's by now, or over."""
        with self._store.transaction():
            taken = self._store.execute(
                "UPDATE journal SET owner = ?, fence = fence + 1 WHERE id = ? AND coalesce(owner, '') = ?"  # noqa: S608 - constants
                f" AND state IN ({_OPEN_STATES})",
                (owner, number, before or ""),
            )
            return self.load(number) if taken.rowcount else None

    def seize(self, number: int, owner: str, *states: ChangeState) -> Entry | None:
        """Take over an entry from any worker, for an operator; None if it is in none of the states."""
        with self._store.transaction():
            entry = self.load(number)
            if entry is None or entry.state not in states:
                return None
            entry.fence += 1
            self._store.execute("UPDATE journal SET owner = ?, fence = ? WHERE id = ?", (owner, entry.fence, number))
            return entry

    def replace_lines(self, entry: Entry, lines: bytes) -> None:
        """Replace the header lines that the entry's requests carry."""
        entry.request = msgspec.structs.replace(entry.request, lines=lines)
        with self._store.transaction():
            self._store.execute("UPDATE journal SET content = ? WHERE id = ?", (_content(entry), entry.id))

    def put_right(self) -> list[int]:
        """Put right what earlier versions have left: say of each change that is not over what it is about.

        Returns the numbers of those that are stuck though nothing of them was ever sent.
        """
        unsent: list[int] = []
        with self._store.transaction():
            execute = self._store.execute
            rows = execute(f"SELECT id FROM journal WHERE state IN ({_OPEN_STATES}, 'stuck') AND thing = ''")  # noqa: S608 - constants
            for (number,) in rows.fetchall():
                entry = self.load(number)
                if entry is None:
                    continue
                if entry.kind == "every":
                    execute("UPDATE journal SET thing = ? WHERE id = ?", (thing_of(entry), number))
                if entry.state == "stuck" and entry.never_sent:
                    unsent.append(number)
        return unsent

    def last(self) -> int:
        """The number of the newest entry; 0: there is none."""
        (number,) = self._store.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()
        return int(number)

    def waits_for(self, shard: str, last: int) -> bool:
        """Whether a call to this shard is still to be made for an entry up to number `last`."""
        row = self._store.execute(
            f"SELECT 1 FROM journal_branches b JOIN journal e ON e.id = b.entry WHERE b.shard = ? AND e.id <= ?"  # noqa: S608 - constants
            f" AND b.state NOT IN {_SETTLED} AND e.state IN ({_OPEN_STATES}) LIMIT 1",
            (shard, last),
        ).fetchone()
        return row is not None

    def owners(self) -> list[str]:
        """Who drives open entries, dead or alive."""
        rows = self._store.execute(
            f"SELECT DISTINCT owner FROM journal WHERE state IN ({_OPEN_STATES}) AND owner IS NOT NULL"  # noqa: S608 - constants
        )
        return [owner for (owner,) in rows]

    def orphans(self, dead: Collection[str], count: int) -> list[Orphan]:
        """Up to `count` open entries that nobody drives, or one of these dead workers, oldest first."""
        owners = "owner IS NULL" + f" OR owner IN ({', '.join('?' * len(dead))})" * bool(dead)
        rows = self._store.execute(
            "SELECT e.id, e.owner, e.kind, e.state, e.unsettled, b.shard FROM"  # noqa: S608 - constants
            " (SELECT id, owner, kind, state, unsettled FROM journal"
            f" WHERE state IN ({_OPEN_STATES}) AND ({owners}) ORDER BY id LIMIT ?) e"
            f" LEFT JOIN journal_branches b ON b.entry = e.id AND b.state NOT IN {_SETTLED} ORDER BY e.id",
            (*dead, count),
        )
        found: dict[int, tuple[str | None, ChangeKind, ChangeState, bool, set[str]]] = {}
        for number, owner, kind, state, unsettled, shard in rows:
            *_, shards = found.setdefault(number, (owner, kind, state, bool(unsettled), set()))
            shards |= {shard} - {None}
        return [
            Orphan(number, owner, kind, frozenset(shards) if state == "finishing" else frozenset(), unsettled)
            for number, (owner, kind, state, unsettled, shards) in found.items()
        ]

    def numbers(self, *, everything: bool, count: int) -> list[tuple[int, float]]:
        """Up to `count` numbers of entries with the time each was made, newest first: open and stuck ones, or all."""
        states = "1 = 1" if everything else f"state IN ({_OPEN_STATES}, 'stuck')"
        return self._store.execute(
            f"SELECT id, created_at FROM journal WHERE {states} ORDER BY id DESC LIMIT ?",  # noqa: S608 - constants
            (count,),
        ).fetchall()

    def purge(self, before: float, count: int, bytes_max: int, clock: Callable[[], float]) -> Purged:
        """Delete entries that are over and were made before `before`, in seconds since 1970, oldest first.

        No more than `count`, and no more after `bytes_max` bytes.
        """
        execute = self._store.execute
        old = execute(  # to look needs no lock, and what is over stays over
            f"SELECT id, {_SIZE} FROM journal"  # noqa: S608 - constants
            " WHERE state IN ('done', 'undone', 'abandoned') AND created_at < ? ORDER BY created_at LIMIT ?",
            (before, count),
        ).fetchall()
        if not old:
            return Purged(0, more=False, held_s=0.0)
        chosen = within(old, bytes_max)
        with self._store.transaction():
            began_at = clock()
            for (number,) in chosen:
                execute("DELETE FROM journal_branches WHERE entry = ?", (number,))
                execute("DELETE FROM journal WHERE id = ?", (number,))
        more = len(chosen) < len(old) or len(old) == count
        return Purged(len(chosen), more, clock() - began_at)

    def _load(self, where: str, value: object) -> Entry | None:
        execute = self._store.execute
        columns = "id, token, kind, state, stuck_in, content, thing, unsettled, fence"
        row = execute(f"SELECT {columns} FROM journal WHERE {where}", (value,)).fetchone()  # noqa: S608 - constants
        if row is None:
            return None
        number, token, kind, state, stuck_in, content, thing, unsettled, fence = row
        made = msgspec.msgpack.decode(content, type=_EntryContent)
        rows = execute(
            "SELECT shard, state, content, progress FROM journal_branches WHERE entry = ? ORDER BY number", (number,)
        )
        branches = [_branch(*each) for each in rows]
        entry = Entry(token, kind, made.operation, made.request, made.terms, made.variables, branches, state, id=number)
        entry.space, entry.tenant, entry.placed_by = made.space, made.tenant, made.placed_by
        entry.made, entry.stuck_in, entry.thing, entry.client = made.made, stuck_in, thing, made.client
        entry.unsettled, entry.fence = bool(unsettled), fence
        return entry

    def _earlier(self, entry: Entry, branch: Branch, at: Instant) -> Literal["busy", "behind", "held"] | None:
        execute = self._store.execute
        if entry.kind == "place":
            # A name that another create is about to take, whichever shard the create goes to.
            return "busy" if entry.thing and execute(_NAMED, (entry.thing, entry.id)).fetchone() else None
        if entry.kind != "every":
            return None
        boot, up_s = self._store.clock(at.boot, at.up_s)
        since_s = up_s - ORDER_KEPT_S
        asked = {"id": entry.id, "shard": branch.shard, "thing": entry.thing, "boot": boot, "since": since_s}
        missed: tuple[Literal["busy", "behind", "held"]] | None = execute(_MISSED, asked).fetchone()
        if missed is not None:
            return missed[0]
        return "busy" if execute(_UNDECIDED, asked).fetchone() else None

    def _require_room(self, bounds: JournalBounds, size: int) -> None:
        count, held = self._store.execute(
            f"SELECT count(*), coalesce(sum(length(content)), 0) FROM journal WHERE state IN ({_OPEN_STATES})"  # noqa: S608 - constants
        ).fetchone()
        if count >= bounds.entries_max:
            raise JournalFullError(f"{count} changes are not over; journal_entries_max is {bounds.entries_max}")
        if held + size > bounds.bytes_max:
            raise JournalFullError(
                f"changes that are not over have {int(held)} bytes, and this one {size};"
                f" journal_bytes_max is {bounds.bytes_max}"
            )

    def _require_owner(self, entry: Entry, owner: str) -> None:
        # The token: after a failover that lost an entry, its number may be another's, and that of the same worker.
        row = self._store.execute("SELECT owner, fence, token FROM journal WHERE id = ?", (entry.id,)).fetchone()
        if row != (owner, entry.fence, entry.token):
            raise NotOwnerError(f"entry {entry.id} has another owner")

    def _write(self, entry: Entry, number: int) -> None:
        branch = entry.branches[number]
        self._store.execute(
            "UPDATE journal_branches SET state = ?, progress = ? WHERE entry = ? AND number = ?",
            (branch.phase, _progress(branch), entry.id, number),
        )


def _content(entry: Entry) -> bytes:
    content = _EntryContent(
        entry.operation,
        entry.request,
        entry.terms,
        entry.variables,
        entry.space,
        entry.tenant,
        entry.placed_by,
        entry.made,
        entry.client,
    )
    return msgspec.msgpack.encode(content)


def _progress(branch: Branch) -> bytes:
    said = (branch.reply, branch.before, branch.problem, branch.stuck_in, branch.judges)
    return msgspec.msgpack.encode(_BranchProgress(branch.tries, *said))


def _branch(shard: str, phase: BranchPhase, content: bytes, progress: bytes) -> Branch:
    fixed = msgspec.msgpack.decode(content, type=_BranchContent)
    changing = msgspec.msgpack.decode(progress, type=_BranchProgress)
    return Branch(
        shard,
        fixed.body,
        fixed.positions,
        phase,
        changing.tries,
        changing.reply,
        changing.before,
        changing.problem,
        changing.stuck_in,
        fixed.conditions,
        changing.judges,
    )
